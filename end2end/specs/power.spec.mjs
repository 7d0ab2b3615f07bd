// An application that goes around every confinement: from the list, through why, to the warning
// before a setup. Leaves pictures in end2end/results/power.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { looksWell } from "./support/looks.mjs";
import { QUICK, choose } from "./support/setup.mjs";
import { openWorld } from "./support/world.mjs";

const world = openWorld("power");
const { scenario } = world;

const DOMAIN = "margiestravel.example";

/** An engineer, once the customer has been read. */
async function engineer(options) {
  const nora = await world.visitor({ as: "nora", axe: true, ...options });
  await world.cloud.healthy();
  await world.cloud.delays(QUICK);
  const there = () => world.stack.database("select count(*) from scans where read_at is not null") === "1";
  if (!there()) await nora.connect(world.cloud.account(`admin@${DOMAIN}`));
  await nora.eventually(() => there() && world.scansRest());
  return nora;
}

const looks = (person, name) => looksWell(person, "power", name);

scenario("reach_r01 an application with a power, from the list to the warning before a setup", async () => {
  const nora = await engineer();
  await nora.open("/exposure?by=each");
  await nora.page.locator(".tile").filter({ hasText: "can go around every confinement" }).click();
  await nora.page.waitForURL(/standing=power/);
  await nora.sees(nora.row("Backup Suite"), nora.row("Tenant Rollout"));
  // It holds nothing of its own.
  await nora.seesNo(nora.row("Tailspin CRM"));
  await looks(nora, "exposure");

  await nora.row("Backup Suite").getByRole("link", { name: "Backup Suite", exact: true }).click();
  await nora.sees(
    nora.heading("Backup Suite"),
    /No policy holds it: it can administer Exchange/,
    "What goes around every confinement",
    /directory role Exchange Administrator/,
  );
  await looks(nora, "application");

  await nora.link("Confine…").click();
  await nora.sees(nora.heading("Confine Backup Suite"), "A policy does not hold Backup Suite", /goes on beside the policy/);
  await looks(nora, "wizard");
  await choose(nora, `reception@${DOMAIN}`, `reception@${DOMAIN}`);
  await nora.button("Next").click();
  await nora.comesToSee("Everything here has a default that works.");
  await nora.button("Review").click();
  await nora.comesToSee("This is the whole plan.");
  await nora.sees("A policy does not hold Backup Suite", /It can administer Exchange/, /goes on beside the policy/);
  assert.equal(await nora.page.getByText("A policy does not hold Backup Suite").count(), 1, "said once");
  // What stays open has to be ticked: the browser says so before the server would.
  await nora.sees("Confirm what stays open to Backup Suite", nora.page.getByRole("checkbox", { name: /It can administer Exchange/ }));
  assert.equal(await nora.page.getByRole("checkbox", { name: /It can administer Exchange/ }).getAttribute("required"), "");
  await looks(nora, "review");
});

scenario("reach_r05 who acts for people is told apart, and nobody is called safe for it", async () => {
  const nora = await engineer();
  const customer = world.stack.database(`select id from customers where domain = '${DOMAIN}'`);
  await nora.open(`/customers/${customer}`);
  const acting = nora.page.getByRole("region", { name: "Acts as whoever signs in to it" });
  await nora.sees(acting.getByRole("row").filter({ hasText: "Tailspin CRM" }), acting.getByText(/everybody who signs in to it/).first());
  const list = nora.page.getByRole("region", { name: "Applications", exact: true });
  assert.equal(await list.getByRole("row").filter({ hasText: "Tailspin CRM" }).count(), 0);
  await looks(nora, "customer");
  await acting.getByRole("link", { name: "Tailspin CRM" }).click();
  await nora.sees(nora.heading("Tailspin CRM"), /holds no permission that reaches mailboxes without a signed-in user/);
  await looks(nora, "delegated");

  const object = world.stack.database("select object from reaches where name = 'Backup Suite'");
  assert.ok(object);
  await nora.open(`/customers/${customer}/mailboxes`);
  await nora.page.getByRole("region", { name: "Mailboxes" }).getByRole("link").first().click();
  await nora.sees(/^Who reaches/, nora.row("Backup Suite"), nora.row("Tenant Rollout"), "goes around every confinement");
  await looks(nora, "mailbox");
});

scenario("reach_r08 who signs in without a secret is told", async () => {
  const nora = await engineer();
  const customer = world.stack.database(`select id from customers where domain = '${DOMAIN}'`);
  for (const [name, ...said] of [
    ["Release Notes", /Whoever is “repo:margie\/releases:ref:refs\/heads\/main” for https:\/\/token\.actions\.githubusercontent\.com signs in as it/],
    ["Guest Survey", /It has 2 owners, each of whom can add a secret/],
  ]) {
    const object = world.stack.database(`select object from reaches where name = '${name}'`);
    await nora.open(`/customers/${customer}/applications/${object}`);
    await nora.sees(nora.heading(name), ...said);
    await nora.seesNo(nora.page.getByText(/nobody can sign in as it/));
    await looks(nora, name);
  }
});

scenario("reach_r01 downloads name powers and what acts for people", async () => {
  const nora = await engineer();
  await nora.open("/exposure?by=each");
  const [download] = await Promise.all([nora.page.waitForEvent("download"), nora.link("CSV").click()]);
  const csv = readFileSync(await download.path(), "utf8")
    .trim()
    .split("\r\n");
  const line = csv.find((one) => one.includes("Backup Suite"));
  assert.match(csv[0], /"?powers"?.*acts as whoever signs in/);
  assert.match(line, /Exchange Administrator/);
});
