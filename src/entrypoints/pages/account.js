import { send, session } from "./api.js";
import { help, hintAt, make, onSubmit, say, warn } from "./form.js";

const MINUTES = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const at = (id) => document.getElementById(id);

const me = await session().catch(() => null);
if (me) await show(me.user);
else location.replace("/?return_to=/account");

async function show(user) {
  const [{ begin }, { inviteList }] = await Promise.all([import("./session.js"), import("./invite_list.js")]);
  const mend = begin(user);

  at("me-username").textContent = user.username;
  at("me-email").textContent = user.email;
  at("operator").hidden = user.role === "member";

  onSubmit(at("change-password"), changePassword, mend);
  onSubmit(at("change-email"), changeEmail, mend);
  onSubmit(at("others"), endOthers, mend);
  onSubmit(at("deleting").querySelector("form"), deleteAccount, deletionFailed);
  at("delete").addEventListener("click", () => at("deleting").showModal());
  hintAt(at("password"), () => [user.username, user.email.split("@")[0]]);
  at("account").hidden = false;

  const invites = inviteList(at("invite"), at("invites"), "/api/invites?issued_by=me", mend);
  await Promise.all([loaded(() => listSessions(mend)), loaded(invites.load)]);

  async function changePassword(values, form) {
    await send("POST", "/api/change_password", values);
    form.reset();
    form.elements.password.dispatchEvent(new Event("input"));
    say("Your password is changed, and your other sessions have ended.");
    return () => loaded(() => listSessions(mend));
  }

  async function endOthers() {
    await send("DELETE", "/api/sessions");
    say("Your other sessions have ended.");
    at("sessions-title").focus();
    return () => loaded(() => listSessions(mend));
  }

  /** The dialog stays open with the reason, or comes back once its user has logged in again. */
  async function deletionFailed(problem) {
    if (problem.code === "deletion_unavailable") {
      warn(problem.message, at("deleting"), ...help());
      return true;
    }
    if (problem.code === "not_logged_in") at("deleting").close();
    return mend(problem, () => at("deleting").showModal());
  }
}

/** Lists that cannot be had just now say so, and offer to try again. */
async function loaded(load) {
  try {
    await load();
  } catch (problem) {
    const again = make("button", { type: "button", className: "secondary small", textContent: "Try again" });
    again.addEventListener("click", () => location.reload());
    warn(problem.message, null, again);
  }
}

async function changeEmail({ email, password }, form) {
  await send("POST", "/api/change_email", { email, password });
  form.reset();
  say(`Check your mail at ${email}: your address changes when you confirm it there.`);
}

async function deleteAccount(values) {
  await send("DELETE", "/api/user", values);
  location.replace("/#said=deleted");
}

async function listSessions(mend) {
  const found = await send("GET", "/api/sessions");
  at("sessions").replaceChildren(...found.map((one) => sessionItem(one, mend)));
  at("others").hidden = found.length < 2;
}

function sessionItem({ id, device, address, created_at, last_seen_at, is_current }, mend) {
  const where = [device, ...(address ? [address] : [])].join(", ");
  const times = `Since ${MINUTES.format(new Date(created_at))}, last used ${MINUTES.format(new Date(last_seen_at))}.`;
  const about = make("div", {}, make("p", {}, make("strong", { textContent: where })), make("p", { className: "hint", textContent: times }));
  return make("li", { className: "row" }, about, is_current ? make("span", { className: "tag open", textContent: "This one" }) : ending());

  function ending() {
    const form = make("form", {}, make("button", { className: "secondary small", textContent: "End", ariaLabel: `End the session on ${where}` }));
    const end = async () => {
      await send("DELETE", `/api/sessions/${id}`).catch((problem) => {
        if (problem.code !== "session_not_found") throw problem;
      });
      say(`The session on ${where} has ended.`);
      form.replaceWith(make("span", { className: "tag", textContent: "Ended" }));
      at("sessions-title").focus();
    };
    onSubmit(form, end, mend);
    return form;
  }
}
