// How long the server takes for each page when the partner looks after 1,000 customers.
import { crowd } from "./parts/crowd.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "time of the server for a whole page, with 1,000 customers";

const CUSTOMERS = 1000;
const WARM_UP = 20;
const TIMES = 200;
const MOST = 10; // milliseconds, median

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const cookie = cookieHeader(await signIn(await browser(), stack));
  const { customer, setup } = crowd(stack, CUSTOMERS);
  const rows = [];
  for (const path of [
    "/exposure",
    `/customers/${customer}`,
    "/customers/connect",
    "/customers",
    "/customers?search=Customer+009",
    "/customers?sort=health&page=7",
    "/running",
    "/people",
    "/account",
    `/customers/${customer}/history`,
    `/customers/${customer}/setups/${setup}`,
  ]) {
    const times = [];
    let bytes = 0;
    for (let turn = -WARM_UP; turn < TIMES; turn += 1) {
      const begin = performance.now();
      const answer = await fetch(stack.portal + path, { headers: { cookie, "accept-encoding": "identity" }, redirect: "manual" });
      const body = await answer.text();
      // Scripts with the page's data may follow the document.
      if (answer.status !== 200 || !body.includes("</html>")) throw new Error(`${path} answers ${answer.status}`);
      if (turn >= 0) times.push(performance.now() - begin);
      bytes = body.length;
    }
    const page = path.replace(customer, ":id").replace(setup, ":setup");
    rows.push({ page, "median ms": round(median(times)), "p99 ms": round(quantile(times, 0.99)), bytes });
    say(`${page}: ${rows.at(-1)["median ms"]} ms`);
  }
  const slowest = Math.max(...rows.map((row) => row["median ms"]));
  return { rows, targets: [{ what: "median of the slowest page", value: slowest, unit: "ms", most: MOST }] };
}
