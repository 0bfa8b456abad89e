"use strict";
// The secret stands behind the #, which no server and no log sees.
const [purpose, token] = location.hash.slice(1).split("=");
history.replaceState(null, "", location.pathname);
const texts = {
  invitation: { title: "Welcome", lead: "Choose a password; then log in with your e-mail.", path: "/api/v1/invitations/accept" },
  password_reset: { title: "A new password", lead: "Choose it here. You will be logged out everywhere.", path: "/api/v1/password-resets/complete" },
};
const page = texts[purpose];
const form = document.querySelector("form");
const said = document.querySelector("#said");
const say = (text, good) => { said.textContent = text; said.className = good ? "good" : "bad"; };
if (!page || !token) {
  document.querySelector("h1").textContent = "Proffer";
  document.querySelector("#lead").textContent = "Open the link of your invitation or of your password reset.";
  form.hidden = true;
} else {
  document.querySelector("h1").textContent = page.title;
  document.querySelector("#lead").textContent = page.lead;
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [password, again] = [form.password.value, form.again.value];
  if (password !== again) { say("The two passwords are not the same.", false); return; }
  form.querySelector("button").disabled = true;
  try {
    const answer = await fetch(page.path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, password }),
    });
    if (answer.ok) { form.hidden = true; say("Done. You can log in now.", true); return; }
    const told = await answer.json();
    const details = Array.isArray(told.details) ? told.details.map((one) => one.message).join(" ") : "";
    say(details || told.message, false);
  } catch {
    say("The server cannot be reached; try again shortly.", false);
  }
  form.querySelector("button").disabled = false;
});
