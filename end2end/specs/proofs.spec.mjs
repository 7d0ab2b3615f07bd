// What a proof shows and what it does not: mailboxes that were not tried, a day in which Microsoft
// enforces nothing, and what real mail cannot prove at all. Leaves pictures in end2end/results/proofs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { looksWell } from "./support/looks.mjs";
import { QUICK, choose, dayIsOver, made, patient, reaches, start, toReview } from "./support/setup.mjs";
import { openWorld } from "./support/world.mjs";

// A day of waiting is about half a minute here.
const world = openWorld("proofs", { speed: 2400 });
const { scenario } = world;

const FABRIKAM = "fabrikam.example";
const PROSEWARE = "proseware.example";
const at = (domain) => (name) => `${name}@${domain}`;
const fabrikam = at(FABRIKAM);
const proseware = at(PROSEWARE);
const HOUR = 3600; // seconds of the cloud's clock
const SENDMAIL = "POST /users/*/sendMail";
/** How Microsoft refuses by an access policy, also where Exchange's test grants (MICROSOFT.md §2.4). */
const REFUSED = {
  graph_error: "ErrorAccessDenied",
  status: 403,
  text: "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
};

const pages = new Map();

/** An engineer, with the customer of this domain connected, and that customer's page. */
async function engineer(domain) {
  const nora = await world.visitor({ as: "nora", axe: true });
  await world.cloud.healthy();
  await world.cloud.delays(QUICK);
  if (!pages.has(domain)) pages.set(domain, await nora.connect(world.cloud.account(`admin@${domain}`)));
  return { nora, customer: pages.get(domain) };
}

const looks = (person, name) => looksWell(person, "proofs", name);
const now = (person) => person.page.getByRole("region", { name: "Now" });
const proof = (person) => person.page.locator(".summary > div").filter({ has: person.page.getByText("Proof", { exact: true }) });
const again = (person) => person.page.getByRole("region", { name: "Prove again" });
const idOf = (page) => page.split("/").at(-1);
/** The row of a setup in a list of setups. */
const listed = (person, label, application) => person.page.getByRole("region", { name: label }).getByRole("row").filter({ hasText: application });
/** The row of a mailbox among the real sends. */
const tried = (person, address) => person.page.getByRole("group", { name: "Real sends" }).getByRole("row").filter({ hasText: address });

async function ticked(person) {
  const boxes = again(person).locator("input[type=checkbox]");
  return boxes.evaluateAll((all) => all.filter((box) => box.checked).map((box) => box.value));
}

async function proveAgain(person, secret) {
  await person.field("Client secret of the application", again(person)).fill(secret);
  await person.button("Prove again", again(person)).click();
}

/** What was written at the customer for Postern's setups. */
async function written(domain) {
  const { groups, policies } = await made(world.cloud, domain);
  return { groups: groups.length, policies: policies.length, members: groups.map((group) => group.members.length) };
}

/** History's entries of a kind, oldest first, of one setup. */
async function history(person, customer, setup, kind) {
  const answer = await person.context.request.get(new URL(`${customer}/history.json?kind=${kind}`, world.stack.portal).href);
  assert.ok(answer.ok(), `the history: ${answer.status()}`);
  const events = await answer.json();
  return events.filter((event) => event.setup === setup).sort((one, other) => one.seq - other.seq);
}

/** Looks now, and waits until mail was tried. */
async function looksNow(person) {
  const before = (await world.cloud.log(SENDMAIL)).length;
  await person.button("Look now", now(person)).click();
  await person.eventually(async () => (await world.cloud.log(SENDMAIL)).length > before);
}

/** No word on the page calls a setup broken that may only be slow. */
async function callsNothingBroken(person) {
  const said = await person.page.locator("main").innerText();
  assert.doesNotMatch(said, /\bfail|misconfig|broken/i);
}

/** Three senders, of which two are tried: proven, and the third is named everywhere. */
async function provenWithOneUntried(application, group) {
  const { nora, customer } = await engineer(FABRIKAM);
  const app = world.cloud.application(application, FABRIKAM);
  const senders = ["reception", "support", "info"].map(fabrikam);
  await toReview(nora, { customer, application, senders, group });
  const third = fabrikam("info");
  const untried = `2 of 3 senders tried; not tried: ${third}.`;
  await nora.sees(`2 of 3 senders are tried. Not tried: ${third}. They can be tried later on the setup's page.`);
  await looks(nora, `review ${application}`);
  const page = await start(nora, app.secret);
  await nora.comesToSee(now(nora).getByText(/^Finished: proven/));
  await nora.sees(now(nora).getByText(/as 2 of 3 permitted accepted/), now(nora).getByText(untried));
  await nora.seesNo(tried(nora, third));
  await nora.open(customer);
  const row = listed(nora, "Setups of this customer", application);
  await nora.sees(row.getByText("proven", { exact: true }), row.getByText(untried));
  await nora.open(page);
  const [proven] = await history(nora, customer, idOf(page), "proof.proven");
  assert.ok(proven.what.includes(untried), proven.what);
  assert.deepEqual(proven.after.not_tried, [third]);
  return { nora, customer, app, page, third };
}

scenario("field_b02 a sender that was not tried is named, and proven alone", async () => {
  const { nora, customer, app, page, third } = await provenWithOneUntried("Reception Mailer", "postern-proof-one");
  await looks(nora, "proven with untried");

  // Suggested is what was not tried, and nothing else.
  assert.deepEqual(await ticked(nora), [third]);
  await nora.sees(again(nora).getByText("permitted, not tried yet"));
  const before = await written(FABRIKAM);
  const sent = (await world.cloud.outbox()).length;
  await proveAgain(nora, app.secret);
  await nora.comesToSee(now(nora).getByText(/as 3 of 3 permitted accepted/));
  await nora.sees(now(nora).getByText(/^Finished: proven/), tried(nora, third).getByText("accepted").first());
  await nora.seesNo(now(nora).getByText(/not tried/));
  await looks(nora, "proven again");

  // Two mails as that one arrived, none as any other, and nothing else was touched.
  const mails = (await world.cloud.outbox()).slice(sent);
  assert.deepEqual(
    mails.map((mail) => mail.from),
    [third, third],
  );
  assert.deepEqual(await written(FABRIKAM), before);
  assert.equal(world.stack.database("select count(*) from secrets"), "0");

  const [asked] = await history(nora, customer, idOf(page), "proof.again");
  assert.equal(asked.what, `The proof is made again, for ${third}.`);
  const proofs = await history(nora, customer, idOf(page), "proof.proven");
  assert.equal(proofs.length, 2);
  assert.match(proofs[1].what, /as 3 of 3 permitted accepted/);
  await nora.open(`${customer}/history?kind=proof.proven`);
  await nora.sees(/as 3 of 3 permitted accepted/, new RegExp(`not tried: ${third}`));
  for (const list of [customer, "/running?show=all"]) {
    await nora.open(list);
    const row = listed(nora, /^Setups/, "Reception Mailer");
    await nora.sees(row.getByText("proven", { exact: true }));
    await nora.seesNo(row.getByText(/not tried/));
  }
  // What is left to suggest is to prove an old proof again.
  await nora.open(page);
  assert.deepEqual(await ticked(nora), [fabrikam("reception")]);
});

scenario("field_b02 the sender that was not tried is refused: the others stay proven, and pages and lists say it", async () => {
  const { nora, customer, app, page, third } = await provenWithOneUntried("ScanToMail", "postern-proof-two");
  const setup = idOf(page);
  await world.cloud.fault({ id: "late", operation: SENDMAIL, mailbox: third, action: REFUSED });
  await proveAgain(nora, app.secret);
  await nora.comesToSee(now(nora).getByText(`Microsoft still refuses mail as ${third}.`));
  await patient(world, setup);
  await nora.sees(proof(nora).getByText("proven", { exact: true }), proof(nora).getByText("proven before, now proven again"));
  await nora.sees(tried(nora, third).getByText("refused").first(), tried(nora, fabrikam("reception")).getByText("accepted").first());
  await looksNow(nora);
  await nora.sees(now(nora).getByText(`Microsoft still refuses mail as ${third}.`));
  await looks(nora, "one sender refused, waiting");
  await nora.open("/running");
  const row = listed(nora, /^Setups/, "ScanToMail");
  await nora.sees(
    row.getByText("proven", { exact: true }),
    row.getByText("waiting", { exact: true }),
    row.getByText(`Microsoft still refuses mail as ${third}.`),
  );

  // A day later it ends: what was proven stands, what was not is not called untried.
  await nora.open(page);
  await dayIsOver(world, nora, setup);
  await nora.comesToSee(now(nora).getByText(/^Finished: proven/));
  const refused = new RegExp(`The newest mail as ${third} was refused`);
  await nora.sees(
    now(nora).getByText(/The newest proof did not end as planned/),
    now(nora).getByText(/as 2 of 3 permitted accepted/),
    now(nora).getByText(refused),
    now(nora).getByText(/^Not yet proven after a day/),
    now(nora).getByText("Exchange's own test agrees with the plan for each mailbox that is tried."),
  );
  await nora.seesNo(now(nora).getByText(/not tried/));
  // However often the one was tried, what the others showed is still there.
  await nora.sees(tried(nora, fabrikam("reception")).getByText("accepted").first(), tried(nora, fabrikam("support")).getByText("accepted").first());
  await callsNothingBroken(nora);
  assert.deepEqual(await ticked(nora), [third]);
  await nora.sees(again(nora).getByText("permitted, the newest mail was not accepted"));
  await looks(nora, "one sender refused, a day later");
  // Nothing was proven by it, so history says it once.
  assert.equal((await history(nora, customer, setup, "proof.proven")).length, 1);
  const done = (await history(nora, customer, setup, "setup.done")).at(-1);
  assert.match(done.what, new RegExp(`^Finished as proven\\. Not yet proven after a day\\. Microsoft still refuses mail as ${third}`));
  for (const list of [customer, "/running?show=all"]) {
    await nora.open(list);
    const line = listed(nora, /^Setups/, "ScanToMail");
    await nora.sees(line.getByText("proven", { exact: true }), line.getByText(refused));
  }
  await looks(nora, "running, all");

  await world.cloud.healthy();
  await nora.open(page);
  await proveAgain(nora, app.secret);
  await nora.comesToSee(now(nora).getByText(/as 3 of 3 permitted accepted/));
  await nora.seesNo(now(nora).getByText(refused), now(nora).getByText(/did not end as planned/));
});

scenario("field_b01 all mail is refused for more than a day: checked, not yet proven, and proven later in one action", async () => {
  const { nora, customer } = await engineer(PROSEWARE);
  const app = world.cloud.application("Reception Mailer", PROSEWARE);
  const senders = [proseware("reception")];
  await world.cloud.fault({ id: "late", tenant: PROSEWARE, operation: SENDMAIL, action: REFUSED });
  const { refused } = await toReview(nora, { customer, application: "Reception Mailer", senders, group: "postern-slow" });
  const page = await start(nora, app.secret);
  const setup = idOf(page);
  const waits = now(nora).getByText(`Microsoft still refuses mail as ${senders[0]}.`);
  await nora.comesToSee(waits);
  await patient(world, setup);
  // Refused by everything is no proof, however long it lasts.
  for (const hours of [12, 20 - 12, 26 - 20]) {
    await world.cloud.advance(hours * HOUR);
    await looksNow(nora);
    await nora.sees(waits, proof(nora).getByText("checked", { exact: true }), proof(nora).getByText("next: proven by real mail"));
    for (const address of refused) await nora.sees(tried(nora, address).getByText("refused").first());
    await callsNothingBroken(nora);
    await patient(world, setup);
  }
  await looks(nora, "proving");

  await dayIsOver(world, nora, setup);
  await nora.comesToSee(now(nora).getByText(/^Finished: checked, not yet proven/));
  await nora.sees(
    now(nora).getByText(`Not yet proven after a day. Microsoft still refuses mail as ${senders[0]}.`),
    now(nora).getByText("Exchange's own test agrees with the plan for each mailbox that is tried."),
    now(nora).getByText(/Enforcement took longer than a day in other tenants too/),
    now(nora).getByText("Nothing has to be made again: prove again later."),
  );
  await nora.sees(proof(nora).getByText("checked", { exact: true }));
  for (const address of refused) await nora.sees(tried(nora, address).getByText("refused", { exact: true }).first());
  await callsNothingBroken(nora);
  await looks(nora, "checked, not yet proven");
  const word = `Not yet proven. The newest mail as ${senders[0]} was refused`;
  for (const list of [customer, "/running?show=all"]) {
    await nora.open(list);
    const row = listed(nora, /^Setups/, word);
    await nora.sees(row.getByText("checked", { exact: true }), row.getByText("Reception Mailer", { exact: true }));
    await nora.seesNo(row.getByText("proven", { exact: true }));
  }
  assert.deepEqual(await history(nora, customer, setup, "proof.proven"), []);
  const before = await written(PROSEWARE);
  assert.deepEqual([before.groups, before.policies], [1, 1]);

  // Microsoft enforces it at last: the secret, and one button.
  await world.cloud.healthy();
  await nora.open(page);
  assert.deepEqual((await ticked(nora)).sort(), [...senders, ...refused].sort());
  await looks(nora, "prove again form");
  await proveAgain(nora, app.secret);
  await nora.comesToSee(now(nora).getByText(/^Finished: proven/));
  await nora.sees(
    proof(nora).getByText("proven", { exact: true }),
    now(nora).getByText(new RegExp(`as 1 of 1 permitted accepted, as ${refused.length} of ${refused.length} others refused`)),
  );
  assert.deepEqual(await written(PROSEWARE), before);
  assert.equal((await history(nora, customer, setup, "proof.proven")).length, 1);
});

scenario("field_b27 a managed identity is said to be one before the start, is asked for no secret, and is called proven nowhere", async () => {
  const NAME = "func-invoice-export";
  const WHY = "It is a managed identity: Azure signs it in, and there is no client secret with which Postern could send as it does.";
  const { nora, customer } = await engineer(FABRIKAM);
  await nora.open(customer);
  await nora.comesToSee(nora.link(`Confine ${NAME}`));
  await nora.link(`Confine ${NAME}`).click();
  await nora.comesToSee(nora.heading(`Confine ${NAME}`));
  await choose(nora, fabrikam("reception"), fabrikam("reception"));
  await nora.button("Next").click();
  await nora.comesToSee("Everything here has a default that works.");
  const asksForNothing = async () => {
    await nora.seesNo(nora.page.getByLabel(/secret/i), nora.page.getByRole("checkbox", { name: /real mail/i }));
    assert.equal(await nora.page.locator("input[type=password]").count(), 0, "a field for a secret");
  };
  await nora.sees("Real mail cannot prove this one.", WHY, /^What is left is weaker/);
  await asksForNothing();
  await looks(nora, "managed identity, details");
  await nora.button("Review").click();
  await nora.comesToSee("This is the whole plan.");
  await nora.sees(WHY, /^What is left is weaker/, "ends as checked: real mail cannot prove this one");
  await asksForNothing();
  await looks(nora, "managed identity, review");

  const page = await start(nora);
  const setup = idOf(page);
  await nora.comesToSee(now(nora).getByText(/^Finished: checked, not proven/));
  await nora.sees(
    now(nora).getByText(`Not tried with real mail. ${WHY}`),
    now(nora).getByText(/Real mail was not tried/),
    proof(nora).getByText("checked", { exact: true }),
  );
  await asksForNothing();
  await nora.seesNo(again(nora), nora.button(/prove/i));
  await looks(nora, "managed identity, finished");

  // The lists, the downloads and the history say the same.
  const SHORT = "Not tried with real mail: it is a managed identity.";
  for (const list of [customer, "/running?show=all"]) {
    await nora.open(list);
    const row = listed(nora, /^Setups/, NAME);
    await nora.sees(row.getByText("checked", { exact: true }), row.getByText(new RegExp(SHORT)));
    await nora.seesNo(row.getByText("proven", { exact: true }));
  }
  const standing = () => world.stack.database(`select level from reaches where name = '${NAME}'`);
  const unrestricted = "0";
  await nora.eventually(() => standing() !== unrestricted && world.scansRest());
  await nora.open(customer);
  const reach = nora.page.getByRole("region", { name: "Applications", exact: true }).getByRole("row").filter({ hasText: NAME });
  await nora.sees(reach.getByText("confined", { exact: true }));
  await nora.seesNo(reach.getByText("proven", { exact: true }));
  await nora.open(`/exposure?by=each&search=${NAME}`);
  await nora.sees(nora.row(NAME).getByText("confined", { exact: true }));
  await nora.seesNo(nora.row(NAME).getByText("proven", { exact: true }));
  const download = async (kind) => {
    const [file] = await Promise.all([nora.page.waitForEvent("download"), nora.link(kind).click()]);
    return readFileSync(await file.path(), "utf8");
  };
  const [head, ...lines] = (await download("CSV"))
    .trim()
    .split("\r\n")
    .map((line) => line.slice(1, -1).split('","'));
  const line = lines.find((cells) => cells[0] === NAME);
  assert.deepEqual([line[head.indexOf("confined")], line[head.indexOf("proven")]], ["1", "0"], head.join());
  const found = JSON.parse(await download("JSON")).find((row) => row.name === NAME);
  assert.deepEqual([found.tally.confined, found.tally.proven], [1, 0], JSON.stringify(found));
  assert.deepEqual(await history(nora, customer, setup, "proof.proven"), []);
  const [done] = await history(nora, customer, setup, "setup.done");
  assert.match(done.what, /^Finished as checked\. Not tried with real mail\. It is a managed identity/);

  // And what a rolled back one looks like.
  await nora.open(page);
  await nora.link("Roll back…").click();
  const question = nora.dialog(`Roll back ${NAME}?`);
  await nora.field(`Type ${NAME} to roll it back`, question).fill(NAME);
  await nora.button("Roll back", question).click();
  await nora.comesToSee(now(nora).getByText("Rolled back. Nothing of it is left."));
  await reaches(nora, "Policy", "undone");
  await looks(nora, "rolled back");
  await nora.open("/running?show=all");
  await nora.seesNo(listed(nora, /^Setups/, NAME).getByText(/real mail/));
});
