/** Making invites, and the list of them. */

import { page, send } from "./api.js";
import { make, onSubmit, say, warn } from "./form.js";

const day = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const WORDS = { open: "open", spent: "used", expired: "expired", revoked: "revoked" };
const NUMBERS = ["max_claims", "expires_in_days"];

/**
 * Have the form make invites, and list those of `path` that `shown.isShown` lets through, newest first and page by page,
 * with who has made them if `shown.tellsWho`; `shown.isMade` hears of a new one. `mend` is for problems of all of it, as
 * in `onSubmit`.
 */
export function inviteList(form, list, path, mend, { isShown = () => true, isMade, tellsWho } = {}) {
  const heading = document.getElementById("invites-title");
  const older = document.getElementById("older");
  const none = make("li", { className: "muted" });
  let found = [];
  let next = path;
  const turn = async () => {
    const [invites, after] = await page(next);
    next = after;
    older.hidden = !next;
    return invites;
  };
  const append = (invites) => {
    const rows = invites.filter(isShown).map(item);
    none.remove();
    list.append(...rows);
    none.textContent = next ? "None so far." : "None.";
    if (!list.children.length) list.append(none);
    return rows;
  };
  const draw = () => {
    list.replaceChildren();
    append(found);
  };
  const load = async () => {
    found = await turn();
    draw();
  };

  onSubmit(
    older,
    async () => {
      const invites = await turn();
      found.push(...invites);
      const [first] = append(invites);
      if (!first) say(`No such invite among the next ${invites.length}.`);
      return () => goTo(first ?? (next ? older.querySelector("button") : heading));
    },
    mend,
  );

  onSubmit(
    form,
    async (values) => {
      for (const name of NUMBERS) if (name in values) values[name] = Number(values[name]);
      const made = await send("POST", "/api/invites", values);
      form.reset();
      found = [made, ...found];
      isMade?.();
      draw();
      say(made.email ? `The invite is on its way to ${made.email}.` : "The invite is made. Copy its link and pass it on.");
      document.getElementById(made.id)?.select();
    },
    mend,
  );

  function item(invite) {
    const what = invite.note || invite.email || "For whoever has the link";
    const about = [`Made ${day.format(new Date(invite.created_at))}`];
    if (invite.issued_by && tellsWho) about[0] += ` by ${invite.issued_by}`;
    if (invite.note && invite.email) about.push(`for ${invite.email}`);
    if (invite.state === "open") about.push(`ends ${day.format(new Date(invite.expires_at))}`);
    if (invite.max_claims > 1) about.push(`${invite.claims} of ${invite.max_claims} used`);
    return make(
      "li",
      {},
      make("p", { className: "row" }, make("strong", { textContent: what }), tag(invite.state)),
      make("p", { className: "hint", textContent: `${about.join(", ")}.` }),
      ...(invite.link ? [linkOf(invite, what)] : []),
    );
  }

  function linkOf(invite, what) {
    const field = make("input", { id: invite.id, value: invite.link, readOnly: true, ariaLabel: `Link of the invite: ${what}` });
    const copy = make("button", { type: "button", className: "secondary small", textContent: "Copy link" });
    const revoke = make("button", { className: "danger small", textContent: "Revoke", ariaLabel: `Revoke the invite: ${what}` });
    copy.ariaLabel = `Copy link of the invite: ${what}`;
    copy.addEventListener("click", () => copied(field));
    const form = make("form", {}, revoke);
    onSubmit(form, () => revoked(invite), mend);
    return make("div", {}, make("div", { className: "field" }, field), make("div", { className: "row" }, copy, form));
  }

  async function revoked(invite) {
    await send("DELETE", `/api/invites/${invite.id}`);
    Object.assign(invite, { state: "revoked", link: null });
    draw();
    say("The invite is revoked: its link does not work any more.");
    heading.focus();
  }

  return { load, draw };
}

/** Move the focus, also to what nobody reaches with Tab. */
function goTo(element) {
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus();
}

function tag(state) {
  return make("span", { className: `tag ${state}`, textContent: WORDS[state] });
}

async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    say("The link is copied.");
  } catch {
    field.select();
    warn("Your browser does not let us copy. The link is selected: copy it yourself.");
  }
}
