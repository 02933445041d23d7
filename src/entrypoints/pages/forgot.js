import { send } from "./api.js";
import { onSubmit, say } from "./form.js";

const title = document.getElementById("title");

onSubmit(document.getElementById("form"), async (values, form) => {
  await send("POST", "/api/forgot_password", values);
  form.hidden = true;
  title.textContent = "Check your mail";
  say(`If ${values.email} has an account here, a link is on its way. It works for half an hour.`);
  title.focus();
});
