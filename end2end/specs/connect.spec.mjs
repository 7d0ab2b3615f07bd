// Connecting customers by delegated consent, and everything that can come in between.
import assert from "node:assert/strict";

import { openWorld } from "./support/world.mjs";

const world = openWorld("connect");
const { scenario } = world;

const FABRIKAM = "fabrikam.example";
const admin = (domain) => world.cloud.account(`admin@${domain}`);
const callbackRefused = [/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource: the server responded with a status of 4\d\d/];

/** Types a domain into the form and goes to Microsoft. */
async function ask(visitor, domain) {
  await visitor.open("/customers/connect");
  await visitor.field("Domain or tenant id").fill(domain);
  await visitor.follow(visitor.button("Go to Microsoft"));
}

/** Opens the customer's page from the list. */
async function openCustomer(visitor, domain) {
  await visitor.open(`/customers?search=${domain}`);
  await visitor.row(domain).getByRole("link").click();
  await visitor.sees(visitor.heading("Connection"));
}

const connection = (visitor) => visitor.page.getByRole("region", { name: "Connection" });
/** When Fabrikam was last read. */
const lastRead = () => world.stack.database(`select read_at from scans join customers c on c.id = customer_id where c.domain = '${FABRIKAM}'`);
const kinds = async (visitor) => {
  await visitor.link("History").click();
  await visitor.sees(visitor.heading("History"));
  return visitor.page.getByRole("region", { name: "History" }).locator("td > .strong").allInnerTexts();
};

scenario("an admin of another tenant is refused: Microsoft says why, and nothing is connected", async () => {
  const nora = await world.visitor({ as: "nora" });
  await ask(nora, FABRIKAM);
  // Microsoft asks at Fabrikam's own door.
  assert.match(nora.page.url(), new RegExp(admin(FABRIKAM).tenant_id));
  const other = world.cloud.accounts.find((one) => one.upn.startsWith("admin@") && one.tenant_id !== admin(FABRIKAM).tenant_id);
  await nora.atMicrosoft(other);
  assert.equal(nora.atPortal(), false);
  await nora.sees(/AADSTS50020/);
  await openCustomer(nora, FABRIKAM);
  await nora.sees(connection(nora).getByText("not connected"), nora.button("Sign in as their admin"), "Postern has no way into this tenant.");
});

scenario("the tenant that comes back must be the customer that was meant", async () => {
  const nora = await world.visitor({ as: "nora" });
  nora.expect(...callbackRefused);
  await ask(nora, FABRIKAM);
  // Somebody bends the way to another tenant: what that one answers, Fabrikam does not redeem.
  const other = world.cloud.accounts.find((one) => one.upn.startsWith("admin@") && one.tenant_id !== admin(FABRIKAM).tenant_id);
  await nora.page.goto(nora.page.url().replace(admin(FABRIKAM).tenant_id, other.tenant_id));
  await nora.atMicrosoft(other);
  assert.equal(nora.atPortal(), true);
  await nora.sees("This sign-in was used already, or it took too long.", nora.link("All customers"));
  await openCustomer(nora, FABRIKAM);
  await nora.sees(connection(nora).getByText("not connected"));
});

scenario("declined consent is told, stands in the history, and leaves the customer unconnected", async () => {
  const nora = await world.visitor({ as: "nora" });
  nora.expect(...callbackRefused);
  await ask(nora, FABRIKAM);
  const pages = await nora.atMicrosoft(admin(FABRIKAM), { consent: "Cancel" });
  assert.ok(pages.includes("Permissions requested"), pages.join(", "));
  await nora.sees(/consent/i);
  await openCustomer(nora, FABRIKAM);
  await nora.sees(connection(nora).getByText("not connected"));
  assert.ok((await kinds(nora)).includes("Consent refused"));
});

scenario("somebody who is no admin cannot consent for the organisation", async () => {
  const nora = await world.visitor({ as: "nora" });
  const user = world.cloud.accounts.find((one) => one.tenant_id === admin(FABRIKAM).tenant_id && !one.upn.startsWith("admin@"));
  await ask(nora, FABRIKAM);
  await nora.atMicrosoft(user);
  assert.equal(nora.atPortal(), false);
  await nora.sees("Need admin approval");
});

scenario("a domain that is none, or that no tenant has, is told beside the field and loses nothing", async () => {
  const nora = await world.visitor({ as: "nora" });
  nora.expect(/answered (4\d\d|502): POST .*\/api\/connect/, /Failed to load resource/);
  for (const wrong of ["not a domain", "nobody-has-this.example", "<script>alert(1)</script>", "../../etc"]) {
    await nora.open("/customers/connect");
    await nora.field("Domain or tenant id").fill(wrong);
    await nora.button("Go to Microsoft").click();
    await nora.sees(nora.page.locator(".wrong, .problem").filter({ hasText: /\w/ }));
    assert.equal(await nora.field("Domain or tenant id").inputValue(), wrong);
    assert.equal(nora.path(), "/customers/connect");
  }
});

scenario("an admin of the customer connects it: its page says who consented, to what, and what applications can do", async () => {
  const nora = await world.visitor({ as: "nora" });
  await ask(nora, FABRIKAM);
  const pages = await nora.atMicrosoft(admin(FABRIKAM));
  assert.ok(pages.includes("Permissions requested"), pages.join(", "));
  await nora.sees(nora.heading("Fabrikam A/S"), connection(nora).getByText("connected", { exact: true }));
  await nora.sees(connection(nora).getByText(admin(FABRIKAM).upn), "an admin of the customer signed in");
  await connection(nora)
    .getByText(/^\d+ permissions$/)
    .click();
  await nora.sees(connection(nora).getByText(/Application\.Read\.All/));

  // The applications by reach: read by itself as soon as it is connected.
  const mailer = nora.row("Reception Mailer");
  await nora.comesToSee(mailer);
  await nora.sees(
    mailer.getByText("unrestricted"),
    mailer.getByText(/^It can send mail; it reaches every mailbox/),
    mailer.getByText("No access policy names it."),
    mailer.getByText("Mail.Send", { exact: true }),
    mailer.getByText(/Tailspin Toys/),
  );
  await nora.sees(nora.link("Confine Reception Mailer"), /Who can reach whose mailboxes here, as read/);

  // Read again: everybody who looks sees that it is under way, and then the newer reading.
  const path = nora.path();
  const olivia = await world.visitor({ as: "olivia" });
  await olivia.open(path);
  await olivia.sees(olivia.row("Reception Mailer"));
  // What Entra granted at Exchange is known since the first reading.
  await connection(olivia)
    .getByText(/^\d+ permissions$/)
    .click();
  await olivia.sees(connection(olivia).getByText(/Exchange\.Manage/));
  const read = (await world.cloud.log()).length;
  await world.cloud.fault({ id: "slow", operation: "Get-ServicePrincipal", action: { hang: "before" } });
  await nora.follow(nora.button("Read again"));
  for (const person of [nora, olivia]) await person.comesToSee(/^Being read/);
  await world.cloud.healthy();
  for (const person of [nora, olivia]) await person.comesToSee(person.button("Read again"));
  await nora.sees(mailer);
  assert.ok((await world.cloud.log()).length > read, "nothing was read again");

  const said = await kinds(nora);
  for (const kind of ["Customer added", "Consent asked for", "Consent given"]) assert.ok(said.includes(kind), `${kind} is missing among ${said.join(", ")}`);
  const given = nora.row("Consent given").first();
  await given.locator("summary").click();
  await nora.sees(given.getByText("account"), given.locator("ins").getByText(admin(FABRIKAM).upn));
});

scenario("the same customer is never there twice", async () => {
  const nora = await world.visitor({ as: "nora" });
  await nora.connect(admin(FABRIKAM));
  await nora.open("/customers?search=fabrikam.example");
  assert.equal(await nora.page.getByRole("row").filter({ hasText: FABRIKAM }).count(), 1);
});

scenario("the customer's own admin connects it by a one-time link, without an account here", async () => {
  const domain = world.cloud.accounts
    .find((one) => one.upn.startsWith("admin@") && !one.upn.endsWith(FABRIKAM) && one.tenant_id !== world.stack.accounts.partner_tenant)
    .upn.split("@")[1];
  const nora = await world.visitor({ as: "nora" });
  await ask(nora, domain);
  await openCustomer(nora, domain);
  await nora.button("Make a link for their admin").click();
  const link = (await nora.page.getByText(/\/join\//).innerText()).trim();

  const theirs = await world.visitor({ name: "their admin" });
  await theirs.page.goto(link);
  await theirs.ready();
  await theirs.sees(theirs.heading("Connect your organisation"), "What Microsoft will ask");
  // Looking at the page does not use the link up.
  await theirs.page.reload();
  await theirs.ready();
  await theirs.follow(theirs.button("Sign in and consent"));
  await theirs.atMicrosoft(admin(domain));
  assert.equal(theirs.atPortal(), true);
  await theirs.sees(/Your organisation is connected: .* to Northwind IT/);
  assert.doesNotMatch(await theirs.page.locator("body").innerText(), /You are not signed in|could not/);

  await openCustomer(nora, domain);
  await nora.sees(
    connection(nora).getByText("connected", { exact: true }),
    connection(nora).getByText(admin(domain).upn),
    "the customer's admin followed a link",
  );

  const again = await world.visitor({ name: "too late" });
  await again.page.goto(link);
  await again.ready();
  await again.sees("This invitation was used.", "Ask your service provider for a new one.");
  await again.seesNo(again.button("Sign in and consent"));
});

scenario("an operator gets in through GDAP with their own account, once the customer has consented", async () => {
  const nora = await world.visitor({ as: "nora" });
  const partner = world.cloud.account("nora");
  const never = world.cloud.accounts.find((one) => one.upn.startsWith("admin@adventure"));
  nora.expect(...callbackRefused);
  await nora.open("/customers/connect");
  await nora.field("Domain or tenant id").fill(never.upn.split("@")[1]);
  await nora.page.getByRole("radio", { name: /^You, through GDAP/ }).check();
  await nora.follow(nora.button("Go to Microsoft"));
  await nora.atMicrosoft(partner);
  await nora.sees(
    "Postern is not authorised in this tenant for delegated admins of the partner.",
    "Have an admin of the customer consent once, or authorise Postern's application through Partner Center.",
  );
  await openCustomer(nora, never.upn.split("@")[1]);
  await nora.sees(connection(nora).getByText("not connected"));

  const path = await nora.connect(admin(FABRIKAM));
  await nora.open(path);
  const before = lastRead();
  await nora.follow(nora.button("Use GDAP"));
  await nora.atMicrosoft(partner);
  await nora.sees(connection(nora).getByText("connected", { exact: true }), connection(nora).getByText(partner.upn), "delegated admin privileges (GDAP)");
  // It is read with that account.
  await nora.eventually(async () => (await world.cloud.log("Get-ApplicationAccessPolicy")).at(-1)?.user === partner.upn);
  await nora.eventually(() => lastRead() !== before && world.scansRest());
  // The scenarios that follow go on as its admin.
  await nora.connect(admin(FABRIKAM));
});

scenario("a dead token: the page says what to do, and signing in again repairs it", async () => {
  const nora = await world.visitor({ as: "nora" });
  const path = await nora.connect(admin(FABRIKAM));
  await world.cloud.user({ upn: admin(FABRIKAM).upn, revoke: true });
  // Access tokens live in memory only, for an hour: a new process has none. Nobody looks meanwhile.
  await nora.page.goto("about:blank");
  await world.stack.stopPortal();
  await world.stack.startPortal();

  await nora.open(path);
  await nora.follow(nora.button("Read again"));
  await nora.comesToSee(nora.button("Sign in as their admin"));
  await nora.open(path);
  await nora.sees(connection(nora).getByText("needs attention"), nora.button("Sign in as their admin"));
  await nora.sees(connection(nora).locator(".happened"), connection(nora).locator(".todo"));
  await connection(nora).getByText("What Microsoft answered").click();
  await nora.sees(connection(nora).getByText(/AADSTS50173/));
  // The list says it too, and the navigation counts it.
  await nora.open("/customers?sort=health");
  await nora.sees(nora.row(FABRIKAM).getByText("needs attention"));
  await nora.sees(nora.page.getByRole("navigation", { name: "Main" }).getByText("need attention"));

  await nora.open(path);
  const before = lastRead();
  await nora.follow(nora.button("Sign in as their admin"));
  await nora.atMicrosoft(admin(FABRIKAM));
  await nora.sees(connection(nora).getByText("connected", { exact: true }));
  await nora.eventually(() => lastRead() !== before);
  const said = await kinds(nora);
  assert.ok(said.includes("Connection broken"), said.join(", "));
});

scenario("a part that cannot be read is said, and makes nothing look safe", async () => {
  const nora = await world.visitor({ as: "nora" });
  const path = await nora.connect(admin(FABRIKAM));
  await world.cloud.fault({
    operation: "Get-ApplicationAccessPolicy",
    action: { exchange_error: "The operation could not be performed.", type: "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException" },
  });
  try {
    await nora.open(path);
    await nora.follow(nora.button("Read again"));
    await nora.comesToSee("Not all of this customer could be read", /access policies: /, "What cannot be known without them counts as unknown, never as safe.");
    await nora.sees(nora.row("Reception Mailer").getByText("unknown", { exact: true }));
    await nora.seesNo(nora.row("Reception Mailer").getByText("confined"));
  } finally {
    await world.cloud.healthy();
  }
});

scenario("disconnecting asks for the name, forgets the token, and keeps the history", async () => {
  const nora = await world.visitor({ as: "nora" });
  nora.expect(/answered 422: POST .*\/api\/disconnect/, /Failed to load resource/);
  const path = await nora.connect(admin(FABRIKAM));
  await nora.open(path);
  const history = await kinds(nora);
  await nora.open(path);
  await nora.link("Disconnect…").click();
  const dialog = nora.dialog("Disconnect Fabrikam A/S?");
  await nora.sees(dialog.getByText("Postern forgets its token for this customer."));
  await nora.field("Type Fabrikam A/S to disconnect it", dialog).fill("Contoso");
  await nora.button("Disconnect", dialog).click();
  await nora.sees(dialog.getByText("“Contoso” is not the name of this customer."));
  assert.equal(
    world.stack.database(
      "select count(*) from connections where refresh_token is not null and customer_id = (select id from customers where domain like 'fabrikam.%')",
    ),
    "1",
  );

  await nora.field("Type Fabrikam A/S to disconnect it", dialog).fill("Fabrikam A/S");
  await nora.follow(nora.button("Disconnect", dialog));
  await nora.sees(connection(nora).getByText("disconnected", { exact: true }), "Postern has no way into this tenant.");
  assert.equal(
    world.stack.database(
      "select count(*) from connections where refresh_token is not null and customer_id = (select id from customers where domain like 'fabrikam.%')",
    ),
    "0",
  );
  assert.deepEqual(await kinds(nora), ["Disconnected", ...history]);
});
