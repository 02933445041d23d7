import { onSubmit, post } from "./api.js";

onSubmit(async (values) => {
  const { user } = await post("/api/login", values);
  return `You are logged in as ${user.username}.`;
});
