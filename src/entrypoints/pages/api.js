/** Take a token out of the fragment or the query, and out of the address bar and history at once. */
export function takeToken(name) {
  const token = new URLSearchParams(location.hash.slice(1)).get(name) ?? new URLSearchParams(location.search).get(name);
  history.replaceState(null, "", location.pathname);
  return token;
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
