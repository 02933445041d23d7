/** Take a token out of the fragment or the query, and out of the address bar and history at once. */
export function takeToken(name) {
  return takeTokens(name)[name];
}

/** A second mailed link that is opened in the same tab changes the fragment alone: the page has to begin again. */
addEventListener("hashchange", () => location.reload());

/** Take tokens of these names, as `takeToken` does with one. */
export function takeTokens(...names) {
  const [fragment, query] = [location.hash.slice(1), location.search].map((text) => new URLSearchParams(text));
  history.replaceState(null, "", location.pathname);
  return Object.fromEntries(names.map((name) => [name, fragment.get(name) ?? query.get(name)]));
}

/** POST JSON; resolves to the answer, or rejects with an Error whose message a person can read. */
export async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The service cannot be reached. Check your connection and try again.");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const reasons = (answer.errors ?? []).map((bad) => bad.message).join(" ");
  throw new Error(reasons || answer.detail || "The service cannot answer right now. Try again in a moment.");
}

/** Show a line to the reader. */
export function say(text) {
  document.getElementById("status").textContent = text;
}

/** Send the form with `send(values)`, once at a time; failures are shown. */
export function onSubmit(send) {
  const form = document.getElementById("form");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say("Please wait …");
    try {
      say(await send(Object.fromEntries(new FormData(form))));
      form.hidden = true;
    } catch (error) {
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
