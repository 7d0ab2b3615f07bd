// Reading a fleet of 1,000 customers with 200 service principals each, at the cloud's own latency
// and limits: against what these allow, and against the simple way of reading the same.
import { readFileSync } from "node:fs";

import { connectAll } from "./parts/fleet.mjs";
import { median, round } from "./parts/numbers.mjs";
import { signIn } from "./parts/visitor.mjs";

export const title = "reading a fleet of 1,000 customers with 200 service principals each";

const CUSTOMERS = Number(process.env.BENCH_CUSTOMERS ?? 1000);
const AT_ONCE = 48; // customers that one process reads at the same time: server/engine/src/scan/turns.rs
const MOST_TIME = 1.3; // times the lower bound
const MOST_MEMORY = 150; // MiB

const mebibytes = (pid) => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 102.4) / 10;

export async function run({ startStack, browser, say }) {
  // Fast while the customers are connected, and read a first time.
  const stack = await startStack({ seed: `fleet:${CUSTOMERS}`, speed: 600 });
  const state = await signIn(await browser(), stack);
  const domains = (await (await fetch(`${stack.cloud}/_cloud/accounts`)).json()).accounts
    .map(({ upn }) => upn)
    .filter((upn) => upn.startsWith("admin@") && !upn.endsWith("northwind-it.example"))
    .map((upn) => upn.split("@")[1])
    .slice(0, CUSTOMERS);
  await connectAll(stack, state, domains, say);
  const number = (sql) => Number(stack.database(sql));
  const until = async (sql, wanted) => {
    while (number(sql) < wanted) await new Promise((resolve) => setTimeout(resolve, 250));
  };
  await until("select count(*) from scans where read_at is not null", domains.length);
  say("all connected and read once; the measured reading begins");

  // Then at Microsoft's pace.
  const control = (path, body) => fetch(`${stack.cloud}/_cloud/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  await control("clock", { speed: 1 });
  await fetch(`${stack.cloud}/_cloud/log`, { method: "DELETE" });
  const began = performance.now();
  stack.database(`insert into fleet_scans (id, partner_id, started_at, total) select gen_random_uuid(), id, now(), ${domains.length} from partners where home_tid = '${stack.accounts.partner_tenant}';
    update scans set due_at = now(), fleet_id = (select id from fleet_scans where ended_at is null)`);
  let most = 0;
  let first = null;
  const { portal } = stack.pids();
  const done = "select count(*) from scans s join fleet_scans f on f.id = s.fleet_id where f.ended_at is null and s.ended_at >= f.started_at or f.ended_at is not null and s.ended_at >= f.started_at";
  for (;;) {
    const read = number(done);
    most = Math.max(most, mebibytes(portal));
    if (read > 0) first ??= (performance.now() - began) / 1000;
    if (read >= domains.length) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const wall = (performance.now() - began) / 1000;
  // What latency alone asks for: each customer's longest chain of parts that wait for each other,
  // so many customers at once.
  const chains = stack.database("select max((p ->> 'took_millis')::int) from scans, jsonb_array_elements(parts) p group by customer_id").split("\n").map(Number);
  const bound = (chains.reduce((sum, millis) => sum + millis, 0) / 1000 / AT_ONCE) || 1;
  const calls = stack.database("select sum((p ->> 'calls')::int) from scans, jsonb_array_elements(parts) p group by customer_id").split("\n").map(Number);
  const logged = (await (await fetch(`${stack.cloud}/_cloud/log`)).json()).log.length;
  say(`${round(wall)} s for ${domains.length} customers`);

  // The simple way costs one call per principal and waits for each: from the calls' own latency.
  const perCall = 0.08;
  const exchange = 2;
  const simple = domains.length * (200 * perCall + 5 * exchange);
  return {
    rows: [
      { what: "customers", value: domains.length },
      { what: "wall time, s", value: round(wall) },
      { what: `lower bound by latency with ${AT_ONCE} at once, s`, value: round(bound) },
      { what: "one request after the other, one call per principal (computed from the cloud's latencies), s", value: round(simple) },
      { what: "calls per customer, median", value: median(calls) },
      { what: "calls that the cloud answered", value: logged },
      { what: "until the first customer shows, s", value: round(first) },
      { what: "memory of the portal with its worker, most, MiB", value: most },
    ],
    targets: [
      { what: "wall time against the lower bound", value: round(wall / bound), unit: "times", most: MOST_TIME },
      { what: "memory", value: most, unit: "MiB", most: MOST_MEMORY },
    ],
  };
}
