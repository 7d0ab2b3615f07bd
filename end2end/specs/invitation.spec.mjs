// An invitation from start to end: what the customer's own admin reads before consenting, and what
// both sides are told of it.
import assert from "node:assert/strict";

import { violations } from "./support/accessibility.mjs";
import { shoot } from "./support/results.mjs";
import { openWorld } from "./support/world.mjs";

const world = openWorld("invitation");
const { scenario } = world;

const CONTOSO = "contoso.example";
const ADMIN = `admin@${CONTOSO}`;
const refused = [/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource: the server responded with a status of 4\d\d/];

/** The page as a picture in light, dark and narrow, and what is wrong with it for a screen reader. */
async function look(visitor, name) {
  const { page } = visitor;
  const problems = [];
  for (const [how, scheme, width] of [
    ["light", "light", 1280],
    ["dark", "dark", 1280],
    ["360", "light", 360],
  ]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await shoot(page, "invitation", `${name} ${how}`);
    problems.push(...(await violations(page)).map((line) => `${name}, ${how}: ${line}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) problems.push(`${name}, ${how}: ${wide} px too wide`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(problems, []);
}

/** The customer's page of somebody of the partner; adds the customer if it is new. */
async function customer(visitor) {
  await visitor.open(`/customers?search=${CONTOSO}`);
  if ((await visitor.row(CONTOSO).count()) === 0) {
    await visitor.open("/customers/connect");
    await visitor.sees(/connects their organisation to Northwind IT \(northwind-it\.example\)/);
    await visitor.field("Domain or tenant id").fill(CONTOSO);
    await visitor.follow(visitor.button("Go to Microsoft"));
    await visitor.open(`/customers?search=${CONTOSO}`);
  }
  await visitor.row(CONTOSO).getByRole("link").click();
  await visitor.sees(visitor.heading("Connection"));
}

const open = (visitor) => visitor.page.getByRole("table", { name: "Open invitations" }).or(visitor.page.getByRole("region", { name: "Open invitations" }));

/** Makes a link on the customer's page. */
async function invite(visitor) {
  await visitor.button("Make a link for their admin").click();
  const link = visitor.page.getByText(/\/join\//);
  await visitor.sees(link, open(visitor));
  return (await link.innerText()).trim();
}

async function follow(visitor, link) {
  await visitor.page.goto(link);
  await visitor.ready();
}

scenario("their admin reads who asks, for whom and for what, sees Microsoft's page, and is told what came of it", async () => {
  const nora = await world.visitor({ as: "nora", axe: true });
  const partner = world.cloud.account("nora");
  await customer(nora);
  const link = await invite(nora);
  await nora.sees(open(nora).getByText(partner.upn), "nobody has gone to Microsoft with it yet");
  await look(nora, "the customer's page with an invitation");

  const theirs = await world.visitor({ name: "their admin", axe: true });
  await follow(theirs, link);
  await theirs.sees(theirs.heading("Connect your organisation"), /Northwind IT \(northwind-it\.example\) asks to look after .*contoso/i);
  for (const [what, said] of [
    ["Who asks", "northwind-it.example"],
    ["For", CONTOSO],
    ["Invitation made by", partner.upn],
    ["Made", /today/],
    ["Made", /good until/],
  ]) {
    const fact = theirs.page.locator("dl.summary > div").filter({ has: theirs.page.getByText(what, { exact: true }) });
    await theirs.sees(fact.getByText(said));
  }
  await theirs.sees("What Microsoft will ask", "Read the directory.", "Stay connected.", /Exchange Administrator or Global Administrator/);
  await look(theirs, "before the consent");

  await theirs.follow(theirs.button("Sign in and consent"));
  const pages = await theirs.atMicrosoft(world.cloud.account(ADMIN));
  assert.ok(pages.includes("Permissions requested"), pages.join(", "));
  assert.equal(theirs.atPortal(), true);
  await theirs.sees(/Your organisation is connected: .* to Northwind IT \(northwind-it\.example\)/, /can now look after .* as admin@contoso\.example/);
  assert.equal(await theirs.page.getByRole("link", { name: /Sign in|Try again/ }).count(), 0);
  await look(theirs, "after the consent");

  await customer(nora);
  await nora.sees(nora.page.getByRole("region", { name: "Connection" }).getByText(ADMIN), "the customer's admin followed a link");
  await nora.seesNo(open(nora));
  const late = await world.visitor({ name: "too late", axe: true });
  await follow(late, link);
  await late.sees("This invitation was used.", "Northwind IT");
  await late.seesNo(late.button("Sign in and consent"));
  await look(late, "used");
});

scenario("an invitation that was revoked says so, and offers nothing", async () => {
  const nora = await world.visitor({ as: "nora" });
  await customer(nora);
  const link = await invite(nora);
  await nora.button("Revoke").click();
  await nora.seesNo(open(nora), nora.page.getByText(/\/join\//));
  const theirs = await world.visitor({ name: "their admin", axe: true });
  await follow(theirs, link);
  await theirs.sees("This invitation was revoked.", "Ask your service provider for a new one.");
  await theirs.seesNo(theirs.button("Sign in and consent"));
  await look(theirs, "revoked");
  await follow(theirs, link.slice(0, -5));
  await theirs.sees("There is no such invitation.");
  await nora.link("History").click();
  await nora.sees("One-time link revoked");
});

scenario("somebody who may not consent leaves the invitation as it is: the partner reads that it waits", async () => {
  const nora = await world.visitor({ as: "nora", axe: true });
  await customer(nora);
  const link = await invite(nora);
  const user = await world.visitor({ name: "their user" });
  await follow(user, link);
  await user.follow(user.button("Sign in and consent"));
  await user.atMicrosoft({ upn: `user@${CONTOSO}`, password: "demo" });
  await user.sees("Need admin approval");
  await customer(nora);
  await nora.sees("waiting for an administrator");

  const theirs = await world.visitor({ name: "their admin", axe: true });
  theirs.expect(...refused);
  await follow(theirs, link);
  await theirs.follow(theirs.button("Sign in and consent"));
  await theirs.atMicrosoft(world.cloud.account(ADMIN), { consent: "Cancel" });
  await theirs.sees("Microsoft sent you back without a consent.", /asked an administrator for approval, or declined.*still good until/);
  await look(theirs, "declined");
  await customer(nora);
  await nora.sees("asked for approval, or declined");
  await look(nora, "the customer's page after it was declined");
  await nora.button("Revoke").click();
  await nora.seesNo(open(nora));
});

scenario("an account without the role does not take the place of one that works, and both sides read it", async () => {
  const apps = `apps@${CONTOSO}`;
  await world.cloud.user({ upn: apps, create: true, password: "demo", roles: ["Cloud Application Administrator"] });
  const nora = await world.visitor({ as: "nora", axe: true });
  await customer(nora);
  const link = await invite(nora);
  const theirs = await world.visitor({ name: "another admin", axe: true });
  theirs.expect(...refused);
  await follow(theirs, link);
  await theirs.follow(theirs.button("Sign in and consent"));
  await theirs.atMicrosoft({ upn: apps, password: "demo" });
  await theirs.sees(
    /apps@contoso\.example holds neither Exchange Administrator nor Global Administrator/,
    /Northwind IT .* is connected with admin@contoso\.example already/,
  );
  await look(theirs, "kept");
  await customer(nora);
  const connection = nora.page.getByRole("region", { name: "Connection" });
  await nora.sees(connection.getByText(/apps@contoso\.example consented/), nora.button("Sign in and change the account"));
  await nora.sees(connection.locator("dl").getByText(ADMIN));
  await look(nora, "the customer's page, kept");
});
