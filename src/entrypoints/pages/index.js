import { session, take, wayBack } from "./api.js";
import { say, sayWhatHappened } from "./form.js";

const [me, returnTo] = await Promise.all([session(), wayBack()]);
if (me) {
  location.replace(returnTo ?? "/account");
} else {
  sayWhatHappened();
  if (returnTo) {
    document.getElementById("login").href = `/login?${new URLSearchParams({ return_to: returnTo })}`;
    say("You are not logged in here.");
    take("return_to");
  }
}
