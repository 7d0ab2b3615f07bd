// The guided setup: from an application that can send as anyone to a proven end, and all the ways
// in which it can go otherwise. Each scenario confines an application of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { LONG, QUICK, choose, chosen, isUnreloaded, made, mark, reaches, start, toReview } from "./support/setup.mjs";
import { openWorld } from "./support/world.mjs";

// What is to wait for LONG, and the portal's patience with it, outlast what a slow machine needs.
const world = openWorld("setup", { speed: 200 });
const { scenario } = world;

const FABRIKAM = "fabrikam.example";
let fabrikam; // the path of its page

/** Somebody who is signed in, with Fabrikam connected and a cloud that answers at once. */
async function operator(as, options) {
  const person = await world.visitor({ as, ...options });
  await world.cloud.healthy();
  await world.cloud.delays(QUICK);
  fabrikam ??= await person.connect(world.cloud.account(`admin@${FABRIKAM}`));
  return person;
}

/** Ends and takes back what earlier scenarios left of ScanToMail, so that they do not stand in the way. */
async function tidy(person) {
  const active = world.stack.database(
    "select customer_id || ' ' || id from setups where ended_at is null and state not in ('done', 'cancelled', 'rolled_back')",
  );
  for (const line of active.split("\n").filter(Boolean)) {
    const [customer, setup] = line.split(" ");
    const answer = await person.post("cancel_setup", { customer, setup });
    assert.ok(answer.ok(), `cancelling ${setup}: ${answer.status()}`);
  }
  await rollBackAll(person, { application: "ScanToMail" });
}

const now = (person) => person.page.getByRole("region", { name: "Now" });
/** All that the database holds, as text. */
const everything = () =>
  world.stack
    .database("select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")
    .split("\n")
    .map((table) => world.stack.database(`select t::text from ${table} t`))
    .join("\n");

scenario("the whole setup of Reception Mailer, to proven: wizard, live page in two browsers, a reload, a lost connection", async () => {
  const mailer = world.cloud.application("Reception Mailer", FABRIKAM);
  const nora = await operator("nora");
  await tidy(nora);
  await world.cloud.delays({ group_graph: [LONG, LONG] });

  // Permitted senders, chosen by search from user and shared mailboxes.
  await nora.open(fabrikam);
  await nora.comesToSee(nora.link("Confine Reception Mailer"));
  await nora.link("Confine Reception Mailer").click();
  await nora.comesToSee(nora.heading("Confine Reception Mailer"));
  await nora.button("Next").click();
  await nora.comesToSee("No permitted sender was chosen.", "Choose at least one mailbox.");
  await choose(nora, "reception", `reception@${FABRIKAM}`);
  await choose(nora, "support", `support@${FABRIKAM}`);
  await nora.sees("2 chosen:");
  // What was chosen survives a reload.
  await nora.button("Next").click();
  await nora.comesToSee("Everything here has a default that works.");
  await nora.page.reload();
  await nora.ready();
  await nora.sees("Postern suggests these.");
  assert.equal(await nora.field("Group of permitted senders").inputValue(), "postern-reception-mailer");
  const refused = await chosen(nora, "Mailboxes that must be refused");
  assert.ok(refused.length >= 1, "no mailbox is suggested that must be refused");
  assert.ok(!refused.includes(`reception@${FABRIKAM}`));

  // Mistakes are told with a way to mend them, and lose nothing.
  nora.expect(/answered 422: POST .*\/api\/(review|start_setup)/, /Failed to load resource: the server responded with a status of 422/);
  await nora.field("Group of permitted senders").fill("mit Leerzeichen & Umläuten");
  await nora.button("Review").click();
  await nora.comesToSee("The group's name has characters that Exchange does not take in an alias.");
  await nora.link("Change the group and the mailboxes").click();
  await nora.comesToSee("Everything here has a default that works.");
  assert.equal(await nora.field("Group of permitted senders").inputValue(), "mit Leerzeichen & Umläuten");
  assert.deepEqual(await chosen(nora, "Mailboxes that must be refused"), refused);
  await nora.field("Group of permitted senders").fill("postern-reception-mailer");
  await nora.button("Review").click();
  await nora.comesToSee("This is the whole plan.");

  // The review: the exact cmdlets, and the script.
  const cmdlets = (await nora.page.getByRole("region", { name: "What changes in Exchange" }).locator("pre").allInnerTexts()).join("\n");
  for (const part of [
    /New-DistributionGroup/,
    /-Type +'Security'/,
    /Set-DistributionGroup/,
    /HiddenFromAddressListsEnabled/,
    /Add-DistributionGroupMember/,
    /New-ApplicationAccessPolicy/,
    /RestrictAccess/,
    new RegExp(mailer.app_id),
  ]) {
    assert.match(cmdlets, part);
  }
  await nora.text("PowerShell script, to run it by hand instead").click();
  const [download] = await Promise.all([nora.page.waitForEvent("download"), nora.link("Download").click()]);
  assert.equal(download.suggestedFilename(), "postern-reception-mailer.ps1");
  const script = readFileSync(await download.path(), "utf8");
  for (const part of ["New-ApplicationAccessPolicy", "Connect-ExchangeOnline", "-UseRPSSession", `reception@${FABRIKAM}`])
    assert.ok(script.includes(part), `${part} is missing in the script`);
  assert.ok(!script.includes(mailer.secret));
  // Every code page reads it alike, so it needs no byte order mark.
  assert.match(script, /^\p{ASCII}*$/u);

  // A secret that is none is told.
  await nora.field("Client secret of the application (can wait)").fill("6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4");
  await nora.button("Start the setup").click();
  await nora.comesToSee("This is the id of a secret, not the secret.");

  const page = await start(nora, mailer.secret);
  await mark(nora);

  // It waits for the directory, and says what for, since when, until when, and when it looks again.
  await reaches(nora, "Group visible", "waiting");
  await nora.sees(
    now(nora).getByText("Exchange shows the group, the directory does not yet."),
    now(nora).getByText(/^waiting \d/),
    now(nora).getByText(/^given up/),
    now(nora).getByText(/^looks again/),
  );
  const counter = now(nora).getByText(/^waiting \d/);
  const said = await counter.innerText();
  await nora.page.waitForFunction(([element, before]) => element.innerText !== before, [await counter.elementHandle(), said]);

  // A second browser watches; the first one reloads in the middle.
  const olivia = await operator("olivia");
  await olivia.open(page);
  await mark(olivia);
  await reaches(olivia, "Group visible", "waiting");
  await nora.page.reload();
  await nora.ready();
  await reaches(nora, "Group visible", "waiting");
  await mark(nora);

  // Evidence: what was sent, what came back, Microsoft's request id.
  const group = nora.page.getByRole("listitem").filter({ has: nora.step("Group", "done") });
  await group.getByText(/^Evidence \(\d+\)$/).click();
  await nora.sees(group.getByText(/New-DistributionGroup/).first(), group.getByText(/^request /).first(), group.getByText("change", { exact: true }).first());

  // The cloud goes on: both pages follow without being loaded again.
  await world.cloud.delays({ policy_enforcement: [LONG, LONG] });
  await world.cloud.advance(LONG);
  for (const person of [nora, olivia]) {
    await reaches(person, "Senders", "done");
    await reaches(person, "Policy", "done");
    await reaches(person, "Checked by Exchange", "done");
    await reaches(person, "Tried with real mail", "waiting");
    await person.sees(now(person).getByText(/Microsoft does not enforce the policy yet/));
    await isUnreloaded(person);
  }
  // Microsoft's caches lag: a mail went through that will be refused.
  await nora.sees(nora.page.getByRole("group", { name: "Real sends" }).getByText("went through").first());

  // The portal goes away and comes back: the pages say so, and catch up by themselves.
  for (const person of [nora, olivia])
    person.expect(
      /ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|CONNECTION_RESET|NETWORK_CHANGED|INTERNET_DISCONNECTED)/,
      /console warning: the numbers could not be read/,
    );
  await world.stack.stopPortal();
  for (const person of [nora, olivia]) await person.comesToSee("Connection lost, reconnecting.");
  await world.cloud.advance(LONG);
  await world.stack.startPortal();
  for (const person of [nora, olivia]) {
    await reaches(person, "Tried with real mail", "done");
    await person.comesToSee(now(person).getByText(/^Finished: proven/));
    await person.seesNo("Connection lost, reconnecting.");
    await isUnreloaded(person);
  }
  await nora.sees("The application's secret is gone from Postern.");

  // What really happened in the cloud.
  const { groups, policies } = await made(world.cloud, FABRIKAM);
  assert.equal(groups.length, 1);
  assert.equal(policies.length, 1);
  assert.equal(groups[0].members.length, 2);
  const outbox = await world.cloud.outbox();
  const froms = JSON.stringify(outbox);
  assert.ok(froms.includes(`reception@${FABRIKAM}`), "no mail arrived as the permitted sender");

  // The secret is gone: from the database, from the logs, from the page.
  assert.equal(world.stack.database("select count(*) from secrets"), "0");
  assert.ok(!everything().includes(mailer.secret), "the secret is in the database");
  assert.ok(!readFileSync(`${world.stack.logs}/portal.log`, "utf8").includes(mailer.secret), "the secret is in the log");
  assert.ok(!(await nora.page.content()).includes(mailer.secret), "the secret is in the page");

  // The customer's page now says what it can do.
  await nora.open(fabrikam);
  await nora.comesToSee(
    nora.row("Reception Mailer").getByText(/it reaches reception@fabrikam\.example and support@fabrikam\.example \(2 of \d+ mailboxes\)\./),
  );
  await nora.sees(nora.row("Reception Mailer").getByText("proven", { exact: true }), nora.row("Reception Mailer").getByText(/Policy: only members of/));
});

scenario("the history shows all of it: filters in the address, before and after, downloads, an unbroken chain", async () => {
  const olivia = await operator("olivia");
  await tidy(olivia);
  if (world.stack.database("select count(*) from events where kind = 'setup.done'") === "0") {
    await toReview(olivia, { customer: fabrikam, application: "ScanToMail", senders: [`reception@${FABRIKAM}`], group: "postern-for-history", prove: false });
    await start(olivia);
    await olivia.comesToSee(now(olivia).getByText(/^Finished/));
  }
  await olivia.open(`${fabrikam}/history`);
  const entries = olivia.page.getByRole("region", { name: "History" }).locator("tbody tr");
  for (const kind of ["consent.given", "setup.started", "step.done", "setup.done", "cloud.change"]) {
    await olivia.field("What").selectOption(kind);
    await olivia.button("Show").click();
    await olivia.page.waitForURL(new RegExp(`kind=${kind.replace(".", "\\.")}`));
    const title = await olivia.field("What").locator("option:checked").innerText();
    await olivia.seesNo(entries.filter({ hasNotText: title }));
    await olivia.sees(entries.first());
  }
  // Changes name before and after, and Microsoft's request ids.
  await entries.first().locator("summary").click();
  await olivia.sees(entries.first().getByText("Microsoft's request ids"), entries.first().getByText(/^Hash /));

  await olivia.link("Clear").click();
  await olivia.page.waitForURL(/\/history$/);
  await olivia.sees(olivia.row("Setup started"));
  const who = await olivia.row("Setup started").first().getByRole("cell").last().innerText();
  await olivia.field("Who").selectOption({ label: who });
  await olivia.button("Show").click();
  await olivia.page.waitForURL(/person=/);
  await olivia.sees(olivia.row("Setup started"));
  await olivia.seesNo(olivia.row("Step done"));

  await olivia.field("Who").selectOption({ label: "Everybody" });
  await olivia.field("From (UTC)").fill("2020-01-01");
  await olivia.field("To (UTC)").fill("2020-01-02");
  await olivia.button("Show").click();
  await olivia.comesToSee("No entries", "No entry fits the filter.");
  assert.match(olivia.path(), /from=2020-01-01&to=2020-01-02/);

  // More than a page of it, and nobody adds to it any more.
  for (let count = 0; count < 60; count += 1) {
    const answer = await olivia.post("reconnect", { customer: fabrikam.split("/").at(-1) });
    assert.ok(answer.status() < 400, `asking for consent: ${answer.status()}`);
  }
  await olivia.eventually(() => world.scansRest());

  // Downloads, filtered as the page is.
  await olivia.open(`${fabrikam}/history`);
  const total = Number(/^(\d+) entries/.exec(await olivia.text(/^\d+ entries\./).innerText())[1]);
  const fetchFile = async (name) => {
    const [download] = await Promise.all([olivia.page.waitForEvent("download"), olivia.link(name).click()]);
    assert.match(download.suggestedFilename(), new RegExp(`\\.${name.toLowerCase()}$`));
    return readFileSync(await download.path(), "utf8");
  };
  const events = JSON.parse(await fetchFile("JSON"));
  assert.equal(events.length, total);
  const inOrder = [...events].sort((one, other) => one.seq - other.seq);
  assert.deepEqual(
    inOrder.map((event) => event.seq),
    Array.from({ length: total }, (_, index) => index + 1),
  );
  for (const [index, event] of inOrder.entries()) assert.equal(event.previous_hash, index === 0 ? "0".repeat(64) : inOrder[index - 1].hash);
  const csv = await fetchFile("CSV");
  assert.match(csv, /^"number","time","who","kind","what"/);
  assert.ok(!csv.includes("\u0000"));
  for (const cell of csv.matchAll(/(?:^|,)"?([=+@-][^,"]*)/gm)) assert.match(cell[1], /^-?\d/, `a cell begins like a formula: ${cell[1]}`);

  await olivia.open(`${fabrikam}/history?kind=setup.started`);
  assert.ok(JSON.parse(await fetchFile("JSON")).every((event) => event.kind === "setup.started"));

  // Keyset pages: every entry once.
  await olivia.open(`${fabrikam}/history`);
  const numbers = [];
  let pages = 1;
  for (; ; pages += 1) {
    numbers.push(...(await entries.locator(".when .sub").allInnerTexts()).map((text) => Number(text.replace(/\D/g, ""))));
    const older = olivia.link("Older");
    if ((await older.count()) === 0) break;
    const last = olivia.path();
    await older.click();
    await olivia.page.waitForURL((url) => url.pathname + url.search !== last);
    await olivia.sees(entries.filter({ has: olivia.page.getByText(new RegExp(`^no\\. ${numbers.at(-1) - 1}$`)) }));
  }
  assert.ok(pages >= 2, `${total} entries on ${pages} page`);
  assert.deepEqual(
    numbers,
    Array.from({ length: total }, (_, index) => total - index),
  );
});

scenario("two operators, one application: the second is told about the first, in the wizard and at the start", async () => {
  const nora = await operator("nora");
  await tidy(nora);
  const olivia = await operator("olivia");
  await world.cloud.delays({ group_graph: [LONG, LONG] });
  const plan = { customer: fabrikam, application: "ScanToMail", senders: [`reception@${FABRIKAM}`], group: "postern-scan-one", prove: false };
  // Both are on the review; one is faster.
  await toReview(olivia, { ...plan, group: "postern-scan-two" });
  await toReview(nora, plan);
  const page = await start(nora);
  olivia.expect(/answered 409: POST .*start_setup/, /Failed to load resource/);
  await olivia.button("Start the setup").click();
  await olivia.comesToSee(
    "Nora Lindqvist has already started a setup for ScanToMail.",
    "Open the setup that runs. Cancel it there if yours is to run instead.",
  );

  await olivia.page.reload();
  await olivia.ready();
  await olivia.comesToSee("A setup for this application is under way already.", /Nora Lindqvist.*started it/);
  await olivia.seesNo(olivia.button("Start the setup"));
  await olivia.link("Open that setup").click();
  await olivia.comesToSee(olivia.heading("Confine ScanToMail"), /Started by Nora Lindqvist/);
  assert.equal(olivia.path(), page);

  // The list of what runs follows by itself.
  await olivia.open("/running");
  await mark(olivia);
  await olivia.sees(olivia.row("ScanToMail").getByText("waiting"));

  // Cancel: leaves things as they are, and says what is there.
  await reaches(nora, "Group visible", "waiting");
  await nora.link("Cancel…").click();
  const question = nora.dialog("Cancel this setup?");
  await nora.sees(question.getByText(/^The group postern-scan-one/));
  await nora.page.keyboard.press("Escape");
  await question.waitFor({ state: "hidden" });
  await nora.link("Cancel…").click();
  await nora.button("Cancel the setup", question).click();
  await nora.comesToSee(now(nora).getByText("Cancelled. This is there:"), now(nora).getByText(/^The group postern-scan-one/));
  await nora.seesNo(nora.link("Cancel…"));
  await olivia.comesToSee("Nothing is running");
  await isUnreloaded(olivia);
  const { groups, policies } = await made(world.cloud, FABRIKAM);
  assert.ok(
    groups.some((group) => JSON.stringify(group).includes("postern-scan-one")),
    "cancelling removed the group",
  );
  assert.ok(!policies.some((policy) => JSON.stringify(policy).includes("postern-scan-one")));
  // Nothing goes on behind the page: its last job ends, and leaves all as it is.
  const there = async () => {
    const state = await made(world.cloud, FABRIKAM);
    // What shows them changes with time alone.
    const lasting = ({ seen_by_graph: _graph, seen_by_exchange: _exchange, ...rest }) => rest;
    return { groups: state.groups.map(lasting), policies: state.policies };
  };
  const before = await there();
  await world.cloud.advance(LONG);
  await nora.eventually(
    () => world.stack.database(`select count(*) from graphile_worker._private_jobs where payload ->> 'setup' = '${page.split("/").at(-1)}'`) === "0",
  );
  assert.deepEqual(await there(), before);
  await nora.page.reload();
  await nora.ready();
  await nora.sees(now(nora).getByText("Cancelled. This is there:"));
});

scenario("a failed step is told in three lines, is tried again, and without the secret the setup ends as checked", async () => {
  const nora = await operator("nora");
  await tidy(nora);
  await world.cloud.fault({
    operation: "New-ApplicationAccessPolicy",
    action: { exchange_error: "The application access policy could not be created.", type: "Microsoft.Exchange.Management.Tasks.RecipientTaskException" },
  });
  await toReview(nora, { customer: fabrikam, application: "ScanToMail", senders: [`support@${FABRIKAM}`], group: "postern-scan-retry", prove: true });
  await start(nora);
  await reaches(nora, "Policy", "failed");
  const problem = now(nora);
  await nora.sees(problem.locator(".happened"), problem.locator(".todo"));
  await problem.getByText("What Microsoft answered").click();
  await nora.sees(problem.getByText(/could not be created/), problem.getByText("Request id"));
  // It holds the application until somebody decides.
  await nora.open("/running");
  await nora.sees(nora.row("ScanToMail").getByText("failed"));
  await nora.row("ScanToMail").getByRole("link", { name: "ScanToMail" }).click();
  await nora.comesToSee(nora.button("Try again"));
  await world.cloud.healthy();
  await nora.button("Try again").click();
  await reaches(nora, "Checked by Exchange", "done");

  // It needs the secret now, and says so; a wrong one is told.
  await nora.comesToSee(now(nora).getByText("This needs you."), now(nora).getByText(/Needs the application's client secret/));
  nora.expect(/answered 422: POST .*give_secret/, /Failed to load resource: the server responded with a status of 422/);
  await nora.field("Client secret of the application", now(nora)).fill("two words");
  await nora.button("Prove it").click();
  await nora.sees("This does not look like a client secret.");
  await nora.button("Finish without real mail").click();
  await nora.comesToSee(now(nora).getByText(/^Finished: checked/), "Exchange's own test agrees with the plan.");
  await reaches(nora, "Tried with real mail", "skipped");
  const { groups, policies } = await made(world.cloud, FABRIKAM);
  assert.equal(groups.filter((group) => JSON.stringify(group).includes("postern-scan-retry")).length, 1);
  assert.equal(
    policies.filter(
      (policy) => JSON.stringify(policy).includes("postern-scan-retry") || policy.app_id === world.cloud.application("ScanToMail", FABRIKAM).app_id,
    ).length,
    1,
  );
});

scenario("a wrong secret fails the proof with Microsoft's words; the right one, given on the page, ends it", async () => {
  const nora = await operator("nora");
  await tidy(nora);
  const app = world.cloud.application("ScanToMail", FABRIKAM);
  await toReview(nora, { customer: fabrikam, application: "ScanToMail", senders: [`support@${FABRIKAM}`], group: "postern-scan-secret", prove: true });
  await start(nora, "wrong~Q8~secret");
  await reaches(nora, "Tried with real mail", "failed");
  await now(nora).getByText("What Microsoft answered").click();
  await nora.sees(now(nora).getByText(/AADSTS7000215/));
  // What to do next stands right there.
  await nora.field("Client secret of the application", now(nora)).fill(app.secret);
  await nora.button("Prove it", now(nora)).click();
  await nora.comesToSee(now(nora).getByText(/^Finished: proven/));
  assert.equal(world.stack.database("select count(*) from secrets"), "0");
});

scenario("rolling back asks for the name, and removes policy and group in the cloud", async () => {
  const nora = await operator("nora");
  await tidy(nora);
  await toReview(nora, { customer: fabrikam, application: "ScanToMail", senders: [`support@${FABRIKAM}`], group: "postern-scan-back", prove: false });
  await start(nora);
  await nora.comesToSee(now(nora).getByText(/^Finished: checked/));
  await rollBackAll(nora, { wrongNameFirst: true });
  const { groups, policies } = await made(world.cloud, FABRIKAM);
  assert.deepEqual(policies, []);
  assert.ok(!groups.some((group) => ["postern-scan-back", "postern-reception-mailer"].includes(group.name)), "a group is left");
  // The applications can do again what they could do before, and the page says so.
  await nora.open(fabrikam);
  await nora.comesToSee(nora.row("ScanToMail").getByText("unrestricted"));
});

/** Rolls back every setup of Fabrikam (of one application) that left a policy. */
async function rollBackAll(person, { wrongNameFirst = false, application = "" } = {}) {
  const open = world.stack
    .database("select id || ' ' || application_name from setups where proof <> 'none' and state in ('done', 'failed', 'cancelled') order by started_at desc")
    .split("\n")
    .filter((line) => line.includes(application || " "));
  for (const line of open) {
    const [id, ...words] = line.split(" ");
    const name = words.join(" ");
    await person.open(`${fabrikam}/setups/${id}`);
    await person.link("Roll back…").click();
    const question = person.dialog(`Roll back ${name}?`);
    await person.sees(
      question.getByText(`Removes the access policy for ${name}.`),
      question.getByText(/^Deletes the group/),
      question.getByText(`Afterwards ${name} can do again what it could do before the setup.`),
    );
    if (wrongNameFirst) {
      person.expect(/answered 422: POST .*roll_back/, /Failed to load resource: the server responded with a status of 422/);
      await person.field(`Type ${name} to roll it back`, question).fill("Something else");
      await person.button("Roll back", question).click();
      await person.sees(question.getByText("“Something else” is not the name of the application."));
    }
    await person.field(`Type ${name} to roll it back`, question).fill(name);
    await person.button("Roll back", question).click();
    await question.waitFor({ state: "hidden" });
    await person.comesToSee(now(person).getByText("Rolled back. Nothing of it is left."));
    await reaches(person, "Policy", "undone");
    await reaches(person, "Group", "undone");
    await person.seesNo(person.link("Roll back…"));
  }
}
