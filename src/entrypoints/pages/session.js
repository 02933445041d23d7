/** What the pages of those who are logged in have in common: logging out, and logging in again on the spot. */

import { send } from "./api.js";
import { onSubmit } from "./form.js";

const dialog = document.getElementById("relogin");
const form = dialog.querySelector("form");
let email;
let goOn = () => {};

/**
 * Begin a page of this user. What it gives back mends a session that has ended while a form was filled in: it is begun
 * again in a dialog, and the form is sent then.
 */
export function begin(user) {
  email = user.email;
  for (const field of document.querySelectorAll("[data-mine]")) field.defaultValue = email;
  document.getElementById("logout").hidden = false;
  return async ({ code }, again) => {
    if (code !== "not_logged_in") return false;
    goOn = again;
    dialog.showModal();
    return true;
  };
}

onSubmit(form, async ({ password }) => {
  await send("POST", "/api/login", { email, password });
  form.reset();
  dialog.close();
  return goOn;
});

onSubmit(document.getElementById("logout"), async () => {
  await send("POST", "/api/logout");
  location.replace("/#said=logged_out");
});

for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** A page that the browser kept from before a log-out asks again. */
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
