import { onSubmit, post, say, takeToken } from "./api.js";

const invite = takeToken("invite");
const form = onSubmit(async (values) => {
  await post("/api/users", { invite, ...values });
  return "Check your mail: we have sent you a link to confirm your address.";
});

try {
  if (!invite) throw new Error("You need an invite link to sign up. Ask a member for one.");
  const found = await post("/api/invites/verify", { invite });
  if (found.email) form.elements.email.value = found.email;
  form.hidden = false;
  say(found.invited_by ? `${found.invited_by} invites you.` : "You are invited.");
} catch (error) {
  say(error.message);
}
