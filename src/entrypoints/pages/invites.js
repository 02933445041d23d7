import { session } from "./api.js";
import { warn } from "./form.js";

const STEP = 100;
const at = (id) => document.getElementById(id);

const me = await session().catch(() => null);
if (!me) location.replace("/?return_to=/invites");
else if (me.user.role === "member") location.replace("/account");
else await show(me.user);

async function show(user) {
  const [{ begin }, { inviteList }] = await Promise.all([import("./session.js"), import("./invite_list.js")]);
  const shown = {
    most: STEP,
    tellsWho: true,
    isShown: ({ state }) => !at("state").value || state === at("state").value,
    isMade: () => (at("state").value = ""),
    isDrawn: (number) => (at("more").hidden = number <= shown.most),
  };
  const list = inviteList(at("invite"), at("invites"), begin(user), shown);
  at("state").addEventListener("change", list.draw);
  at("more").addEventListener("click", () => {
    shown.most += STEP;
    list.draw();
  });
  at("all").hidden = false;
  try {
    await list.load();
  } catch (problem) {
    warn(problem.message);
  }
}
