import { send, takeTokens } from "./api.js";
import { help, link, onSubmit, say, warn } from "./form.js";

const { confirmation } = takeTokens("confirmation");
const [form, again, title] = ["form", "again", "title"].map((id) => document.getElementById(id));

onSubmit(
  form,
  async () => {
    await send("POST", "/api/confirm_account", { confirmation });
    location.replace("/login#said=confirmed");
  },
  async ({ code, message }) => {
    if (code !== "confirmation_invalid") return false;
    over(`${message} If you have confirmed already, log in.`);
    return true;
  },
);

onSubmit(again, async ({ email }) => {
  await send("POST", "/api/resend_confirmation", { email });
  again.hidden = true;
  title.focus();
  warn("");
  say(`Check your mail: if ${email} waits to be confirmed, another link is on its way.`);
});

if (!confirmation) over("Open the link in the mail that we have sent you: it leads here and brings its confirmation along. If you have done so before, log in.");

function over(words) {
  form.hidden = true;
  again.hidden = false;
  warn(words, null, link("/login", "Log in"), ...help());
}
