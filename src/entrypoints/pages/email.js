import { send, takeTokens } from "./api.js";
import { help, link, onSubmit, say, warn } from "./form.js";

const { confirmation, undo } = takeTokens("confirmation", "undo");
const [form, onward] = ["form", "onward"].map((id) => document.getElementById(id));

if (undo) {
  document.getElementById("what").textContent =
    "Press the button, and your account has this address again. You will be logged out everywhere, and can set another password.";
  form.querySelector("button").textContent = "Take my account back";
} else if (!confirmation) {
  over("Open the link in the mail that we have sent you. It leads here and brings its confirmation along.");
}

onSubmit(
  form,
  async () => {
    if (undo) await send("POST", "/api/undo_change_email", { undo });
    else await send("POST", "/api/confirm_email", { confirmation });
    form.hidden = true;
    onward.hidden = false;
    history.replaceState(null, "");
    onward.querySelector("a").focus();
    say(
      undo
        ? "Your account has this address again. Check your mail for a link to set another password."
        : "Your account has this address from now on.",
    );
  },
  async ({ code, message }) => {
    if (code === "email_change_invalid") over(message);
    return code === "email_change_invalid";
  },
);

function over(words) {
  form.hidden = true;
  warn(words, null, link("/account", "Go to your account"), ...help());
}
