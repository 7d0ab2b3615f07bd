// The main job from end to end, as a person does it: sign in, connect a customer, confine the
// application that can send as anyone, watch it until it is proven, and read the history.
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { after, before } from "node:test";

import { ROOT, startStack } from "../dev/stack.mjs";
import { launch, openContext } from "./support/browser.mjs";

const RESULTS = join(ROOT, "end2end/results/main_path");
const TENANT = "fabrikam.example";

let stack;
let browser;
const complaints = [];

before(async () => {
  stack = await startStack({ name: "spec_main_path", logs: RESULTS });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

/** A page in a session of its own. Whatever it complains about fails the test. */
async function open(options = {}) {
  const context = await openContext(browser, { baseURL: stack.portal, ...options });
  const page = await context.newPage();
  const ours = () => page.url().startsWith(stack.portal);
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (ours() && message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  return page;
}

const hydrated = (page) => page.waitForFunction(() => document.documentElement.dataset.hydrated === "true");

/** Through the pages of the cloud, back to the portal. */
async function through(page, login) {
  for (let turn = 0; turn < 6 && page.url().startsWith(stack.cloud); turn += 1) {
    const other = page.getByText("Use another account");
    const accept = page.locator("button[name=decision][value=accept]");
    if (await page.locator("input[name=password]").isVisible()) {
      if (await page.locator("input[name=login]").isVisible()) await page.fill("input[name=login]", login);
      await page.fill("input[name=password]", "demo");
      await leave(page, page.locator("form:has(input[name=password]) [type=submit]").first());
    } else if (await accept.isVisible()) await leave(page, accept);
    else await leave(page, other);
  }
  assert.ok(page.url().startsWith(stack.portal), `still at ${page.url()}`);
}

async function leave(page, button) {
  await Promise.all([page.waitForEvent("framenavigated"), button.click()]);
  await page.waitForLoadState("domcontentloaded");
}

test("an operator confines an application, from the sign-in to proven, watched in two browsers", async () => {
  const page = await open();
  await page.goto("/");
  await page.getByRole("link", { name: "Sign in with Microsoft" }).click();
  await page.waitForURL((url) => url.href.startsWith(stack.cloud));
  await through(page, "olivia@northwind-it.example");

  await page.goto("/customers/connect");
  await hydrated(page);
  await page.getByLabel("Domain or tenant id").fill(TENANT);
  await page.getByRole("button", { name: "Go to Microsoft" }).click();
  await page.waitForURL((url) => url.href.startsWith(stack.cloud));
  await through(page, `admin@${TENANT}`);
  await page.getByRole("heading", { level: 1, name: "Fabrikam A/S" }).waitFor();
  const customer = new URL(page.url()).pathname;

  await page.getByRole("link", { name: /Confine.*Reception Mailer/ }).click();
  await hydrated(page);
  await page.getByRole("searchbox", { name: "Search mailboxes" }).fill("support");
  await page.getByRole("checkbox", { name: `support@${TENANT}` }).click();
  await page.getByText("1 chosen").waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "Review" }).click();
  await page.getByText("This is the whole plan.").waitFor();
  assert.match(await page.locator("main").innerText(), /New-ApplicationAccessPolicy/);
  const { secret } = stack.accounts.applications.find((one) => one.name === "Reception Mailer");
  await page.locator("input[type=password]").fill(secret);
  await page.getByRole("button", { name: /^Start/ }).click();
  await page.waitForURL(/\/setups\/[0-9a-f-]{36}$/);
  const setup = new URL(page.url()).pathname;

  // Somebody else, with another browser, sees the same.
  const state = await page.context().storageState();
  const beside = await open({ storageState: state });
  await beside.goto(setup);
  for (const one of [page, beside]) await one.getByText("Finished: proven.").waitFor({ timeout: 90_000 });
  assert.equal(stack.database("select count(*) from secrets"), "0");

  const cloud = await (await fetch(`${stack.cloud}/_cloud/outbox`)).text();
  assert.ok(cloud.includes(`support@${TENANT}`), "no mail was sent as the permitted sender");

  await page.goto(`${customer}/history`);
  for (const entry of ["Setup finished", "Proven", "Changed at Microsoft", "Consent given"]) {
    await page.getByRole("cell", { name: new RegExp(entry) }).first().waitFor();
  }
  assert.deepEqual(complaints, []);
});

test("without JavaScript the list of customers stands in the page", async () => {
  const page = await open({ javaScript: false });
  await page.goto("/auth/sign-in?return_to=/customers");
  await through(page, "olivia@northwind-it.example");
  await page.getByRole("link", { name: "Fabrikam A/S" }).waitFor();
  await page.goto("/customers?search=nobody");
  await page.getByText("Nothing found").waitFor();
});
