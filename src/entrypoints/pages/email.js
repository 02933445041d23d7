import { onSubmit, post, say, takeTokens } from "./api.js";

const { confirmation, undo } = takeTokens("confirmation", "undo");
const form = onSubmit(async () => {
  if (undo) {
    await post("/api/undo_change_email", { undo });
    return "Your account has this address again. Check your mail for a link to set another password.";
  }
  await post("/api/confirm_email", { confirmation });
  return "Your account has this address from now on.";
});

if (undo) {
  form.querySelector("button").textContent = "Take my account back";
  say("Press the button, and your account has this address again. All sessions will end, and you can set another password.");
} else if (!confirmation) {
  form.hidden = true;
  say("Open the link in the mail that we have sent you. It leads here and brings its confirmation along.");
}
