/** What the pages of those who are logged in have in common: logging out, and logging in again on the spot. */

import { send, session } from "./api.js";
import { onSubmit, say } from "./form.js";

const dialog = document.getElementById("relogin");
const form = dialog.querySelector("form");
let me;
let goOn = () => {};

/**
 * Begin a page of this user. What it gives back mends a session that has ended while a form was filled in: it is begun
 * again in a dialog, and the form is sent then.
 */
export function begin(user) {
  me = user;
  for (const field of document.querySelectorAll("[data-mine]")) field.defaultValue = me.email;
  for (const place of document.querySelectorAll("[data-whose]")) place.textContent = me.email;
  document.getElementById("logout").hidden = false;
  return async ({ code }, again) => {
    if (code !== "not_logged_in") return false;
    goOn = again;
    dialog.showModal();
    return true;
  };
}

onSubmit(form, async ({ password }) => {
  const { user } = await send("POST", "/api/login", { email: me.email, password });
  if (user.id !== me.id) location.reload();
  if (!dialog.open) return undefined;
  dialog.close();
  return goOn;
});

onSubmit(document.getElementById("logout"), async () => {
  await send("POST", "/api/logout");
  location.replace("/#said=logged_out");
});

for (const each of document.querySelectorAll("dialog")) {
  each.querySelector("[data-closes]").addEventListener("click", () => each.close());
  each.addEventListener("close", () => each.querySelector("form").reset());
}

/** Somebody else may have logged in meanwhile, in another tab: the page becomes theirs. */
document.addEventListener("visibilitychange", async () => {
  const now = document.hidden ? null : await session().catch(() => null);
  if (now && me && now.user.id !== me.id) location.reload();
});

/** What was said stays in sight until the reader goes on to something else. */
document.querySelector("main").addEventListener("focusin", ({ target }) => target.matches("input, select") && !target.readOnly && say(""));

/** A page that the browser kept from before a log-out asks again. */
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
