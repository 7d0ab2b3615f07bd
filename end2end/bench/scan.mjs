// Reading a fleet of 1,000 customers with 200 service principals each, at the cloud's own latency and
// limits: against the least time that these allow, and against the simple way of reading the same.
import { readFileSync, writeFileSync } from "node:fs";

import { AT_ONCE, LATENCY, bound, chain } from "./parts/bound.mjs";
import { connectAll, fleetOf } from "./parts/fleet.mjs";
import { median, round } from "./parts/numbers.mjs";
import { readSimply } from "./parts/simple.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "reading a fleet of 1,000 customers with 200 service principals each";

const CUSTOMERS = Number(process.env.BENCH_CUSTOMERS ?? 1000);
const SAMPLE = 3; // customers that are read in the simple way as well
const MOST_TIME = 1.3; // times the lower bound
const MOST_MEMORY = 150; // MiB

/** The most that the process ever held, since it was asked to forget. */
const peak = (pid) => Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 102.4) / 10;

export async function run({ startStack, browser, say }) {
  // Fast while the customers are connected, and read a first time.
  const stack = await startStack({ seed: `fleet:${CUSTOMERS}`, speed: 600 });
  const chromium = await browser();
  const state = await signIn(chromium, stack);
  const headers = { cookie: cookieHeader(state), origin: stack.portal };
  const admins = (await fleetOf(stack)).slice(0, CUSTOMERS);
  await connectAll(
    stack,
    state,
    admins.map(({ domain }) => domain),
    say,
  );
  const number = (sql) => Number(stack.database(sql));
  while (number("select count(*) from scans where ended_at is not null and not asked") < admins.length) await pause();
  say("all connected and read once; the measured reading begins");

  // Then at Microsoft's pace.
  const control = async (path, body) => {
    const answer = await fetch(`${stack.cloud}/_cloud/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`);
  };
  await control("clock", { speed: 1 });
  await control("delays", { graph_latency_ms: LATENCY.graph, exchange_latency_ms: LATENCY.exchange });
  await fetch(`${stack.cloud}/_cloud/log`, { method: "DELETE" });
  const { portal } = stack.pids();
  writeFileSync(`/proc/${portal}/clear_refs`, "5");
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  // The button that an operator presses.
  const pressed = await fetch(`${stack.portal}/api/scan_all`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
    body: "",
    redirect: "manual",
  });
  if (pressed.status >= 400) throw new Error(`the button answers ${pressed.status}`);
  let first = null;
  while (number("select count(*) from fleet_scans where ended_at is null") > 0) {
    if (first === null && /Reading all customers: [1-9]/.test(await (await fetch(`${stack.portal}/exposure`, { headers })).text())) first = since();
    await pause();
  }
  const wall = since();
  first ??= wall;
  const memory = peak(portal);
  say(`${round(wall)} s for ${admins.length} customers`);

  const { log } = await (await fetch(`${stack.cloud}/_cloud/log`)).json();
  const asked = new Map(admins.map(({ tenant }) => [tenant, {}]));
  for (const { tenant, operation } of log) {
    const of = asked.get(tenant);
    if (of) of[operation] = (of[operation] ?? 0) + 1;
  }
  const least = bound([...asked.values()].map(chain));
  const calls = stack.database("select sum((p ->> 'calls')::int) from scans, jsonb_array_elements(parts) p group by customer_id").split("\n").map(Number);

  // The simple way, on some of the same customers, and no more than some: it takes that long.
  const simple = [];
  for (const admin of admins.slice(0, SAMPLE)) {
    simple.push(await readSimply(chromium, stack, admin));
    say(`the simple way: ${round(simple.at(-1).seconds)} s, ${simple.at(-1).requests} requests for ${simple.at(-1).principals} service principals`);
  }
  const each = simple.reduce((sum, { seconds }) => sum + seconds, 0) / simple.length;
  return {
    rows: [
      { what: "customers", value: admins.length },
      { what: "wall time, s", value: round(wall) },
      { what: `least time that latency allows with ${AT_ONCE} at once, s`, value: round(least) },
      { what: `the simple way, one customer, mean of ${simple.length} measured, s`, value: round(each) },
      { what: `the simple way, all customers, extrapolated from these, s`, value: round(each * admins.length) },
      { what: "calls per customer, median", value: median(calls) },
      { what: "calls per customer in the simple way, median", value: median(simple.map(({ requests }) => requests)) },
      { what: "what the cloud answered: calls, parts of batches, tokens", value: log.length },
      { what: "until the first customer shows, s", value: round(first) },
      { what: "memory of the portal with its worker, most, MiB", value: memory },
    ],
    targets: [
      { what: "wall time against the least", value: Math.round((wall / least) * 100) / 100, unit: "times", most: MOST_TIME },
      { what: "memory", value: memory, unit: "MiB", most: MOST_MEMORY },
    ],
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 250));
