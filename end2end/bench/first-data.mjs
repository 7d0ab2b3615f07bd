// Time until the first row of data stands in the page, from the click on a link in an empty tab.
// Beside it what the browser needs for a page that has one row and nothing else, under the same
// opener policy: no page is there earlier on this machine.
import { createServer } from "node:http";

import { openContext } from "../specs/support/browser.mjs";
import { crowd } from "./parts/crowd.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { signIn } from "./parts/visitor.mjs";

export const title = "time until the first row of data stands in the list of customers, with an empty cache";

const CUSTOMERS = 1000;
const CONDITIONS = [
  { name: "unthrottled", times: 15, most: 150 },
  // Slow 4G and a quarter of the processor, as Chromium's developer tools define them.
  {
    name: "slow 4G, a quarter of the CPU",
    times: 5,
    most: 1500,
    network: { latency: 150 * 3.75, down: (1.6 * 1024 * 1024 * 0.9) / 8, up: (750 * 1024 * 0.9) / 8 },
    slowdown: 4,
  },
];

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const chromium = await browser();
  const storageState = await signIn(chromium, stack);
  crowd(stack, CUSTOMERS);
  const least = await bare();
  const rows = [];
  const targets = [];
  for (const condition of CONDITIONS) {
    const first = [];
    const hydrated = [];
    const alone = [];
    for (let turn = 0; turn < condition.times; turn += 1) {
      const seen = await visit(chromium, stack.portal, storageState, condition);
      first.push(seen.first);
      hydrated.push(seen.hydrated);
      alone.push((await visit(chromium, least.url, undefined, condition)).first);
    }
    rows.push({
      condition: condition.name,
      "first row, median ms": round(median(first)),
      "first row, worst ms": round(quantile(first, 1)),
      "hydrated, median ms": round(median(hydrated)),
      "the browser alone, median ms": round(median(alone)),
    });
    targets.push({ what: `first row, ${condition.name}`, value: round(median(first)), unit: "ms", most: condition.most });
    say(`${condition.name}: ${round(median(first))} ms`);
  }
  least.close();
  return { rows, targets };
}

/** Serves the bare page, hydrated as it comes. Gives {url, close}. */
async function bare() {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.setHeader("cross-origin-opener-policy", "same-origin");
    answer.end('<!DOCTYPE html><html lang="en" data-hydrated="true"><title>One row</title><table><tbody><tr><td>One row</table></html>');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://localhost:${server.address().port}`, close: () => server.close() };
}

async function visit(chromium, baseURL, storageState, { network, slowdown }) {
  const context = await openContext(chromium, { baseURL, storageState });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  if (network) {
    await devtools.send("Network.enable");
    await devtools.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: network.latency,
      downloadThroughput: network.down,
      uploadThroughput: network.up,
    });
  }
  if (slowdown) await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  await page.addInitScript(() => {
    // Checked once a frame: what counts is when a person can see it.
    const look = () => {
      if (window.firstRow === undefined && document.querySelector("tbody tr td")) window.firstRow = performance.now();
      if (window.hydratedAt === undefined && document.documentElement?.dataset.hydrated === "true") window.hydratedAt = performance.now();
      if (window.hydratedAt === undefined || window.firstRow === undefined) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto("/customers", { waitUntil: "commit", timeout: 60_000 });
  await page.waitForFunction(() => window.hydratedAt !== undefined && window.firstRow !== undefined, null, { timeout: 60_000 });
  const seen = await page.evaluate(() => ({ first: window.firstRow, hydrated: window.hydratedAt }));
  await context.close();
  return seen;
}
