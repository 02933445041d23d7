import { send, session, takeTokens } from "./api.js";
import { PASSING, countDown, help, hintAt, link, onSubmit, say, setting, wait, warn } from "./form.js";

const AGAIN = 60;
const TYPED = 400;
const TAKEN = { username_reserved: "is kept for the service", username_taken: "is taken" };

const { invite } = takeTokens("invite");
const [form, sent, title, again, wrong, hint] = ["form", "sent", "title", "again", "wrong", "username-hint"].map((id) =>
  document.getElementById(id),
);
const { email, username, password } = form.elements;
const rules = hint.textContent;
let inviter;
let asked;
let isResting = false;

hintAt(password, () => [username.value, email.value.split("@")[0]]);

onSubmit(
  form,
  async (values) => {
    await send("POST", "/api/users", { invite, ...values });
    history.pushState({ ...history.state, sent: values.email }, "");
    turn(values.email);
    return rest;
  },
  async ({ code }) => {
    if (code === "invite_invalid") spent();
    return code === "invite_invalid";
  },
);

onSubmit(sent, async () => {
  await send("POST", "/api/resend_confirmation", { email: email.value });
  say("If it was not confirmed yet, another link is on its way.");
  return rest;
});
addEventListener("popstate", ({ state }) => (state?.sent || !sent.hidden) && turn(state?.sent));
username.addEventListener("input", () => {
  clearTimeout(asked);
  hint.classList.remove("good");
  if (hint.textContent !== rules) hint.textContent = rules;
  if (username.value.trim().length > 2) asked = setTimeout(lookUp, TYPED, username.value.trim());
});

const me = await session().catch(() => null);
if (me) {
  say("");
  warn(`You are logged in as ${me.user.username}. To sign somebody else up, log out first.`, null, link("/account", "Go to your account"));
} else if (history.state?.sent) {
  turn(history.state.sent);
} else if (invite) {
  await verify();
} else {
  say("");
  warn("You need an invite link to sign up. Ask a member for one.", null, link("/login", "I have an account"), ...help());
}

async function verify() {
  try {
    const found = await send("POST", "/api/invites/verify", { invite });
    inviter = found.invited_by;
    if (found.email) email.value = found.email;
    email.readOnly = Boolean(found.email);
    form.hidden = false;
    say(inviter ? `${inviter} invites you.` : "You are invited.");
  } catch (problem) {
    say("");
    if (problem.code === "invite_invalid") spent();
    else if (!(problem.status in PASSING)) warn(problem.message, null, ...help());
    else {
      await wait(problem, null, "We ask again");
      warn("");
      say("Checking your invite …");
      await verify();
    }
  }
}

function spent() {
  form.hidden = true;
  warn(`This invite cannot be used any more. Ask ${host()} for a new one.`, null, ...help());
}

function host() {
  return inviter ?? "the person who invited you";
}

/** Show that a mail is on its way to this address, or without one the form again. */
function turn(address) {
  form.hidden = Boolean(address);
  sent.hidden = !address;
  title.textContent = address ? "Check your mail" : "Sign up";
  document.title = `${title.textContent} – ${setting.brand}`;
  document.getElementById("address").textContent = email.value = address ?? email.value;
  wrong.textContent = `Is the address wrong? Then ask ${host()} for a new invite.`;
  say("");
  warn("");
  (address ? title : email).focus();
}

/** Another mail can be asked for in a minute. */
async function rest() {
  if (isResting) return;
  isResting = again.disabled = true;
  await countDown(AGAIN, (left) => (again.textContent = `Send it again in ${left}`));
  again.textContent = "Send it again";
  isResting = again.disabled = false;
}

async function lookUp(name) {
  const found = await send("GET", `/api/usernames/${encodeURIComponent(name)}`).catch(() => null);
  if (!found || name !== username.value.trim()) return;
  hint.classList.toggle("good", found.available);
  hint.textContent = found.available ? `${name} is free.` : `${name} ${TAKEN[found.reason] ?? "cannot be used"}. ${rules}`;
}
