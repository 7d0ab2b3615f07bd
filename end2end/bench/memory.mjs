// Memory of the server while it answers 10,000 requests for pages.
import { readFileSync } from "node:fs";

import { crowd } from "./parts/crowd.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "memory of the server over 10,000 requests for pages";

const CUSTOMERS = 1000;
const REQUESTS = 10_000;
const ROUNDS = 10;
const AT_ONCE = 8;
const MOST_GROWTH = 10; // per cent, from the end of the warm-up to the end

const mebibytes = (pid) => {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(kibibytes) / 102.4) / 10;
};

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const cookie = cookieHeader(await signIn(await browser(), stack));
  const { customer, setup } = crowd(stack, CUSTOMERS);
  const paths = ["/customers", "/running", `/customers/${customer}/history`, `/customers/${customer}/setups/${setup}`];
  const { portal } = stack.pids();
  const rows = [{ requests: 0, "MiB resident": mebibytes(portal) }];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await ask(stack.portal, cookie, paths, REQUESTS / ROUNDS);
    rows.push({ requests: (round * REQUESTS) / ROUNDS, "MiB resident": mebibytes(portal) });
    say(`${rows.at(-1).requests} requests: ${rows.at(-1)["MiB resident"]} MiB`);
  }
  // The first three rounds fill pools and caches.
  const growth = Math.round((rows.at(-1)["MiB resident"] / rows[3]["MiB resident"] - 1) * 1000) / 10;
  return { rows, targets: [{ what: "growth after the warm-up", value: growth, unit: "%", most: MOST_GROWTH }] };
}

async function ask(portal, cookie, paths, count) {
  let next = 0;
  const one = async () => {
    while (next < count) {
      const path = paths[next++ % paths.length];
      const answer = await fetch(portal + path, { headers: { cookie }, redirect: "manual" });
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${path} answers ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}
