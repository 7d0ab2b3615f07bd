// Signing in and out: who gets in, who waits, who is refused, and that nothing half is left.
import assert from "node:assert/strict";

import { openWorld } from "./support/world.mjs";

const world = openWorld("sign-in");
const { scenario } = world;

/** The address with which the cloud sends the browser back, caught before the portal sees it. */
async function catchCallback(visitor, account) {
  let caught;
  const atCloud = (url) => url.origin === new URL(world.stack.cloud).origin;
  await visitor.context.route(atCloud, async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const to = response.headers().location;
    if (!to?.startsWith(`${world.stack.portal}/auth/callback`)) return route.fulfill({ response });
    caught = to;
    return route.fulfill({ status: 200, contentType: "text/html", body: "<!DOCTYPE html><title>Held</title><h1>Held</h1>" });
  });
  await visitor.signIn(account);
  await visitor.context.unroute(atCloud);
  assert.ok(caught, "the cloud did not send the browser back");
  return caught;
}

/** Nobody is signed in in this browser: a page that needs somebody leads to the start page. */
async function isOutside(visitor) {
  await visitor.open("/customers");
  assert.equal(decodeURIComponent(visitor.path()), "/?return_to=/customers");
  await visitor.sees(visitor.link("Sign in with Microsoft"));
}

/** A page that tells a failed sign-in: three lines, a way on, and no session. */
async function isRefused(visitor, ...texts) {
  await visitor.sees(...texts);
  await visitor.sees(visitor.link(/again|start/i));
  await isOutside(visitor);
}

scenario("the first to sign in becomes the owner, later ones wait until an owner gives them a role", async () => {
  const olivia = await world.visitor({ name: "olivia" });
  await olivia.open("/");
  await olivia.sees(olivia.heading("A small gate in front of every mailbox"));
  await olivia.follow(olivia.link("Sign in with Microsoft"));
  await olivia.atMicrosoft(world.cloud.account("olivia"));
  assert.equal(olivia.path(), "/customers");
  await olivia.sees(olivia.heading("Customers"), "No customer yet");
  await olivia.open("/account");
  await olivia.sees(olivia.heading("Olivia Berg"), "owner");

  const nora = await world.visitor({ name: "nora" });
  await nora.signIn(world.cloud.account("nora"));
  assert.equal(nora.path(), "/waiting");
  await nora.sees(nora.heading("An owner has to let you in"), "you have no role yet");
  // Waiting means waiting: no page of the inside opens.
  await nora.open("/customers");
  assert.equal(nora.path(), "/waiting");

  await olivia.open("/people");
  await olivia.sees(olivia.row("nora@").getByText("waits for a role"));
  await olivia.giveRole(world.cloud.account("nora"), "Engineer");
  await olivia.seesNo(olivia.row("nora@").getByText("waits for a role"));

  await nora.open("/waiting");
  assert.equal(nora.path(), "/customers");
  await nora.sees(nora.link("Connect a customer"));
  // Roles are an owner's affair.
  await nora.seesNo(nora.link("People"));
  nora.expect(/403/);
  await nora.open("/people");
  await nora.sees(nora.heading("Not allowed"), "This needs the role owner.");
});

scenario("the last owner stays one", async () => {
  const olivia = await world.visitor({ as: "olivia" });
  await olivia.open("/people");
  olivia.expect(/answered 409: POST .*set_role/, /Failed to load resource/);
  const row = olivia.row("olivia@");
  await row.getByRole("combobox").selectOption({ label: "Auditor" });
  await olivia.button("Save", row).click();
  await olivia.sees(olivia.page.getByRole("alert").getByText(/owner/));
  await olivia.open("/people");
  assert.equal(await olivia.row("olivia@").getByRole("combobox").inputValue(), "owner");
});

scenario("a wrong password stays at Microsoft", async () => {
  const visitor = await world.visitor();
  await visitor.signIn({ ...world.cloud.account("olivia"), password: "wrong" });
  assert.equal(visitor.atPortal(), false);
  await visitor.sees(visitor.page.getByRole("alert"));
  await isOutside(visitor);
});

scenario("somebody of a foreign tenant is refused with a clear page", async () => {
  const visitor = await world.visitor();
  visitor.expect(/403/);
  const stranger = world.cloud.account("admin@fabrikam");
  await visitor.signIn(stranger);
  await isRefused(visitor, `${stranger.upn} does not belong to an organisation that uses this Postern.`, /Sign in with your work account/);
});

scenario("a cancelled consent is told, and can be tried again", async () => {
  // Nobody of this tenant has consented yet: Microsoft asks.
  const stranger = world.cloud.account("user@contoso");
  const visitor = await world.visitor();
  visitor.expect(/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource/);
  const pages = await visitor.signIn(stranger, { consent: "Cancel" });
  assert.ok(pages.includes("Permissions requested"), `Microsoft showed ${pages.join(", ")}`);
  await isRefused(visitor, /consent/i);
});

scenario("an attempt works once, in its own browser, and for ten minutes", async () => {
  const olivia = world.cloud.account("olivia");

  const first = await world.visitor({ name: "first" });
  first.expect(/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource/);
  const callback = await catchCallback(first, olivia);

  // Another browser brings the same address: it did not begin this.
  const thief = await world.visitor({ name: "thief" });
  thief.expect(/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource/);
  await thief.page.goto(callback);
  await isRefused(thief, "This sign-in was not begun in this browser in the last ten minutes, or it was finished before.");

  // Its own browser is let in, once.
  await first.page.goto(callback);
  assert.equal(first.path(), "/customers");
  await first.page.goto(callback);
  await first.sees("This sign-in was not begun in this browser in the last ten minutes, or it was finished before.");

  // A made-up state, and none.
  for (const query of ["?code=x&state=made-up", "", "?error=server_error", "?state=%00&code=%ff"]) {
    await thief.page.goto(`${world.stack.portal}/auth/callback${query}`);
    await isRefused(thief, /was not begun in this browser|could not/);
  }

  // Too late.
  const late = await world.visitor({ name: "late" });
  late.expect(/answered 4\d\d: GET .*\/auth\/callback/, /Failed to load resource/);
  const tooLate = await catchCallback(late, olivia);
  world.stack.database("update sign_ins set created_at = created_at - interval '11 minutes', expires_at = expires_at - interval '11 minutes'");
  await late.page.goto(tooLate);
  await isRefused(late, /The sign-in took 11 min/, "Start again.");
});

scenario("signing in leads back to the page that was asked for, and never to another site", async () => {
  const visitor = await world.visitor();
  await visitor.open("/running?show=all");
  assert.match(visitor.path(), /^\/\?return_to=/);
  await visitor.follow(visitor.link("Sign in with Microsoft"));
  await visitor.atMicrosoft(world.cloud.account("olivia"));
  assert.equal(visitor.path(), "/running?show=all");

  for (const wrong of ["//evil.example/", "https://evil.example/", "/\\evil.example"]) {
    const other = await world.visitor();
    await other.page.goto(`${world.stack.portal}/auth/sign-in?return_to=${encodeURIComponent(wrong)}`);
    await other.atMicrosoft(world.cloud.account("olivia"));
    assert.equal(other.path(), "/customers", wrong);
  }
});

scenario("sessions are listed, end one by one, and all at once", async () => {
  const olivia = world.cloud.account("olivia");
  const [desk, phone, train] = await Promise.all(
    ["desk", "phone", "train"].map((name) =>
      world.visitor({
        name,
        ...(name === "phone" && {
          userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
        }),
      }),
    ),
  );
  for (const one of [desk, phone, train]) {
    await one.signIn(olivia);
    // A page that is open when its session ends may ask once more, and its stream connects again: both are refused.
    const asked = String.raw`(\/api\/me|\/live\/setups)`;
    one.expect(new RegExp(`answered 401: \\w+ .*${asked}`), new RegExp(`Failed to load resource: the server responded with a status of 401 .*${asked}`));
  }

  await desk.open("/account");
  const sessions = desk.page.getByRole("region", { name: "Where you are signed in" }).getByRole("row");
  await desk.sees(desk.row("this browser"), desk.row(/Android/));
  await desk.sees(desk.row("this browser").getByText(/Chrom.*Linux|Linux.*Chrom/i));
  const before = await sessions.count();

  await desk.button("Sign it out", desk.row(/Android/)).click();
  await desk.sees("That browser is signed out.");
  await desk.seesNo(desk.row(/Android/));
  assert.equal(await sessions.count(), before - 1);
  await isOutside(phone);
  await train.open("/customers");
  assert.equal(train.path(), "/customers");

  // Only this browser.
  await train.follow(train.button("Sign out"));
  await train.sees(train.link("Sign in with Microsoft"));
  await isOutside(train);
  await desk.open("/customers");
  assert.equal(desk.path(), "/customers");

  // All of them, also those that other tests have kept.
  world.forget("olivia");
  await phone.signIn(olivia);
  await desk.open("/account");
  await desk.follow(desk.button("Sign out everywhere"));
  await isOutside(desk);
  await isOutside(phone);
  assert.equal(world.stack.database("select count(*) from operator_sessions s join operators o on o.id = s.operator_id where o.upn like 'olivia@%'"), "0");
});

scenario("security_f13: after signing out the browser has no cookie of the portal, whatever was begun", async () => {
  const visitor = await world.visitor({ name: "leaver" });
  const ours = async () => (await visitor.context.cookies(world.stack.portal)).map(({ name }) => name).filter((name) => name.startsWith("__Host-postern"));
  for (const [path, way] of [
    ["/customers", "Sign out"],
    ["/account", "Sign out everywhere"],
  ]) {
    world.forget("olivia");
    await visitor.signIn(world.cloud.account("olivia"));
    assert.deepEqual(await ours(), ["__Host-postern"]);
    // Another attempt that is left alone: it is bound to the browser by a cookie of its own.
    await visitor.page.goto(new URL("/auth/sign-in", world.stack.portal).href);
    assert.equal((await ours()).length, 2);
    await visitor.open(path);
    await visitor.follow(visitor.button(way));
    assert.deepEqual(await ours(), []);
    await isOutside(visitor);
  }
});

scenario("security_f24: no text becomes code or the address of code, and markup only by the document's own policy", async () => {
  const visitor = await world.visitor({ as: "olivia" });
  await visitor.open("/customers");
  visitor.expect(/Trusted|Content.Security.Policy/);
  const refused = await visitor.page.evaluate(() => {
    const isRefused = (act) => {
      try {
        act();
        return false;
      } catch (error) {
        return error instanceof TypeError || error.name === "EvalError";
      }
    };
    return [
      isRefused(() => (document.createElement("script").src = "/pkg/postern.js")),
      isRefused(() => (document.createElement("script").text = "1")),
      isRefused(() => window.trustedTypes.createPolicy("another", { createScript: (text) => text })),
      isRefused(() => window.trustedTypes.createPolicy("default", { createScript: (text) => text })),
    ];
  });
  assert.deepEqual(refused, [true, true, true, true]);
  // What the program draws still gets in its place.
  await visitor.page.evaluate(() => (document.createElement("div").innerHTML = "<b>drawn</b>"));
});

scenario("a page that is open when its session ends says so", async () => {
  const visitor = await world.visitor({ name: "olivia" });
  await visitor.signIn(world.cloud.account("olivia"));
  await visitor.open("/customers");
  visitor.expect(/answered 401/, /Failed to load resource: the server responded with a status of 401/);
  await visitor.context.clearCookies({ name: /__Host-postern/ });
  await visitor.field("Search customers").fill("anything");
  await visitor.sees("You are not signed in.", visitor.link("Sign in again"));
});

scenario("without JavaScript: sign in, connect, search, sort and page the customers, read the history, sign out", async () => {
  const plain = await world.visitor({ name: "plain", javaScript: false });
  await plain.signIn(world.cloud.account("olivia"));
  assert.equal(plain.path(), "/customers");

  // Connecting is a form too, and its history is in the page.
  const admin = world.cloud.account("admin@fabrikam");
  const customer = await plain.connect(admin);
  await plain.follow(plain.link("History"));
  await plain.sees(plain.row("Consent given"), plain.row("Customer added"));
  await plain.field("What").selectOption({ label: "Consent given" });
  await plain.follow(plain.button("Show"));
  assert.match(plain.path(), /kind=consent\.given/);
  await plain.sees(plain.row("Consent given"));
  await plain.seesNo(plain.row("Customer added"));
  // The page does not change by itself here: it is opened once the customer has been read.
  await plain.eventually(() => world.stack.database("select count(*) from reaches where name = 'Reception Mailer'") !== "0");
  await plain.open(customer);
  await plain.sees(plain.row("Reception Mailer"));

  // Enough customers for two pages.
  world.stack.database(`insert into customers (id, partner_id, tid, name, domain, created_at)
    select gen_random_uuid(), (select id from partners), gen_random_uuid(), 'Customer ' || lpad(n::text, 3, '0'), 'customer' || n || '.example', now()
    from generate_series(1, 60) n`);
  await plain.open("/customers");
  await plain.sees("61 customers", "Page 1 of 2", plain.row("Customer 001"));
  await plain.follow(plain.link("Next"));
  await plain.sees("Page 2 of 2", plain.row("Customer 060"));
  await plain.seesNo(plain.row("Customer 001"));

  await plain.open("/customers");
  await plain.field("Order").selectOption({ label: "Name, Z to A" });
  await plain.follow(plain.button("Show"));
  assert.match(plain.path(), /sort=name_down/);
  const names = await plain.page.getByRole("row").getByRole("link").allInnerTexts();
  assert.deepEqual(names.slice(0, 2), ["Fabrikam A/S", "Customer 060"]);

  await plain.field("Search customers").fill("customer42.example");
  await plain.follow(plain.button("Show"));
  await plain.sees(plain.row("Customer 042"), "1 of 61 customers");
  await plain.seesNo(plain.row("Customer 041"));
  await plain.field("Search customers").fill("<nobody>");
  await plain.follow(plain.button("Show"));
  await plain.sees("Nothing found", "None of your 61 customers matches “<nobody>”.");

  await plain.open("/customers/connect");
  await plain.field("Domain or tenant id").fill("no domain at all");
  await plain.follow(plain.button("Go to Microsoft"));
  assert.match(plain.path(), /^\/customers\/connect/);
  await plain.sees(/neither a domain nor a tenant id/);
  assert.equal(await plain.field("Domain or tenant id").inputValue(), "no domain at all");
  await plain.follow(plain.button("Sign out"));
  await isOutside(plain);
});

scenario("the list of customers follows what is typed, and its address can be sent on", async () => {
  const olivia = await world.visitor({ as: "olivia" });
  world.stack.database(`insert into customers (id, partner_id, tid, name, domain, created_at)
    select gen_random_uuid(), (select id from partners), gen_random_uuid(), 'Typed ' || n, 'typed' || n || '.example', now()
    from generate_series(1, 3) n`);
  await olivia.open("/customers");
  await olivia.field("Search customers").fill("typed");
  await olivia.page.waitForURL(/search=typed/);
  await olivia.sees(olivia.row("Typed 1"), /^3 of \d+ customers$/);
  const address = olivia.path();
  const other = await world.visitor({ as: "olivia", name: "other" });
  await other.open(address);
  await other.sees(other.row("Typed 3"), /^3 of \d+ customers$/);
  assert.equal(await other.field("Search customers").inputValue(), "typed");

  // The switch in the side bar: by keyboard alone.
  await other.page.getByRole("combobox", { name: "Go to a customer" }).fill("typed2");
  await other.sees(other.page.getByRole("option", { name: /Typed 2/ }));
  await other.page.keyboard.press("ArrowDown");
  await other.page.keyboard.press("Enter");
  await other.sees(other.heading("Typed 2"));
});

scenario("an unreachable authority is told, and signing in works once it is back", async () => {
  const visitor = await world.visitor();
  visitor.expect(/answered 5\d\d/, /Failed to load resource/);
  const callback = await catchCallback(visitor, world.cloud.account("olivia"));
  await world.cloud.fault({ host: "entra", operation: "token:*", action: { status: 503 } });
  await visitor.page.goto(callback);
  await isRefused(visitor, /Microsoft/);
  await world.cloud.healthy();
  await visitor.signIn(world.cloud.account("olivia"));
  assert.equal(visitor.path(), "/customers");
});
