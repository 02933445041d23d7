import { onSubmit, post, say, takeToken } from "./api.js";

const confirmation = takeToken("confirmation");
const form = onSubmit(async () => {
  await post("/api/confirm_account", { confirmation });
  return "Your address is confirmed. You can log in now.";
});

if (!confirmation) {
  form.hidden = true;
  say("Open the link in the mail that we have sent you. It leads here and brings its confirmation along.");
}
