import { send, session, wayBack } from "./api.js";
import { link, onSubmit, sayWhatHappened, warn } from "./form.js";

const goal = wayBack();

sayWhatHappened();
onSubmit(document.getElementById("form"), async (credentials) => {
  const { status, user } = await send("POST", "/api/login", credentials);
  const isMeant = user.email.toLowerCase() === credentials.email.trim().toLowerCase();
  if (status === "logged_in" || isMeant) await goOn();
  else warn(`You are logged in as ${user.username} already. Log out there first.`, null, link("/account", "Go to your account"));
});

// Whoever follows a link from another site comes here with a session: SameSite=Strict kept its cookie back just then.
if (await session().catch(() => null)) await goOn();

async function goOn() {
  location.replace((await goal) ?? "/account");
}
