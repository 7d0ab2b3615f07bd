// Time from the commit of a step to the changed page in the browser.
import { openContext } from "../specs/support/browser.mjs";
import { crowd } from "./parts/crowd.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { signIn } from "./parts/visitor.mjs";

export const title = "time from a committed step to the changed page";

const TIMES = 200;

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const chromium = await browser();
  const storageState = await signIn(chromium, stack);
  const { customer, setup } = crowd(stack, 1);
  const context = await openContext(chromium, { baseURL: stack.portal, storageState });
  const page = await context.newPage();
  // Notes when each number that the database wrote stands in the page.
  await page.addInitScript(() => {
    window.seen = new Map();
    addEventListener("DOMContentLoaded", () => {
      new MutationObserver(() => {
        const found = /turn (\d+)\./.exec(document.body.innerText);
        if (found && !window.seen.has(found[1])) window.seen.set(found[1], Date.now());
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  });
  await page.goto(`/customers/${customer}/setups/${setup}`);
  await page.waitForFunction(() => document.documentElement.dataset.hydrated === "true");
  const times = [];
  for (let turn = -10; turn < TIMES; turn += 1) {
    const number = turn + 1000;
    const committed = change(stack, setup, number);
    await page.waitForFunction((key) => window.seen.has(key), String(number), { timeout: 10_000 });
    const shown = await page.evaluate((key) => window.seen.get(key), String(number));
    if (turn >= 0) times.push(shown - committed);
  }
  await context.close();
  const [half, most] = [round(median(times)), round(quantile(times, 0.99))];
  say(`median ${half} ms, p99 ${most} ms`);
  return {
    rows: [{ changes: TIMES, "median ms": half, "p99 ms": most }],
    targets: [
      { what: "median", value: half, unit: "ms", most: 10 },
      { what: "p99", value: most, unit: "ms", most: 100 },
    ],
  };
}

/** Changes a step as the engine does: rows and notice in one transaction. Gives the moment before its commit. */
function change(stack, setup, number) {
  const answer = stack.database(`
    begin;
    update steps set body = jsonb_set(body, '{summary}', to_jsonb('turn ${number}.'::text)) where setup_id = '${setup}' and kind = 'check';
    update setups set version = version + 1 where id = '${setup}';
    select pg_notify('postern', jsonb_build_object('partner', partner_id, 'customer', customer_id, 'setup', id, 'version', version)::text)
      from setups where id = '${setup}';
    select 'at ' || (extract(epoch from clock_timestamp()) * 1000)::bigint;
    commit;`);
  return Number(/at (\d+)/.exec(answer)[1]);
}
