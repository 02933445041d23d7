/** Forms that say what is wrong beside the field, send once at a time, count waits down and lose nothing. */

import { take } from "./api.js";

const SOON = 5;
const PAUSE = 600;
const WAIT = "Please wait …";
/** What one page has the next one say. */
const SAID = {
  confirmed: "Your address is confirmed. You can log in now.",
  reset: "Your password is set. You can log in with it.",
  logged_out: "You are logged out.",
  deleted: "Your account is deleted. We have sent you a mail that says so.",
};

/** Problems that pass, by their status, and how they are told. */
export const PASSING = {
  0: "The service cannot be reached.",
  429: "Too many tries.",
  503: "The service cannot answer right now.",
};
export const setting = document.documentElement.dataset;

let online;

/** Show a line to the reader, politely: in the form's own place, if it has one. */
export function say(text, form) {
  place(form, "status").textContent = text;
}

/** Tell what went wrong, at once, with nodes behind it such as a link to the next step. */
export function warn(text, form, ...nodes) {
  place(form, "alert").replaceChildren(...(text ? [text, " ", ...nodes] : []));
}

function place(form, role) {
  return form?.querySelector(`[role=${role}]`) ?? document.getElementById(role === "alert" ? "problem" : "status");
}

/** Say what the page before has left to say. */
export function sayWhatHappened() {
  const said = new URLSearchParams(location.hash.slice(1)).get("said");
  if (said && Object.hasOwn(SAID, said)) say(SAID[said]);
  take("said");
}

/** A link. */
export function link(href, text) {
  return make("a", { href, textContent: text });
}

/** Where people get help, if the operator has set it: a link in a list of at most one. */
export function help() {
  return setting.contact ? [link(setting.contact, "Contact us")] : [];
}

/** An element with these properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/**
 * Send the form with `act(values, form)`, once at a time and not twice in a moment; act may resolve to what is to be
 * called once the form is free again. What goes wrong is told, field by field where it can be; `mend(problem, again)`
 * may take a problem on itself by returning true.
 */
export function onSubmit(form, act, mend = async () => false) {
  let isBusy = false;
  let doneAt = -PAUSE;
  const submit = async () => {
    if (isBusy) return;
    clear(form);
    if (!isFilled(form)) return;
    isBusy = true;
    const release = hold(form);
    let then;
    try {
      then = await act(values(form), form);
      doneAt = performance.now();
    } catch (problem) {
      then = await answer(problem);
    }
    isBusy = false;
    release();
    then?.();
  };
  const answer = async (problem) => {
    if (await mend(problem, submit)) return undefined;
    const passing = show(problem, form);
    return passing && (() => rest(form, passing));
  };
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (performance.now() - doneAt > PAUSE && !isResting(form)) submit();
  });
  form.addEventListener("input", ({ target }) => target.name && unmark(target));
  form.addEventListener("reset", () => clear(form));
}

/** Everything in the form that was filled in. */
function values(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
}

function clear(form) {
  online?.abort();
  warn("", form);
  for (const field of form.elements) unmark(field);
}

function isFilled(form) {
  const empty = [...form.elements].filter((field) => field.required && !field.value.trim());
  for (const field of empty) mark(field, field.dataset.missing ?? "Fill this in.");
  empty[0]?.focus();
  return empty.length === 0;
}

/** Keep the buttons from being pressed, and give the focus back afterwards. */
function hold(form) {
  const focused = document.activeElement;
  const buttons = [...form.querySelectorAll("button:not([data-shows])")].filter((button) => !button.disabled);
  const line = place(form, "status");
  const before = form.dataset.keepsStatus === undefined ? "" : line.textContent;
  line.textContent = WAIT;
  form.setAttribute("aria-busy", "true");
  for (const button of buttons) button.disabled = true;
  return () => {
    form.removeAttribute("aria-busy");
    if (line.textContent === WAIT) line.textContent = before;
    for (const button of buttons) button.disabled = false;
    if (buttons.includes(focused) && document.activeElement === document.body) focused.focus();
  };
}

/** Tell of a problem; given back where it is one that passes, and has to be waited for. */
function show(problem, form) {
  if (!("status" in problem)) {
    reportError(problem);
    warn("Something went wrong on this page. Load it again.", form);
    return undefined;
  }
  const [known, others] = split(problem.errors, form);
  for (const { field, message } of known) mark(form.elements[field], message);
  if (known.length) form.elements[known[0].field].focus();
  const words = others.map(({ message }) => message).join(" ");
  if (problem.wait && problem.status in PASSING) return problem;
  if (words || !known.length) warn(words || problem.message, form, ...(problem.status >= 500 ? help() : []));
  if (problem.status === 0) listenFor(form);
  return undefined;

  function split(errors, { elements }) {
    const has = ({ field }) => elements[field] instanceof HTMLElement && elements[field].type !== "hidden";
    return [errors.filter(has), errors.filter((error) => !has(error))];
  }
}

/** Say it when the connection is back, unless the form has been sent again by then. */
function listenFor(form) {
  online?.abort();
  online = new AbortController();
  addEventListener(
    "online",
    () => {
      warn("", form);
      say("You are online again. Try once more.", form);
    },
    { once: true, signal: online.signal },
  );
}

/** Let the form be sent again once that makes sense. */
async function rest(form, problem) {
  const button = sender(form);
  button.ariaDisabled = "true";
  await wait(problem, form, "Try again");
  warn("", form);
  say("You can try again now.", form);
  button.ariaDisabled = null;
}

/** The button that sends the form; while a wait lasts it keeps the focus and does nothing. */
function sender(form) {
  return form.querySelector("button:not([type=button])");
}

function isResting(form) {
  return sender(form).ariaDisabled === "true";
}

/** Tell of a problem that passes, and of `what` can be done then; resolves when it can. Who listens hears it once. */
export async function wait(problem, form, what) {
  const seconds = problem.wait || SOON;
  const clock = make("span", { ariaHidden: "true" });
  const spoken = make("span", { className: "unseen", textContent: `${what} in ${seconds} seconds.` });
  warn(`${PASSING[problem.status]} Nothing is lost.`, form, clock, spoken, ...(problem.status >= 500 ? [" ", ...help()] : []));
  await countDown(seconds, (left) => (clock.textContent = `${what} in ${left}.`));
}

/** Call `tick` with what is left, such as 0:42, every second until nothing is. */
export async function countDown(seconds, tick) {
  const end = Date.now() + seconds * 1000;
  for (let left = seconds; left > 0; left = Math.ceil((end - Date.now()) / 1000)) {
    tick(`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
    await new Promise((done) => setTimeout(done, Math.min(1000, end - Date.now())));
  }
}

/** Say beside a field what is wrong with it. */
function mark(field, message) {
  unmark(field);
  const note = make("p", { className: "field-error", id: `${field.id}-error`, textContent: message });
  field.closest(".field").append(note);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${note.id}`.trim());
}

function unmark(field) {
  if (!field.hasAttribute?.("aria-invalid")) return;
  document.getElementById(`${field.id}-error`)?.remove();
  field.removeAttribute("aria-invalid");
  const others = field.getAttribute("aria-describedby").split(" ").filter((id) => id !== `${field.id}-error`);
  if (others.length) field.setAttribute("aria-describedby", others.join(" "));
  else field.removeAttribute("aria-describedby");
}

/** Buttons that show what is typed into a password field. */
for (const button of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(button.dataset.shows);
  const show = (isShown) => {
    field.type = isShown ? "text" : "password";
    button.ariaPressed = String(isShown);
  };
  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("reset", () => show(false));
}

/** Say below a new password what it lacks, while it is typed; the service has the last word. */
export function hintAt(field, personal = () => []) {
  const hint = document.getElementById(`${field.id}-hint`);
  const least = Number(setting.passwordMinLength);
  const tell = () => {
    const [text, isGood] = judge(field.value, least, [...personal(), setting.brand]);
    hint.textContent = text;
    hint.classList.toggle("good", isGood);
  };
  field.addEventListener("input", tell);
  tell();
}

function judge(password, least, personal) {
  const length = [...password.normalize("NFKC")].length;
  const lower = password.toLowerCase();
  if (!length) return [`At least ${least} characters. A few words that do not belong together are easy to remember.`, false];
  if (length < least) return [`${least - length} more ${least - length === 1 ? "character" : "characters"}.`, false];
  if (new Set(lower).size < 6) return ["Easy to guess: use more different characters.", false];
  const used = personal.find((word) => word && word.length > 3 && lower.includes(word.toLowerCase()));
  const rest = used ? length - used.length : length;
  if (rest < least / 2) return [`Easy to guess: most of it is “${used}”.`, false];
  return [length >= least + 8 ? "Long and good." : "Long enough.", true];
}
