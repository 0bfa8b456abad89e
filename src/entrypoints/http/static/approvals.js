"use strict";
// The access token is kept here and nowhere else: who closes or reloads the page logs in again.
let token = null;
let me = null;
let attempt = null;
let current = null; // The request that is shown.
const find = (id) => document.getElementById(id);
const [said, login, verify, shown, leave] = ["said", "login", "verify", "shown", "leave"].map(find);
const api = "/api/v1";
const PIECE = "C62"; // UN/ECE Recommendation 20: one, which nobody says.

// Whatever comes from the API is text, never markup.
function make(tag, content, look) {
  const element = document.createElement(tag);
  if (look) element.className = look;
  for (const one of [content].flat()) if (one !== null && one !== undefined) element.append(one);
  return element;
}

function say(text, look) {
  said.textContent = text;
  said.className = look || "";
  if (text) said.scrollIntoView({ block: "center" });
}
function show(...parts) { for (const part of [login, verify, shown]) part.hidden = !parts.includes(part); leave.hidden = token === null; }

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Refused extends Error {
  constructor(status, told) {
    const details = Array.isArray(told.details) ? told.details.map((one) => one.message).join(" ") : "";
    super(details || told.message || "Something went wrong; try again shortly.");
    this.status = status; this.code = told.error_code; this.details = told.details;
  }
}

async function ask(path, body) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  if (body && token) headers["idempotency-key"] = newKey();
  let answer;
  try {
    answer = await fetch(api + path, { method: body ? "POST" : "GET", headers, body: body ? JSON.stringify(body) : undefined, cache: "no-store" });
  } catch {
    throw new Refused(0, { message: "The server cannot be reached; try again shortly." });
  }
  const text = await answer.text();
  let told = {};
  try { told = text ? JSON.parse(text) : {}; } catch { told = {}; }
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}

// What may be kept from somebody is left out, and nothing else.
async function askIfAllowed(path) {
  try {
    return await ask(path);
  } catch (refused) {
    if (refused.status === 403 || refused.status === 404) return null;
    throw refused;
  }
}

async function attempted(button, work) {
  button.disabled = true;
  say("");
  try {
    await work();
  } catch (refused) {
    if (!(refused instanceof Refused)) { say("Something went wrong here; reload the page.", "bad"); throw refused; }
    if (refused.status === 401 && token !== null) {
      token = null;
      show(login);
      say("You have been logged out; log in again.", "bad");
    } else {
      say(refused.message, "bad");
    }
  } finally {
    button.disabled = false;
  }
}

async function entered(told) {
  if (told.outcome === "code_needed") {
    attempt = told.attempt;
    document.querySelector("label[for=code]").textContent = told.second_factor
      ? "The code of your authenticator app, or a recovery code"
      : "The code that was mailed to you, if there is such an account";
    find("code").value = "";
    show(verify);
    find("code").focus();
    return;
  }
  token = told.access_token;
  me = told.user_id;
  login.reset();
  verify.reset();
  await showWhatIsAsked();
}

login.addEventListener("submit", (event) => {
  event.preventDefault();
  attempted(login.querySelector("button"), async () => {
    const body = { email: login.email.value };
    if (login.password.value) body.password = login.password.value;
    if (!find("several").hidden) body.organization = login.organization.value;
    try {
      await entered(await ask("/login", body));
    } catch (refused) {
      if (refused.code === "organization_required") {
        login.organization.replaceChildren(...refused.details.organizations.map((slug) => make("option", slug)));
        find("several").hidden = false;
      }
      throw refused;
    }
  });
});

verify.addEventListener("submit", (event) => {
  event.preventDefault();
  attempted(verify.querySelector("button"), async () => entered(await ask("/login/verify", { attempt, code: verify.code.value })));
});

leave.addEventListener("click", () => {
  attempted(leave, async () => {
    await ask("/logout", { everywhere: false });
    token = null;
    shown.replaceChildren();
    show(login);
    say("You are logged out.", "good");
  });
});

// The session ends with the page. Where the browser cannot tell us, it ends by itself within 15 minutes: nothing refreshes it.
addEventListener("pagehide", () => {
  if (token === null) return;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": newKey() };
  fetch(`${api}/logout`, { method: "POST", headers, body: '{"everywhere":false}', keepalive: true });
  token = null;
  shown.replaceChildren();
  show(login);
});

addEventListener("popstate", () => { if (token !== null) attempted(leave, showWhatIsAsked); });

function asked() {
  const last = location.pathname.split("/").filter(Boolean)[1];
  return last === undefined ? null : last;
}

async function showWhatIsAsked() {
  const id = asked();
  shown.replaceChildren(...(id === null ? await inbox() : await request(id)));
  show(shown);
}

function go(id) {
  const link = make("a", "All that waits for you");
  link.href = id === null ? "/approvals" : `/approvals/${id}`;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    history.pushState(null, "", link.href);
    attempted(leave, showWhatIsAsked);
  });
  return link;
}

function words(name) { const text = name.replaceAll("_", " "); return text.charAt(0).toUpperCase() + text.slice(1); }
function time(text) { return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }); }
function list(entries) { return make("dl", entries.filter(([, value]) => value !== "" && value !== null && value !== undefined).flatMap(([name, value]) => [make("dt", name), make("dd", value)])); }

function table(heads, rows) {
  const head = make("tr", heads.map(([name, look]) => make("th", name, look)));
  const body = rows.map((row) => make("tr", row.map((cell, i) => make("td", cell, heads[i][1]))));
  return make("div", make("table", [make("thead", head), make("tbody", body)]), "wide");
}

async function inbox() {
  const found = await ask("/approvals?waiting_for=me&limit=100");
  if (!found.items.length) return [make("p", "Nothing waits for you.")];
  const rows = found.items.map((one) => {
    const link = go(one.id);
    link.textContent = one.title;
    const steps = one.steps.filter((step) => step.status === "open").map((step) => step.name).join(", ");
    return [link, steps, time(one.created_at)];
  });
  const more = found.total > rows.length ? [make("p", `${found.total - rows.length} more wait behind these.`)] : [];
  return [make("h2", "Waiting for you"), table([["What"], ["Step"], ["Since"]], rows), ...more];
}

async function request(id) {
  const details = await ask(`/approvals/${encodeURIComponent(id)}`);
  current = details;
  const approval = details.approval;
  const subject = approval.subject === "quote" ? await offer(approval) : await registration(approval);
  const policies = await policiesOf(approval);
  return [
    make("h2", approval.title + (approval.revision ? `, revision ${approval.revision}` : "")),
    ...subject,
    make("h2", "Why somebody is asked"),
    facts(approval),
    steps(details, policies),
    ...soFar(details),
    ...decision(details),
    make("p", go(null)),
  ];
}

function nameOf(details, id) { const found = details.people.find((one) => one.id === id); return found ? found.name : "somebody"; }

async function offer(approval) {
  const quote = await askIfAllowed(`/quotes/${approval.subject_id}`);
  if (quote === null) return [];
  const general = list([["Customer", quote.customer_name], ["Title", quote.title], ["Made by", quote.salesperson], ["Valid until", quote.valid_until]]);
  if (quote.content_digest !== approval.content_digest) {
    return [general, make("p", "The offer has changed since this was asked; what was asked about is no longer what it says.", "bad")];
  }
  const sums = quote.calculation;
  const money = (text) => `${text} ${quote.currency}`;
  const rows = quote.lines.map((line, i) => [
    line.description + (line.optional ? (line.chosen ? " (optional, chosen)" : " (optional)") : ""),
    line.unit === PIECE ? line.quantity : `${line.quantity} ${line.unit}`.trim(), line.unit_price,
    line.discounts.map((one) => (one.percent ? `${one.percent} %` : one.amount)).join(", "),
    sums.lines[i].net,
  ]);
  const totals = list([
    ["Discounts on the whole", Number(sums.discount_total) ? money(sums.discount_total) : ""],
    ["Without tax", money(sums.total_without_tax)], ["Tax", money(sums.tax_total)],
    ["Margin", sums.margin ? `${money(sums.margin)}${sums.margin_percent ? `, ${sums.margin_percent} %` : ""}` : ""],
    ["Payable", make("span", money(sums.payable), "total")],
  ]);
  return [general, table([["What"], ["Quantity", "number"], ["Price", "number"], ["Discounts", "number"], ["Amount", "number"]], rows), totals];
}

async function registration(approval) {
  const customer = approval.subject === "customer_registration" ? await askIfAllowed(`/customers/${approval.subject_id}`) : null;
  if (customer === null) return [];
  const address = customer.address ? Object.values(customer.address).filter((one) => typeof one === "string" && one).join(", ") : "";
  return [list([
    ["Company", customer.name], ["Address", address], ["VAT number", customer.vat_number], ["Registration number", customer.registration_number],
    ["Credit limit", customer.credit_limit && `${customer.credit_limit} ${customer.currency}`], ["Payment terms", customer.payment_terms],
  ])];
}

function facts(approval) {
  return list(Object.entries(approval.facts).map(([name, value]) => [words(name), Array.isArray(value) ? value.join(", ") : value]));
}

async function policiesOf(approval) {
  const ids = [...new Set(approval.steps.map((step) => step.policy_id))];
  const found = await Promise.all(ids.map((id) => askIfAllowed(`/approval-policies/${id}`)));
  return found.filter((one) => one !== null);
}

// Conditions are told of the version that has asked, and of no other.
function reason(step, policies) {
  const policy = policies.find((one) => one.id === step.policy_id && one.version === step.policy_version);
  if (!policy) return step.policy;
  if (!policy.conditions.length) return `${step.policy}: always`;
  const told = policy.conditions.map((one) => `${words(one.fact).toLowerCase()} ${one.values.length ? `${one.operator} ${one.values.join(", ")}` : "(not for you to see)"}`);
  return `${step.policy}: ${told.join(" and ")}`;
}

function steps(details, policies) {
  const rows = details.approval.steps.map((step) => {
    const waiting = details.waiting_for.find((one) => one.step === step.step);
    const people = waiting ? waiting.persons.map((one) => one.name).join(", ") : "";
    const status = step.carried_over_from ? `${step.status}, carried over` : step.status;
    return [step.name, reason(step, policies), status, people];
  });
  return table([["Step"], ["Asked by"], ["Status"], ["Waits for"]], rows);
}

function soFar(details) {
  const told = [[details.approval.created_at, `${nameOf(details, details.approval.submitted_by)} asked`]];
  for (const one of details.comments) told.push([one.created_at, `${nameOf(details, one.user_id)}: ${one.text}`]);
  for (const step of details.approval.steps) {
    for (const given of step.decisions) {
      const absent = given.on_behalf_of.map((one) => nameOf(details, one)).join(", ");
      const verb = given.approved ? "approved" : "rejected";
      told.push([given.at, `${nameOf(details, given.user_id)} ${verb} «${step.name}»${absent ? ` for ${absent}` : ""}${given.reason ? `: ${given.reason}` : ""}`]);
    }
  }
  told.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return [make("h2", "So far"), table([["When"], ["What"]], told.map(([at, text]) => [time(at), text]))];
}

function decision(details) {
  const approval = details.approval;
  const mine = details.waiting_for.filter((one) => one.persons.some((person) => person.id === me)).map((one) => one.step);
  if (!mine.length) return [make("p", `This request is ${approval.status}. Nothing in it waits for you.`)];
  const label = make("label", "Reason; needed to reject");
  const text = make("textarea");
  [label.htmlFor, text.id, text.maxLength] = ["reason", "reason", 2000];
  const names = approval.steps.filter((step) => mine.includes(step.step)).map((step) => `«${step.name}»`).join(", ");
  const [yes, no] = [make("button", "Approve"), make("button", "Reject", "reject")];
  for (const [button, verb] of [[yes, "approve"], [no, "reject"]]) {
    button.addEventListener("click", () => attempted(button, async () => {
      const other = button === yes ? no : yes;
      other.disabled = true;
      try {
        const body = { content_digest: approval.content_digest, reason: text.value.trim() };
        const decided = await ask(`/approvals/${approval.id}/${verb}`, body);
        await showWhatIsAsked();
        say(`${verb === "approve" ? "You have approved it." : "You have rejected it."} The request is ${decided.status}.`, "good");
      } catch (refused) {
        if (refused.code !== "already_decided") throw refused;
        const { decided_by: by, decided_at: at, approved } = refused.details;
        await showWhatIsAsked();
        say(`${current ? nameOf(current, by) : "Somebody"} has ${approved ? "approved" : "rejected"} it already, at ${time(at)}. Nothing of yours was counted.`, "bad");
      } finally {
        other.disabled = false;
      }
    }));
  }
  return [make("h2", "Your decision"), make("p", `It is about ${names}, and about exactly what stands here.`), label, text, yes, no];
}

show(login);
