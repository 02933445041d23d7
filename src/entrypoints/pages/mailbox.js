/** The mails of a service without a mail server: the list is looked at again and again, a mail when it is chosen. */

const PAUSE = 2_000;
const PATIENCE = 10_000;

const [status, pane, mails, mail, subject, to, sent, frame, text, link, other] = [
  "status", "pane", "mails", "mail", "subject", "to", "at", "html", "text", "link", "other",
].map((id) => document.getElementById(id));
const listed = new Map();
let chosen = null;
let opening = null;

async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

function made(name, words) {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
}

function moment(at) {
  return new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

function say(words) {
  if (status.textContent !== words) status.textContent = words;
}

/** What is on the page stays the same element, so that nobody who is about to press it loses the focus. */
function entry(found) {
  if (!listed.has(found.id)) {
    const [item, button] = [document.createElement("li"), document.createElement("button")];
    button.type = "button";
    button.append(made("strong", found.subject), made("span", found.to), made("span", moment(found.at)));
    button.addEventListener("click", async () => (await open(found.id)) && subject.focus());
    item.append(button);
    listed.set(found.id, item);
  }
  return listed.get(found.id);
}

function show(found) {
  const wanted = found.map(entry);
  for (const [id, item] of listed) {
    if (wanted.includes(item)) continue;
    item.remove();
    listed.delete(id);
  }
  wanted.forEach((item, place) => {
    if (mails.children[place] !== item) mails.insertBefore(item, mails.children[place] ?? null);
  });
  pane.hidden = wanted.length === 0;
  say(wanted.length === 0 ? "No mail yet. What the service sends shows up here." : "");
}

/** Whether the mail could be read. */
async function open(id) {
  let found;
  opening = id;
  try {
    found = await ask(`/mailbox/mails/${id}`);
  } catch {
    say("This mail cannot be read. Is it still there?");
    return false;
  }
  if (opening !== id) return false;
  chosen = id;
  for (const [listedId, item] of listed) item.firstChild.ariaCurrent = listedId === id ? "true" : null;
  subject.textContent = found.subject;
  to.textContent = found.to;
  sent.textContent = moment(found.at);
  text.textContent = found.text;
  link.hidden = found.link === null;
  if (found.link !== null) link.href = found.link;
  other.hidden = !found.has_html;
  if (found.has_html) frame.contentWindow.location.replace(`/mailbox/mails/${id}/html`);
  showAsText(!found.has_html);
  mail.hidden = false;
  return true;
}

function showAsText(isText) {
  other.setAttribute("aria-pressed", isText);
  [text.hidden, frame.hidden] = [!isText, isText];
}

async function refresh() {
  if (document.hidden) return;
  try {
    const found = await ask("/mailbox/mails");
    show(found);
    if (opening === null && found.length > 0 && matchMedia("(min-width: 56rem)").matches) await open(found[0].id);
  } catch {
    say("The service does not answer. This page looks again every few seconds.");
  }
}

other.addEventListener("click", () => showAsText(!frame.hidden));
document.addEventListener("visibilitychange", refresh);
for (;;) {
  await refresh();
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
}
