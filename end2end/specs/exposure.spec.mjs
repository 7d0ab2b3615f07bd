// Who can reach whose mailboxes, over all customers: read by itself, shown, filtered, explained.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { QUICK } from "./support/setup.mjs";
import { openWorld } from "./support/world.mjs";

const world = openWorld("exposure");
const { scenario } = world;

const DOMAINS = ["fabrikam.example", "litware.example", "adventure-works.example"];

/** An engineer who looks after three customers that have been read. */
async function engineer(options) {
  const nora = await world.visitor({ as: "nora", ...options });
  await world.cloud.healthy();
  await world.cloud.delays(QUICK);
  const there = Number(world.stack.database("select count(*) from scans where read_at is not null"));
  for (const domain of DOMAINS.slice(there)) await nora.connect(world.cloud.account(`admin@${domain}`));
  await nora.eventually(() => world.stack.database("select count(*) from scans where read_at is not null") === String(DOMAINS.length) && world.scansRest());
  return nora;
}

const fabrikam = () => world.stack.database("select id from customers where domain = 'fabrikam.example'");

/** As the button on a customer's page does. */
async function readAgain(person, customer) {
  const answer = await person.post("scan_one", { customer });
  assert.ok(answer.ok(), `reading again: ${answer.status()}`);
}

/** The rows of the list. */
const listed = (person) => person.page.getByRole("region", { name: "Exposure", exact: true }).locator("tbody tr");

const sum = (numbers) => numbers.reduce((so_far, one) => so_far + one, 0);

const tile = async (person, words) => Number(await person.page.locator(".tile").filter({ hasText: words }).locator("b").innerText());

scenario("what is connected is read by itself, and the numbers add up", async () => {
  const nora = await engineer();
  await nora.open("/exposure");
  await nora.sees(nora.heading("Exposure"), nora.row("Reception Mailer"), /over 3 customers/);
  const open = await tile(nora, "can act as anyone, at");
  assert.ok(open >= 2, `${open} can act as anyone`);
  assert.equal(String(open), world.stack.database("select count(*) from reaches where level = 0"));
  // The navigation says the same.
  await nora.sees(
    nora.page
      .getByRole("navigation", { name: "Main" })
      .getByText(new RegExp(`^${open} can act as anyone$`))
      .first(),
  );

  // From the tile to each of them, and to why.
  await nora.page.locator(".tile.bad").click();
  await nora.page.waitForURL(/standing=unrestricted/);
  await nora.sees(nora.row("Reception Mailer"), nora.link(/^Confine Reception Mailer at/));
  assert.equal(await listed(nora).count(), open);
  await nora.row("Fabrikam A/S").getByRole("link", { name: "Reception Mailer", exact: true }).click();
  await nora.sees(
    nora.heading("Reception Mailer"),
    /It can send mail/,
    "Granted in Entra",
    "no access policy names it",
    "every mailbox",
    nora.link("Confine…"),
  );
  await nora.link("Confine…").click();
  await nora.sees(nora.heading("Confine Reception Mailer"), "Search mailboxes");
});

scenario("search, order and filter are in the address, with and without JavaScript", async () => {
  await engineer();
  for (const javaScript of [true, false]) {
    const nora = await world.visitor({ as: "nora", javaScript, name: javaScript ? "nora" : "plain" });
    await nora.open("/exposure");
    await nora.field("Search").fill("litware");
    await nora.field("Permission").selectOption("Mail.Send");
    await nora.follow(nora.button("Show"));
    assert.match(nora.path(), /search=litware&.*permission=Mail\.Send/);
    assert.equal(await nora.field("Search").inputValue(), "litware");
    await nora.sees(/^2 applications$/);
    await nora.link("By customer").click();
    // The address changes first; until the rows are there, the links are about the rows of before.
    await nora.sees(/^1 customer$/, nora.row("Litware Inc."));
    assert.match(nora.path(), /by=customer/);
    await nora.seesNo(nora.row("Fabrikam A/S"));
    const [download] = await Promise.all([nora.page.waitForEvent("download"), nora.link("CSV").click()]);
    const csv = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\r\n");
    assert.equal(csv.length, 2, csv.join("\n"));
    assert.match(csv[1], /^"Litware Inc\."/);
  }
});

scenario("all customers are read on demand, with progress that everybody sees, and can be stopped", async () => {
  const nora = await engineer();
  const olivia = await world.visitor({ as: "olivia" });
  await world.cloud.fault({ id: "slow", operation: "Get-ServicePrincipal", action: { hang: "before" } });
  // They are told of what happens from here on: their streams are open.
  for (const person of [nora, olivia]) await Promise.all([person.page.waitForResponse(/\/live\/setups$/), person.open("/exposure")]);
  await nora.follow(nora.button("Read all again"));
  for (const person of [nora, olivia]) await person.comesToSee("Reading all customers: 0 of 3", "3 at the moment");
  await world.cloud.healthy();
  for (const person of [nora, olivia]) await person.comesToSee(/begun by Nora Lindqvist .* 3 of 3 read/);
  await world.cloud.fault({ id: "slow", operation: "Get-ServicePrincipal", action: { hang: "before" } });
  await nora.follow(nora.button("Read all again"));
  await nora.comesToSee("3 at the moment");
  await nora.follow(nora.button("Cancel"));
  await nora.sees(/cancelled: 0 of 3 read/, nora.button("Read all again"));
  await world.cloud.healthy();
});

scenario("what could not be read is unknown, and says so", async () => {
  const nora = await engineer();
  const customer = fabrikam();
  await world.cloud.fault({
    operation: "Get-ApplicationAccessPolicy",
    action: { exchange_error: "The operation could not be performed.", type: "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException" },
  });
  await readAgain(nora, customer);
  const standing = () => world.stack.database(`select level from reaches where customer_id = '${customer}' and name = 'Reception Mailer'`);
  await nora.eventually(() => standing() === "2");
  await nora.open("/exposure?by=each&search=fabrikam");
  await nora.sees(nora.row("Reception Mailer").getByText("unknown"));
  await nora.row("Reception Mailer").getByRole("link", { name: "Reception Mailer", exact: true }).click();
  await nora.sees("What is not known", /The access policies: /);
  await world.cloud.healthy();

  // Exchange's own words are there for a support request, also in what only the server draws.
  await nora.open(`/customers/${customer}`);
  await nora.sees("Not all of this customer could be read");
  await nora.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await nora.page.getByText("What Microsoft answered").first().click();
  await nora.button("Copy for a support request").first().click();
  await nora.sees("Copied.");
  assert.match(
    await nora.page.evaluate(() => navigator.clipboard.readText()),
    /Message: The operation could not be performed\.[\s\S]*Request id: [0-9a-f-]{36}/,
  );
});

scenario("which applications reach a mailbox", async () => {
  const nora = await engineer();
  const customer = fabrikam();
  await nora.open(`/customers/${customer}`);
  await nora.sees("Applications that reach mailboxes", nora.row("Reception Mailer"));
  // Where its applications by reach stood before.
  await nora.open(`/customers/${customer}/reach?search=Reception`);
  assert.equal(nora.path(), `/customers/${customer}?search=Reception`);
  await nora.sees(nora.heading("Fabrikam A/S"), nora.row("Reception Mailer"));
  await nora.link("Who reaches a mailbox?").click();
  await nora.sees(nora.heading("Mailboxes"));
  await nora.field("Search mailboxes").fill("reception");
  await nora.follow(nora.button("Show"));
  await nora.link("Reception").click();
  await nora.sees(nora.heading("Who reaches reception@fabrikam.example"), nora.row("Reception Mailer").first());
});

scenario("a setup starts from any row: where it stands for several, one of them is chosen", async () => {
  const nora = await engineer();
  await nora.open("/exposure?by=permission");
  await nora.link("Confine Mail.Send: choose where").click();
  await nora.page.waitForURL(/permission=Mail\.Send/);
  await nora.sees("Which application, at which customer?", nora.link("Confine Reception Mailer at Fabrikam A/S"));
  await nora.open("/exposure?by=customer");
  await nora.link("Confine an application of Fabrikam A/S").click();
  await nora.comesToSee(nora.link("Choose Reception Mailer"));
});

scenario("while customers are read without a pause, the page keeps up", async () => {
  const nora = await engineer();
  await nora.open("/exposure");
  await world.cloud.fault({ id: "slow", operation: "Get-ServicePrincipal", action: { hang: "before" } });
  await nora.follow(nora.button("Read all again"));
  await nora.comesToSee("3 at the moment");
  // As a real fleet does: changes that never pause, for as long as it takes.
  const partner = world.stack.database("select id from partners limit 1");
  const changes = setInterval(() => world.stack.database(`select pg_notify('postern', '${JSON.stringify({ scans: partner })}')`), 150);
  try {
    await world.cloud.healthy();
    await nora.comesToSee(/begun by Nora Lindqvist .* 3 of 3 read/);
  } finally {
    clearInterval(changes);
  }
});

scenario("an auditor looks, and is offered nothing that changes anything", async () => {
  await engineer();
  const aksel = await world.visitor({ as: "aksel" });
  await aksel.open("/exposure?by=each");
  await aksel.sees(aksel.row("Reception Mailer"));
  await aksel.seesNo(aksel.button("Read all again"), aksel.link(/^Confine/));
  const customer = fabrikam();
  await aksel.open(`/customers/${customer}`);
  await aksel.sees(aksel.row("Reception Mailer"));
  await aksel.seesNo(aksel.button("Read again"), aksel.link(/^Confine/));
});

scenario("sixty more applications: pages, order, and the numbers of each day", async () => {
  const nora = await engineer();
  const name = (number) => `Bulk mailer ${String(number).padStart(2, "0")}`;
  for (let number = 1; number <= 60; number += 1)
    await world.cloud.newApplication({ tenant: "fabrikam.example", name: name(number), grants: ["graph:Mail.Read"] });
  await readAgain(nora, fabrikam());
  await nora.eventually(() => world.stack.database("select count(*) from reaches where name like 'Bulk mailer %'") === "60");

  const names = () => nora.page.locator("tbody tr td:first-child .strong").allInnerTexts();
  await nora.open("/exposure?search=bulk+mailer");
  await nora.sees("60 applications", "Page 1 of 2");
  assert.deepEqual(
    await names(),
    Array.from({ length: 50 }, (_, at) => name(at + 1)),
  );
  await nora.link("Next").click();
  await nora.sees("Page 2 of 2");
  assert.match(nora.path(), /search=bulk(\+|%20)mailer&page=2$/);
  assert.deepEqual(
    await names(),
    Array.from({ length: 10 }, (_, at) => name(at + 51)),
  );
  await nora.link("Previous").click();
  await nora.sees("Page 1 of 2");

  const order = async (words) => {
    await nora.open("/exposure");
    await nora.field("Order").selectOption(words);
    await nora.follow(nora.button("Show"));
  };
  await order("Name");
  const byName = await names();
  assert.deepEqual(
    byName,
    [...byName].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1)),
  );
  await order("Most customers");
  const customers = (await listed(nora).locator("td.num").allInnerTexts()).map(Number);
  assert.ok(customers[0] > customers.at(-1), customers.join());
  assert.deepEqual(
    customers,
    [...customers].sort((one, other) => other - one),
  );

  world.stack.database(`
    delete from reach_days where day < (select max(day) from reach_days);
    insert into reach_days select (jsonb_populate_record(d, jsonb_build_object('day', d.day - 1, 'unknown', d.unknown + 7))).* from reach_days d
    on conflict do nothing`);
  await nora.open("/exposure");
  await nora.sees(nora.heading("Day by day"));
  await nora.page.getByText("The numbers", { exact: true }).click();
  const rows = await nora.page
    .locator(".chart tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.querySelectorAll(".num")].map((cell) => Number(cell.textContent))));
  assert.equal(rows.length, 2);
  const [today, yesterday] = rows;
  // The first column counts those with a power.
  assert.equal(today[1], await tile(nora, "can act as anyone, at"));
  assert.equal(sum(today), sum((await nora.page.locator(".tile b").allInnerTexts()).map(Number)));
  assert.equal(yesterday[3], today[3] + 7);
});
