import { send, takeTokens } from "./api.js";
import { help, hintAt, link, onSubmit, warn } from "./form.js";

const { reset } = takeTokens("reset");
const form = document.getElementById("form");

hintAt(form.elements.password);
onSubmit(
  form,
  async ({ password }) => {
    await send("POST", "/api/reset_password", { reset, password });
    location.replace("/login#said=reset");
  },
  async ({ code, message }) => {
    if (code === "reset_invalid") over(message);
    return code === "reset_invalid";
  },
);
if (!reset) over("Open the link in the mail that we have sent you. It leads here and brings its reset along.");

function over(words) {
  form.hidden = true;
  warn(words, null, link("/forgot", "Have a link sent"), ...help());
}
