import { onSubmit, post, say, takeToken } from "./api.js";

const reset = takeToken("reset");
const form = onSubmit(async (values) => {
  await post("/api/reset_password", { reset, ...values });
  return "Your password is set. You can log in with it now.";
});

if (!reset) {
  form.hidden = true;
  say("Open the link in the mail that we have sent you. It leads here and brings its reset along.");
}
