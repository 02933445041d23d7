import { onSubmit, post } from "./api.js";

onSubmit(async (values) => {
  await post("/api/forgot_password", values);
  return "Check your mail: if the address has an account here, a link is on its way.";
});
