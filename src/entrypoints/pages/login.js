import { send, session, wayBack } from "./api.js";
import { onSubmit, sayWhatHappened } from "./form.js";

const goal = wayBack();

sayWhatHappened();
onSubmit(document.getElementById("form"), async (credentials) => {
  await send("POST", "/api/login", credentials);
  await goOn();
});

// Whoever follows a link from another site comes here with a session: SameSite=Strict kept its cookie back just then.
if (await session().catch(() => null)) await goOn();

async function goOn() {
  location.replace((await goal) ?? "/account");
}
