// Every page: quiet, accessible in light and dark, usable at 360 pixels and by keyboard, and never
// fooled by a hostile name. Leaves a picture of each in end2end/results/pages.
import assert from "node:assert/strict";

import { violations } from "./support/accessibility.mjs";
import { shoot } from "./support/results.mjs";
import { LONG, QUICK, choose, reaches, start, toReview } from "./support/setup.mjs";
import { openWorld } from "./support/world.mjs";

// The cloud runs slower than usual: what waits here still waits when the last scenario looks.
const world = openWorld("pages", { speed: 60 });
const { scenario } = world;

const FABRIKAM = "fabrikam.example";
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };

/** What all scenarios look at, made once: customers and setups in every state. */
let made;
const stage = () => (made ??= build());

async function build() {
  const nora = await world.visitor({ as: "nora" });
  await world.cloud.delays(QUICK);
  const fabrikam = await nora.connect(world.cloud.account(`admin@${FABRIKAM}`));
  const plan = { customer: fabrikam, application: "ScanToMail", senders: [`support@${FABRIKAM}`] };

  // A customer that was never connected, and one whose names are hostile.
  const others = world.cloud.accounts.filter(
    (one) => one.upn.startsWith("admin@") && !one.upn.endsWith(FABRIKAM) && one.tenant_id !== world.stack.accounts.partner_tenant,
  );
  const hostileAdmin = others.find((one) => one.tenant.includes("<script>"));
  assert.ok(hostileAdmin, `no tenant of the demo has a hostile name: ${others.map((one) => one.tenant).join(", ")}`);
  const hostile = await nora.connect(hostileAdmin);
  await nora.open("/customers/connect");
  await nora.field("Domain or tenant id").fill(others.find((one) => one !== hostileAdmin).upn.split("@")[1]);
  await nora.follow(nora.button("Go to Microsoft"));
  await nora.open("/customers");
  const never = await nora.row("not connected").getByRole("link").first().getAttribute("href");

  await toReview(nora, { ...plan, group: "postern-pages-cancelled", prove: false });
  await world.cloud.delays({ group_graph: [LONG, LONG] });
  const cancelled = await start(nora);
  await reaches(nora, "Group visible", "waiting");
  await nora.link("Cancel…").click();
  await nora.button("Cancel the setup").click();
  await nora.comesToSee("Cancelled. This is there:");

  await world.cloud.delays(QUICK);
  await toReview(nora, { ...plan, group: "postern-pages-back", prove: false });
  const rolledBack = await start(nora);
  await nora.comesToSee(/^Finished: checked/);
  await nora.link("Roll back…").click();
  await nora.field("Type ScanToMail to roll it back").fill("ScanToMail");
  await nora.button("Roll back").click();
  await nora.comesToSee("Rolled back. Nothing of it is left.");

  await toReview(nora, { ...plan, group: "postern-pages-secret", prove: true });
  const needsSecret = await start(nora);
  await nora.comesToSee("This needs you.");

  const mailer = { customer: fabrikam, application: "Reception Mailer", senders: [`reception@${FABRIKAM}`], prove: true };
  await toReview(nora, mailer);
  const proven = await start(nora, world.cloud.application("Reception Mailer", FABRIKAM).secret);
  await nora.comesToSee(/^Finished: proven/);

  await world.cloud.delays({ group_graph: [LONG, LONG] });
  await nora.open(hostile);
  const confine = nora.page.getByRole("link", { name: /^Confine .*<script>/ });
  await nora.comesToSee(confine);
  const hostileApp = (await confine.getAttribute("aria-label")).replace(/^Confine /, "");
  const hostileSender = `front-desk@${hostileAdmin.upn.split("@")[1]}`;
  await toReview(nora, { customer: hostile, application: hostileApp, senders: [hostileSender], group: "postern-hostile", prove: false });
  const waiting = await start(nora);
  await reaches(nora, "Group visible", "waiting");

  const app = world.stack.database("select application_object from setups where application_name = 'Reception Mailer' limit 1");
  // Every customer is read by itself soon after it changed.
  const read = (name, more) => world.stack.database(`select object from reaches where name = '${name.replaceAll("'", "''")}' ${more} limit 1`);
  await nora.eventually(() => read("Reception Mailer", "and level = 3") && read(hostileApp, ""));
  const hostileWhy = `${hostile}/applications/${read(hostileApp, "")}`;
  const mailbox = world.stack.database("select key from scans, jsonb_each_text(names) where value = 'reception@fabrikam.example' limit 1");
  return { fabrikam, hostile, hostileAdmin, hostileApp, never, cancelled, rolledBack, needsSecret, proven, waiting, app, hostileWhy, mailbox };
}

/** Every page of the inside: name, address, and what to wait for. */
function inside(s) {
  const wizard = `${s.fabrikam}/setups/new`;
  const chosen = `app=${s.app}&sender=support%40${FABRIKAM}&prove=1`;
  return [
    ["customers", "/customers", "Fabrikam A/S"],
    ["customers, nothing found", "/customers?search=nobody-has-this", "Nothing found"],
    ["connect", "/customers/connect", "What Microsoft will ask"],
    ["customer", s.fabrikam, "Reception Mailer"],
    ["customer, disconnecting", `${s.fabrikam}?ask=disconnect`, "Disconnect Fabrikam A/S?"],
    ["customer, not connected", s.never, "not connected"],
    ["customer, hostile", s.hostile, s.hostileApp],
    ["wizard, application", wizard, "Which application do you want to confine"],
    ["wizard, senders", `${wizard}?${chosen}`, "Search mailboxes"],
    ["wizard, details", `${wizard}?${chosen}&step=details`, "Postern suggests these."],
    ["wizard, details with a mistake", `${wizard}?${chosen}&refused=support%40${FABRIKAM}&group=a%20b&step=review`, "The group's name has characters"],
    ["wizard, review", `${wizard}?${chosen}&refused=reception%40${FABRIKAM}&group=postern-new&step=review`, "This is the whole plan."],
    ["setup, waiting", s.waiting, /^given up/],
    ["setup, cancelling", `${s.waiting}?ask=cancel`, "Cancel this setup?"],
    ["setup, rolling back", `${s.proven}?ask=roll-back`, "Roll back Reception Mailer?"],
    ["setup, needs the secret", s.needsSecret, "This needs you."],
    ["setup, proven", s.proven, /^Finished: proven/],
    ["setup, cancelled", s.cancelled, "Cancelled. This is there:"],
    ["setup, rolled back", s.rolledBack, "Rolled back. Nothing of it is left."],
    ["history", `${s.fabrikam}/history`, "Setup started"],
    ["history, nothing", `${s.fabrikam}/history?from=2020-01-01&to=2020-01-01`, "No entry fits the filter."],
    ["history, hostile", `${s.hostile}/history`, "Setup started"],
    ["application, confined", `${s.fabrikam}/applications/${s.app}`, "narrowed by access policies"],
    ["application, hostile", s.hostileWhy, s.hostileApp],
    ["customer, filtered", `${s.fabrikam}?standing=unrestricted&search=zzz`, "No application here holds a mailbox permission and fits the filter."],
    ["mailboxes", `${s.fabrikam}/mailboxes`, "Anouk Schneider"],
    ["mailbox, reached", `${s.fabrikam}/mailboxes?mailbox=${s.mailbox}&address=reception%40${FABRIKAM}`, "Who reaches"],
    ["exposure", "/exposure", "Reception Mailer"],
    ["exposure, by customer", "/exposure?by=customer", "Fabrikam A/S"],
    ["exposure, by permission", "/exposure?by=permission", "Mail.Send"],
    ["exposure, each", "/exposure?by=each&search=fabrikam", "Reception Mailer"],
    ["exposure, nothing found", "/exposure?search=nobody-has-this", "Nothing found"],
    ["running", "/running", "needs the secret"],
    ["running, all", "/running?show=all", "rolled back"],
    ["people", "/people", "Olivia Berg"],
    ["account", "/account", "Where you are signed in"],
  ];
}

const nowhere = "/customers/00000000-0000-4000-8000-000000000000";
const outside = [
  ["start", "/", "A small gate in front of every mailbox"],
  ["start, to come back", "/?return_to=%2Frunning", "You come back to the page that you asked for."],
  ["join", "/join/abc", "Connect your organisation"],
  ["refused sign-in", "/auth/callback?code=x&state=y", "This sign-in was not begun in this browser"],
  ["no such page", "/nothing/here", "There is no such page"],
];
const missing = [
  ["no such customer", nowhere, "This does not exist, or it is not yours to see."],
  ["no such customer's history", `${nowhere}/history`, "This does not exist, or it is not yours to see."],
  ["an id that is none", "/customers/%3Cscript%3E", "This does not exist, or it is not yours to see."],
];

/** Folds everything out, so that what is folded away is looked at too. */
const foldOut = (page) =>
  page.evaluate(() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });

/** Looks at one page in light, dark and narrow. */
async function inspect(visitor, [name, path, awaited]) {
  const { page } = visitor;
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: "light" });
  await visitor.open(path);
  await visitor.comesToSee(awaited);
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${name}: one h1`);
  assert.equal(await page.getByRole("main").count(), 1, `${name}: one main`);
  assert.match(await page.title(), /Postern$/, `${name}: title`);
  await shoot(page, "pages", `${name} light`);
  const problems = [];
  const look = async (how) => problems.push(...(await violations(page)).map((line) => `${how}: ${line}`));
  await look("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shoot(page, "pages", `${name} dark`);
  await look("dark");
  await foldOut(page);
  await look("dark, folded out");
  await page.setViewportSize(PHONE);
  await look("360 px, folded out");
  const wide = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    // Who sticks out, to find it quickly: not inside something that scrolls by itself.
    const scrolls = (element) =>
      element && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    return [...document.body.querySelectorAll("*")]
      .filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element.parentElement))
      .map((element) => `360 px: ${element.tagName.toLowerCase()}.${element.className} is ${Math.round(element.getBoundingClientRect().right)} px wide`);
  });
  problems.push(...wide);
  // Rows are blocks here, without a head: a number says what it is.
  const bare = await page.evaluate(() =>
    [...document.querySelectorAll("td.num")]
      .filter((cell) => ["", "none", "normal"].includes(getComputedStyle(cell, "::before").content.replaceAll('"', "")))
      .map((cell) => `360 px: the number ${cell.textContent} has no name`),
  );
  problems.push(...bare);
  await page.emulateMedia({ colorScheme: "light" });
  await shoot(page, "pages", `${name} 360`);
  return problems.map((line) => `${name}: ${line}`);
}

async function inspectAll(visitor, pages) {
  const problems = [];
  for (const page of pages) problems.push(...(await inspect(visitor, page)));
  assert.deepEqual(problems, []);
}

scenario("pages of the outside are quiet, accessible and narrow", async () => {
  const visitor = await world.visitor({ axe: true });
  visitor.expect(/answered 40[034]: GET .*(\/auth\/callback|\/nothing\/here)/, /Failed to load resource: the server responded with a status of 40[034]/);
  await inspectAll(visitor, outside);
});

scenario("the page of who waits for a role is quiet, accessible and narrow", async () => {
  await world.visitor({ as: "olivia" });
  const visitor = await world.visitor({ axe: true });
  await visitor.signIn(world.cloud.account("aksel"));
  await inspectAll(visitor, [["waiting", "/waiting", "An owner has to let you in"]]);
});

// Made here, so that no scenario that looks at it pays for it with its own time.
scenario("there is a customer of every kind, and a setup in every state", async () => {
  await stage();
});

for (const [part, from, to] of [
  ["customers and the wizard", 0, 13],
  ["setups and history", 13, 22],
  ["reach and the rest", 22, undefined],
]) {
  scenario(`pages of the inside are quiet, accessible and narrow: ${part}`, async () => {
    const s = await stage();
    const visitor = await world.visitor({ as: "olivia", axe: true });
    await inspectAll(visitor, inside(s).slice(from, to));
  });
}

scenario("what does not exist is said with the right status", async () => {
  const visitor = await world.visitor({ as: "olivia", axe: true });
  visitor.expect(/answered 404/, /Failed to load resource: the server responded with a status of 404/);
  await inspectAll(visitor, missing);
  for (const path of [nowhere, "/nothing/here", "/pkg/nothing.js", "/customers/x/y/z"]) {
    assert.equal((await visitor.context.request.get(new URL(path, world.stack.portal).href)).status(), 404, path);
  }
});

/** Nothing was cut off: behind the document stand at most whole scripts with its data. */
function isWhole(html) {
  const [, after] = html.split("</html>");
  return after !== undefined && after.replace(/<script nonce="[^"]*">[^<]*<\/script>|<!>/g, "").trim() === "";
}

scenario("every page is whole: status 200, to its very end, strict headers, no inline code without the nonce", async () => {
  const s = await stage();
  const visitor = await world.visitor({ as: "olivia" });
  for (const [name, path] of [...inside(s), ...outside.slice(1, 3)]) {
    const answer = await visitor.context.request.get(new URL(path, world.stack.portal).href, { maxRedirects: 0 });
    if (answer.status() === 303) continue; // The start page of somebody who is signed in.
    assert.equal(answer.status(), 200, name);
    const html = await answer.text();
    assert.ok(isWhole(html), `${name} ends with ${html.slice(-200)}`);
    const headers = answer.headers();
    const policy = headers["content-security-policy"];
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    assert.ok(nonce, `${name}: no nonce in the policy`);
    assert.ok(!/unsafe-inline|'unsafe-eval'/.test(policy), `${name}: ${policy}`);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    for (const [tag] of html.matchAll(/<(script|style)\b[^>]*>/g)) assert.ok(tag.includes(`nonce="${nonce}"`) || /\bsrc=/.test(tag), `${name}: ${tag}`);
    assert.ok(!/\son[a-z]+\s*=\s*["']/i.test(html.replace(/<script[\s\S]*?<\/script>/g, "")), `${name}: an inline handler`);
    assert.ok(!/<[^>]+\sstyle="/.test(html), `${name}: an inline style`);
  }
});

scenario("two answers never share a nonce", async () => {
  const visitor = await world.visitor();
  const nonces = [];
  for (let count = 0; count < 3; count += 1) {
    const answer = await visitor.context.request.get(world.stack.portal);
    nonces.push(/'nonce-([^']+)'/.exec(answer.headers()["content-security-policy"])[1]);
  }
  assert.equal(new Set(nonces).size, 3);
});

scenario("the keyboard gets everywhere: skip link, visible focus, dialogs that Escape closes", async () => {
  const s = await stage();
  const visitor = await world.visitor({ as: "olivia", reducedMotion: "reduce" });
  const { page } = visitor;
  await visitor.open("/customers");
  await page.keyboard.press("Tab");
  const skip = visitor.link("Skip to the content");
  assert.ok(await skip.evaluate((element) => element === document.activeElement), "the first stop is the skip link");
  const box = await skip.boundingBox();
  assert.ok(box && box.x >= 0 && box.y >= 0, "the skip link shows when it has the focus");
  await page.keyboard.press("Enter");
  // Into the content.
  await page.waitForFunction(() => document.getElementById("main").contains(document.activeElement));

  const unseen = [];
  for (const path of ["/customers", s.fabrikam, s.waiting, `${s.fabrikam}/setups/new?app=${s.app}`, `${s.fabrikam}/history`, "/account"]) {
    await visitor.open(path);
    await visitor.sees(page.getByRole("heading", { level: 1 }));
    const stops = new Set();
    await page.evaluate(() => {
      window.stopped = null;
    });
    for (let count = 0; count < 60; count += 1) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return null;
        // Parts of one control, such as day, month and year: the browser draws their focus.
        const part = element === window.stopped;
        window.stopped = element;
        const style = getComputedStyle(element);
        const shown = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
        const name = `${element.tagName.toLowerCase()} “${(element.getAttribute("aria-label") ?? element.innerText ?? element.name ?? "").trim().slice(0, 40)}”`;
        const { top, bottom } = element.getBoundingClientRect();
        return { name: element.id || name, shown: shown || part, inView: bottom > 0 && top < innerHeight };
      });
      if (stop === null) break;
      stops.add(stop.name);
      if (!stop.shown) unseen.push(`${path}: ${stop.name} shows no focus`);
      if (!stop.inView) unseen.push(`${path}: ${stop.name} has the focus out of view`);
    }
    assert.ok(stops.size >= 6, `${path}: only ${[...stops].join(", ")}`);
  }
  assert.deepEqual([...new Set(unseen)], []);

  // A dialog: opens by Enter, keeps the focus inside, closes by Escape, gives the focus back.
  await visitor.open(s.waiting);
  const ask = visitor.link("Cancel…");
  await ask.focus();
  await page.keyboard.press("Enter");
  const dialog = visitor.dialog("Cancel this setup?");
  await visitor.sees(dialog);
  for (let count = 0; count < 8; count += 1) {
    await page.keyboard.press("Tab");
    assert.ok(
      await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog[open]").contains(document.activeElement)),
      "the focus leaves the dialog",
    );
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  assert.ok(await ask.evaluate((element) => element === document.activeElement), "the focus returns to what opened the dialog");
  // The way back in without Escape.
  await ask.click();
  await visitor.link("Leave it as it is").click();
  await dialog.waitFor({ state: "hidden" });
});

scenario("hostile names are text and nothing else", async () => {
  const s = await stage();
  const visitor = await world.visitor({ as: "olivia" });
  // Whatever ran would say so.
  await visitor.page.addInitScript(() => {
    window.alert = () => console.error("a hostile name ran");
  });
  // The page's own scripts carry names as quoted data; what counts is what became an element.
  const injected = () =>
    visitor.page.evaluate(() =>
      [...document.querySelectorAll("script, img, b")]
        .filter((one) => one.hasAttribute("onerror") || /^(alert|Admin)/.test(one.textContent.trim()))
        .map((one) => one.outerHTML),
    );
  for (const path of [
    s.hostile,
    s.waiting,
    `${s.hostile}/history`,
    "/running",
    "/customers",
    s.hostileWhy,
    `${s.hostile}?sort=name`,
    "/exposure?by=customer",
  ]) {
    await visitor.open(path);
    await visitor.comesToSee(visitor.page.getByText(s.hostileAdmin.tenant, { exact: false }));
    assert.deepEqual(await injected(), [], path);
  }
  await visitor.open(s.hostile);
  await visitor.comesToSee(visitor.row(s.hostileApp));
  assert.deepEqual(await injected(), []);

  // Neither is what an address says.
  for (const query of [
    '"><script>alert(1)</script>',
    "'\"><img src=x onerror=alert(1)>",
    "{{7*7}}",
    "\0",
    "</title><script>alert(1)</script>",
    "%",
    "\u202e",
  ]) {
    const q = encodeURIComponent(query);
    for (const path of [
      `/customers?search=${q}&page=${q}&sort=${q}`,
      `/exposure?search=${q}&by=${q}&permission=${q}&app=${q}`,
      `${s.hostile}/history?person=${q}&kind=${q}&from=${q}&before=${q}`,
      `${s.fabrikam}/setups/new?app=${s.app}&q=${q}&sender=${q}`,
    ]) {
      const response = await visitor.open(path);
      assert.equal(response.status(), 200, path);
      assert.deepEqual(await injected(), [], path);
      await visitor.sees(visitor.page.getByRole("heading", { level: 1 }));
    }
  }
});

scenario("an auditor sees everything and is offered nothing that changes anything", async () => {
  const s = await stage();
  const aksel = await world.visitor({ as: "aksel" });
  await aksel.open("/account");
  await aksel.sees("auditor");
  // Also where somebody writes the address of a dialog by hand.
  const asked = [`${s.fabrikam}?ask=disconnect`, `${s.waiting}?ask=cancel`, `${s.proven}?ask=roll-back`];
  const changing =
    /^(Connect a customer|Confine|Disconnect|Cancel|Roll back|Try again|Look now|Prove it|Prove again|Finish without real mail|Sign in as their admin|Use GDAP|Make a link|Revoke|Sign in and change|Consent again|Start the setup|Save)/;
  for (const path of [
    "/customers",
    s.fabrikam,
    s.hostile,
    s.never,
    s.waiting,
    s.needsSecret,
    s.proven,
    `${s.fabrikam}/history`,
    "/running?show=all",
    ...asked,
  ]) {
    await aksel.open(path);
    await aksel.sees(aksel.page.getByRole("heading", { level: 1 }));
    if (path === s.fabrikam) await aksel.comesToSee(aksel.row("Reception Mailer"));
    const offered = await aksel.page
      .locator("a:visible, button:visible")
      .evaluateAll((all) => all.map((one) => (one.getAttribute("aria-label") ?? one.innerText).trim()));
    assert.deepEqual(
      offered.filter((name) => changing.test(name)),
      [],
      path,
    );
  }
  await aksel.seesNo(aksel.link("People"));
  aksel.expect(/answered 403/, /Failed to load resource: the server responded with a status of 403/);
  for (const path of ["/people", `${s.fabrikam}/setups/new`, "/customers/connect"]) {
    await aksel.open(path);
    await aksel.sees("Your role does not allow this.");
  }
  // What was hidden is refused too.
  const [customer, setup] = [s.fabrikam.split("/").at(-1), s.needsSecret.split("/").at(-1)];
  for (const [endpoint, form] of [
    ["cancel_setup", { customer, setup }],
    ["roll_back", { customer, setup, confirm: "ScanToMail" }],
    ["skip_proof", { customer, setup }],
    ["disconnect", { customer, confirm: "Fabrikam A/S" }],
    ["make_link", { customer }],
    ["revoke_link", { customer, link: setup }],
    ["connect", { tenant: FABRIKAM }],
  ]) {
    const answer = await aksel.post(endpoint, form);
    assert.equal(answer.status(), 403, `${endpoint}: ${await answer.text()}`);
  }
});

scenario("a form from another site changes nothing", async () => {
  const s = await stage();
  const olivia = await world.visitor({ as: "olivia" });
  const [customer, setup] = [s.needsSecret.split("/")[2], s.needsSecret.split("/").at(-1)];
  for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }]) {
    for (const [path, form] of [
      ["/api/cancel_setup", { customer, setup }],
      ["/auth/sign-out", {}],
      ["/auth/sign-out-everywhere", {}],
    ]) {
      const answer = await olivia.context.request.post(new URL(path, world.stack.portal).href, { form, headers, maxRedirects: 0 });
      assert.equal(answer.status(), 403, `${path} with ${JSON.stringify(headers)}`);
    }
  }
  await olivia.open(s.needsSecret);
  await olivia.sees("This needs you.");
});

scenario("times are the reader's own once the page reacts, and UTC before", async () => {
  const s = await stage();
  const visitor = await world.visitor({ as: "olivia", timezoneId: "Asia/Tokyo" });
  await visitor.open(`${s.fabrikam}/history`);
  const time = visitor.page.locator("main time").first();
  const [iso, shown] = await Promise.all([time.getAttribute("datetime"), time.innerText()]);
  const local = new Date(iso).toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" });
  assert.ok(shown.includes(local), `${iso} is shown as “${shown}”, expected ${local}`);
  const plain = await world.visitor({ as: "olivia", javaScript: false, name: "plain" });
  await plain.open(`${s.fabrikam}/history`);
  assert.match(await plain.page.locator("main time").first().innerText(), /UTC/);
});

scenario("a mailbox is found while somebody types, and a chosen one can be taken out again", async () => {
  const s = await stage();
  const nora = await world.visitor({ as: "nora" });
  await nora.open(`${s.fabrikam}/setups/new?app=${s.app}`);
  await choose(nora, "reception", `reception@${FABRIKAM}`);
  await nora.sees("1 chosen:");
  await nora.page.locator(".chosen").getByRole("checkbox").first().click();
  await nora.sees("None chosen yet.");
  await nora.field("Search mailboxes").fill("zzzz-nobody");
  await nora.sees("No user or shared mailbox matches.");
});
