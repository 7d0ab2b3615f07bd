// What strangers can do to those who are signed in: 200 of them hammer sign-in, callback,
// invitations and readiness for a minute, while a customer's setup goes on and a page is loaded.
import { readFileSync } from "node:fs";

import { connectAll } from "./parts/fleet.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { startSetup } from "./parts/setup.mjs";
import { storm } from "./parts/strangers.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "a signed-in page and a setup while strangers hammer what is open to all";

const SECONDS = Number(process.env.BENCH_STORM_SECONDS ?? 60);
const STRANGERS = Number(process.env.BENCH_STRANGERS ?? 200);
const SPEED = 60; // of the cloud's clock: the setup then lasts longer than the storm
const DOMAIN = "fabrikam.example";
const PAGE = "/customers";
const ALONE = 100; // loads
const MOST_TIMES = 3; // of the median alone
const MOST_ROWS = 5; // of one browser
const MOST_MEMORY = 150; // MiB
const PATIENCE = 10 * 60_000; // milliseconds until the setup must have ended

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const mebibytes = (pid) => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 102.4) / 10;

export async function run({ startStack, browser, say }) {
  const stack = await startStack({ speed: 600, settings: { POSTERN_PACE: String(SPEED), POSTERN_TRUSTED_PROXIES: "0" } });
  const state = await signIn(await browser(), stack);
  const cookie = cookieHeader({ cookies: state.cookies.filter(({ domain }) => stack.portal.includes(domain)) });
  await connectAll(stack, state, [DOMAIN], say);
  const customer = stack.database("select id from customers");
  while (Number(stack.database("select count(*) from scans where read_at is null or asked")) > 0) await sleep(200);
  const application = await control(stack, "applications", { tenant: DOMAIN, name: "Storm mailer", grants: ["graph:Mail.Send"] });
  await control(stack, "clock", { speed: SPEED });

  const { portal } = stack.pids();
  const load = async () => {
    const began = performance.now();
    const answer = await fetch(stack.portal + PAGE, { headers: { cookie, accept: "text/html" }, redirect: "manual" });
    await answer.arrayBuffer();
    return { took: performance.now() - began, status: answer.status };
  };
  for (let turn = 0; turn < 10; turn += 1) await load();
  const alone = [];
  for (let turn = 0; turn < ALONE; turn += 1) {
    const { took, status } = await load();
    if (status !== 200) throw new Error(`${PAGE} answers ${status}, and nobody storms`);
    alone.push(took);
  }
  const memory = { before: mebibytes(portal), most: 0 };
  say(`alone: ${round(median(alone))} ms`);

  await startSetup({ portal: stack.portal, cookie, customer, domain: DOMAIN, application, group: "postern-storm-mailer" });
  const version = () => Number(stack.database("select version from setups"));
  const ended = () => stack.database("select state from setups where ended_at is not null");
  const began = { version: version(), rows: rowsLeft(stack) };
  const under = [];
  let refused = 0;
  let over = false;
  const strangers = storm({ portal: stack.portal, count: STRANGERS, seconds: SECONDS }).finally(() => (over = true));
  while (!over) {
    const { took, status } = await load().catch(() => ({ took: 0, status: "none" }));
    if (status === 200) under.push(took);
    else refused += 1;
    memory.most = Math.max(memory.most, mebibytes(portal));
    await sleep(50);
  }
  const counts = await strangers;
  const progress = version() - began.version;
  const left = rowsLeft(stack) - began.rows;
  const mostOfOne = Number(stack.database("select coalesce(max(n), 0) from (select count(*) as n from sign_ins group by browser_hash) b"));
  const asked = Object.values(counts).reduce((sum, count) => sum + count, 0);
  say(
    `${asked} answers to strangers: ${Object.entries(counts)
      .sort()
      .map(([what, count]) => `${what}: ${count}`)
      .join(", ")}`,
  );

  // What was in the way must not have spoilt it.
  const waited = Date.now();
  while (!ended() && Date.now() - waited < PATIENCE) await sleep(500);
  const setup = ended() || "not ended";
  if (under.length === 0) throw new Error(`${PAGE} was never answered: ${refused} loads failed`);
  const times = round(median(under) / median(alone));
  const row = (when, list, failed, more) => ({
    when,
    loads: list.length,
    refused: failed,
    "median ms": round(median(list)),
    "p95 ms": round(quantile(list, 0.95)),
    ...more,
  });
  return {
    rows: [
      row("alone", alone, 0, {
        "strangers' requests a second": 0,
        "steps of the setup saved": 0,
        "rows in sign_ins": began.rows,
        "MiB resident": memory.before,
      }),
      row("storm", under, refused, {
        "strangers' requests a second": round(asked / SECONDS),
        "steps of the setup saved": progress,
        "rows in sign_ins": left,
        "MiB resident": memory.most,
      }),
    ],
    targets: [
      { what: "the page's median, times that alone", value: times, unit: "×", most: MOST_TIMES },
      { what: "loads of the page that were refused", value: refused, unit: "", most: 0 },
      { what: "changes of the setup during the storm", value: progress, unit: "", least: 1 },
      { what: `the setup done and proven (it is ${setup})`, value: setup === "done" ? 1 : 0, unit: "", least: 1 },
      { what: "rows of one browser left behind in sign_ins, at most", value: mostOfOne, unit: "", most: MOST_ROWS },
      { what: "memory", value: memory.most, unit: "MiB", most: MOST_MEMORY },
    ],
  };
}

const rowsLeft = (stack) => Number(stack.database("select count(*) from sign_ins"));

async function control(stack, path, body) {
  const answer = await fetch(`${stack.cloud}/_cloud/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`/_cloud/${path} answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}
