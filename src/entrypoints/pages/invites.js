import { session } from "./api.js";
import { warn } from "./form.js";

const at = (id) => document.getElementById(id);

const me = await session().catch(() => null);
if (!me) location.replace("/?return_to=/invites");
else if (me.user.role === "member") location.replace("/account");
else await show(me.user);

async function show(user) {
  const [{ begin }, { inviteList }] = await Promise.all([import("./session.js"), import("./invite_list.js")]);
  const shown = {
    tellsWho: true,
    isShown: ({ state }) => !at("state").value || state === at("state").value,
    isMade: () => (at("state").value = ""),
  };
  const list = inviteList(at("invite"), at("invites"), "/api/invites", begin(user), shown);
  at("state").addEventListener("change", list.draw);
  at("all").hidden = false;
  try {
    await list.load();
  } catch (problem) {
    warn(problem.message);
  }
}
