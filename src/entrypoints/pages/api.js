/** Asking the service, and what it answers when it does not do what it was asked. */

const PATIENCE = 10_000;
const SOON = 3_000;

/** Why a request was not done: the status (0 without any answer), the service's code and words, the seconds to wait. */
export class Problem extends Error {
  constructor({ status, code, detail, errors = [], wait = 0 }) {
    super(detail);
    Object.assign(this, { status, code, errors, wait });
  }
}

/** Send JSON; resolves to the answer's JSON, null where it has none, or rejects with a Problem. */
export async function send(method, path, body, patience) {
  const [, answer] = await asked(method, path, body, patience);
  return answer;
}

/** What stands on a page of a list, and the path of the page after it, undefined on the last one (RFC 8288). */
export async function page(path) {
  const [response, answer] = await asked("GET", path);
  return [answer, /<([^>]+)>; rel="next"/.exec(response.headers.get("link"))?.[1]];
}

async function asked(method, path, body, patience = PATIENCE) {
  const [response, answer] = await answerTo(method, path, body, patience);
  if (response.ok) return [response, answer];
  throw new Problem({
    status: response.status,
    code: answer.code ?? "internal_error",
    detail: answer.detail ?? "Something went wrong on our side. Try again later.",
    errors: answer.errors,
    wait: Number(response.headers.get("retry-after")) || 0,
  });
}

async function answerTo(method, path, body, patience) {
  const json = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, { method, ...json, signal: AbortSignal.timeout(patience) });
    return [response, await told(response)];
  } catch {
    throw new Problem({
      status: 0,
      code: "unreachable",
      detail: "You are offline, or the service cannot be reached. What you typed is still here: try again.",
    });
  }
}

/** The answer's JSON; whoever stands in front of the service may answer something else where it is away. */
async function told(response) {
  if (response.status === 204) return null;
  return response.ok ? response.json() : response.json().catch(() => ({}));
}

/** Who is logged in here, as `GET /api/session` tells; null where nobody is. Rejects where nobody answers soon. */
export async function session() {
  try {
    return await send("GET", "/api/session", undefined, SOON);
  } catch (problem) {
    if (problem.status === 401) return null;
    throw problem;
  }
}

/** Where one was going before one had to log in: a path of ours, or null. */
export async function wayBack() {
  const target = new URLSearchParams(location.search).get("return_to");
  return target && (await import("./return_to.js")).pathOfOurs(target);
}

/** Take values of these names out of the fragment or the query, and out of the address bar and history at once. */
export function take(...names) {
  const [fragment, query] = [location.hash.slice(1), location.search].map((text) => new URLSearchParams(text));
  const taken = Object.fromEntries(names.map((name) => [name, fragment.get(name) ?? query.get(name)]));
  if (names.some((name) => taken[name] !== null)) history.replaceState(history.state, "", location.pathname);
  return taken;
}

/** Take tokens of these names, as `take` does; this tab remembers them for when it is loaded again. */
export function takeTokens(...names) {
  const taken = take(...names);
  if (names.every((name) => taken[name] === null)) return history.state?.tokens ?? {};
  history.replaceState({ tokens: taken }, "");
  return taken;
}

/** A second mailed link that is opened in the same tab changes the fragment alone: the page has to begin again. */
addEventListener("hashchange", () => location.hash.includes("=") && location.reload());
