import { onSubmit, post } from "./api.js";
import { pathOfOurs } from "./return_to.js";

const returnTo = pathOfOurs(new URLSearchParams(location.search).get("return_to") ?? "");

onSubmit(async (values) => {
  const { user } = await post("/api/login", values);
  if (returnTo) location.replace(returnTo);
  return `You are logged in as ${user.username}.`;
});

// Whoever follows a link from another site comes here with a session: SameSite=Strict kept its cookie back just then.
if (returnTo && (await fetch("/api/session")).ok) location.replace(returnTo);
