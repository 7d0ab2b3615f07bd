// Setups from start to proof, 1, 10 and 100 at once, each in a customer of its own, against the
// time that the cloud itself needs.
//
// Postern's own share of a setup's time is what is neither a call under way nor a wait that a step
// had planned: queue, database, computing, waking up late. The database writes down every save
// with its time and the next look that was planned; the calls are counted in the cloud's log and
// take what the cloud's latency is on average.
import { readFileSync } from "node:fs";

import { connectAll, fleetOf } from "./parts/fleet.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { startSetup } from "./parts/setup.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "setups at once, from start to proof";

const AT_ONCE = (process.env.BENCH_AT_ONCE ?? "1,10,100").split(",").map(Number);
const SPEED = 60; // of the cloud's clock: an hour of Microsoft's takes a minute
const LATENCY = { graph: 0.08, exchange: 2, entra: 0 }; // seconds of the cloud's clock: end2end/cloud/src/decisions.rs
const UNFIT = [8, 10, 15, 19]; // of twenty of a fleet: with policies for all applications, never customised, without Exchange, with thousands of applications
const MOST_SHARE = 5; // per cent
const PATIENCE = 15 * 60_000; // milliseconds
const MOST_MEMORY = 150; // MiB

const mebibytes = (pid) => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 102.4) / 10;
/** Processor seconds that a process has used. */
const processor = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

export async function run({ startStack, browser, say }) {
  const needed = AT_ONCE.reduce((sum, count) => sum + count, 0);
  const fleet = Math.ceil((needed * 20) / (20 - UNFIT.length)) + 20;
  const stack = await startStack({ seed: `fleet:${fleet}`, speed: 600, settings: { POSTERN_PACE: String(SPEED) } });
  const state = await signIn(await browser(), stack);
  const customers = (await fleetOf(stack)).filter(({ domain }) => !UNFIT.includes((Number(/(\d{4})\.example$/.exec(domain)[1]) - 1) % 20)).slice(0, needed);
  if (customers.length < needed) throw new Error(`${customers.length} customers fit, ${needed} are needed`);
  await connectAll(
    stack,
    state,
    customers.map(({ domain }) => domain),
    say,
  );
  const ids = new Map(
    stack
      .database("select tid || ' ' || id from customers")
      .split("\n")
      .map((line) => line.split(" ")),
  );
  // Their first readings are not what is measured.
  while (Number(stack.database("select count(*) from scans where read_at is not null")) < needed) await sleep(500);
  stack.database(`
    create table bench_saves (setup uuid, at timestamptz, state text, next_look_at timestamptz);
    create function bench_save() returns trigger language plpgsql security definer as $$
      begin insert into bench_saves values (new.id, clock_timestamp(), new.state, new.next_look_at); return new; end $$;
    create trigger bench after insert or update on setups for each row execute function bench_save();`);
  // Consents spread fast until here.
  await control(stack, "clock", { speed: SPEED });
  const rows = [];
  const shares = [];
  const shares95 = [];
  let most = 0;
  for (const count of AT_ONCE) {
    const batch = customers.splice(0, count);
    say(`${count} at once`);
    const { row, share, share95, memory } = await together(stack, state, batch, ids);
    rows.push(row);
    shares.push(share);
    shares95.push(share95);
    most = Math.max(most, memory);
  }
  return {
    rows,
    targets: [
      ...AT_ONCE.map((count, at) => ({ what: `Postern's own share with ${count} at once`, value: shares[at], unit: "%", most: MOST_SHARE })),
      ...AT_ONCE.map((count, at) => ({ what: `the same at p95 with ${count} at once`, value: shares95[at], unit: "%", most: MOST_SHARE })),
      { what: "memory", value: most, unit: "MiB", most: MOST_MEMORY },
    ],
  };
}

const control = async (stack, path, body) =>
  (await fetch(`${stack.cloud}/_cloud/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

async function together(stack, state, batch, ids) {
  const applications = [];
  for (const { domain } of batch)
    applications.push(await control(stack, "applications", { tenant: domain, name: "Bench mailer", grants: ["graph:Mail.Send"] }));
  await fetch(`${stack.cloud}/_cloud/log`, { method: "DELETE" });
  const { portal } = stack.pids();
  const used = processor(portal);
  const began = Date.now();
  const cookie = cookieHeader({ cookies: state.cookies.filter(({ domain }) => stack.portal.includes(domain)) });
  const one = ({ domain, tenant }, at) =>
    startSetup({ portal: stack.portal, cookie, customer: ids.get(tenant), domain, application: applications[at], group: "postern-bench-mailer" });
  await Promise.all(batch.map(one));
  const apps = applications.map(({ app_id: id }) => `'${id}'`).join(",");
  let memory = 0;
  for (;;) {
    memory = Math.max(memory, mebibytes(portal));
    const [open, failed] = stack
      .database(`select count(*) filter (where ended_at is null) || ' ' || count(*) filter (where state = 'failed') from setups where app_id in (${apps})`)
      .split(" ")
      .map(Number);
    if (failed) throw new Error(stack.database(`select doing from setups where app_id in (${apps}) and state = 'failed'`));
    if (!open) break;
    if (Date.now() - began > PATIENCE) throw new Error(`${open} of ${batch.length} setups did not end`);
    await sleep(500);
  }
  const wall = (Date.now() - began) / 1000;
  const cpu = processor(portal) - used;
  const proven = Number(stack.database(`select count(*) from setups where app_id in (${apps}) and proof = 'proven'`));
  if (proven !== batch.length) throw new Error(`${proven} of ${batch.length} are proven`);
  const spent = await times(stack, apps);
  // Below zero, calls overlapped or were faster than the cloud's average: shown as it is.
  const shares = spent.map(({ whole, waits, calls }) => (100 * (whole - waits - calls)) / whole);
  const share = round(median(shares));
  const share95 = round(quantile(shares, 0.95));
  return {
    share,
    share95,
    memory,
    row: {
      "at once": batch.length,
      "per minute": round((60 * batch.length) / wall),
      "median s": round(median(spent.map(({ whole }) => whole))),
      "of it planned waits s": round(median(spent.map(({ waits }) => waits))),
      "calls s": round(median(spent.map(({ calls }) => calls))),
      "p95 s": round(
        quantile(
          spent.map(({ whole }) => whole),
          0.95,
        ),
      ),
      "own share %": share,
      "own share p95 %": share95,
      "processor s per setup": round(cpu / batch.length),
      "MiB most": memory,
    },
  };
}

/** Seconds of each setup: whole, planned waits, calls. */
async function times(stack, apps) {
  const { now: cloudNow } = await (await fetch(`${stack.cloud}/_cloud/clock`)).json();
  const wallNow = Date.now();
  const { log } = await (await fetch(`${stack.cloud}/_cloud/log`)).json();
  const atWall = (time) => wallNow - (Date.parse(cloudNow) - Date.parse(time)) / SPEED;
  const lines = stack.database(`
    with saves as (
      select b.*, lead(at) over (partition by setup order by at) as next from bench_saves b
    )
    select c.tid || ' ' || extract(epoch from s.started_at) || ' ' || extract(epoch from s.ended_at) || ' ' ||
           coalesce((select sum(extract(epoch from least(next, next_look_at) - at)) from saves
                      where setup = s.id and state = 'waiting' and next_look_at > at), 0)
    from setups s join customers c on c.id = s.customer_id where s.app_id in (${apps})`);
  return lines.split("\n").map((line) => {
    const [tenant, ...numbers] = line.split(" ");
    const [began, ended, waits] = numbers.map(Number);
    // One of a $batch takes no time of its own: the batch does, and is in the log as well.
    const calls = log
      .filter((entry) => !entry.batched && entry.tenant === tenant && atWall(entry.time) >= began * 1000 && atWall(entry.time) <= ended * 1000)
      .reduce((sum, entry) => sum + LATENCY[entry.host] / SPEED, 0);
    return { whole: ended - began, waits, calls };
  });
}
