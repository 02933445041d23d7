import { session, take, wayBack } from "./api.js";
import { link, say, sayWhatHappened, warn } from "./form.js";

const asked = session().then(
  (me) => ({ me }),
  () => ({ isUntold: true }),
);
const returnTo = await wayBack();
if (returnTo) document.getElementById("login").href = `/login?${new URLSearchParams({ return_to: returnTo })}`;
sayWhatHappened();
take("return_to");

const { me, isUntold } = await asked;
if (me) location.replace(returnTo ?? "/account");
else if (returnTo && isUntold) warn("The service does not tell just now whether you are logged in.", null, link(returnTo, "Try again"));
else if (returnTo) say("You are not logged in here.");
