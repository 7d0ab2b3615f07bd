// How long the server takes for the exposure when the partner looks after 1,000 customers with
// 50,000 applications.
import { crowd } from "./parts/crowd.mjs";
import { median, quantile, round } from "./parts/numbers.mjs";
import { cookieHeader, signIn } from "./parts/visitor.mjs";

export const title = "time of the server for the exposure, with 1,000 customers and 50,000 applications";

const CUSTOMERS = 1000;
const APPLICATIONS = 50; // of each customer; most of them are the same at many
const WARM_UP = 5;
const TIMES = 60;
const MOST = 50; // milliseconds, median

/** Applications of every customer, as if they had been read last night. */
function reaches(stack) {
  stack.database(`
    update scans set read_at = now() - interval '5 hours', ended_at = now() - interval '5 hours', outcome = 'whole';
    insert into reaches (customer_id, object, partner_id, app_id, name, publisher, owner, level, permissions, levels)
    select c.id, gen_random_uuid(), c.partner_id, md5('application ' || app)::uuid, 'Application ' || lpad(app::text, 4, '0'),
           'Vendor ' || app % 40, '{"owner":"not_told"}', level, array['Mail.Send', 'Mail.Read'], array[level, level]
    from (select c.*, n, case when n <= 40 then n else 1000 + (row_number() over ())::int % 400 end as app,
                 (abs(hashtext(c.id::text || n)) % 5)::smallint as level
          from customers c, generate_series(1, ${APPLICATIONS}) n where c.name like 'Customer %') c;
    analyze;`);
}

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const cookie = cookieHeader(await signIn(await browser(), stack));
  crowd(stack, CUSTOMERS, 2);
  reaches(stack);
  const rows = [];
  for (const path of [
    "/exposure",
    "/exposure?by=customer",
    "/exposure?by=permission",
    "/exposure?by=each&page=500",
    "/exposure?search=vendor+7&standing=unrestricted",
    "/exposure?permission=Mail.Send&sort=most",
  ]) {
    const times = [];
    let bytes = 0;
    for (let turn = -WARM_UP; turn < TIMES; turn += 1) {
      const begin = performance.now();
      const answer = await fetch(stack.portal + path, { headers: { cookie, "accept-encoding": "identity" }, redirect: "manual" });
      const body = await answer.text();
      if (answer.status !== 200 || !body.includes("</html>")) throw new Error(`${path} answers ${answer.status}`);
      if (turn >= 0) times.push(performance.now() - begin);
      bytes = body.length;
    }
    rows.push({ page: path, "median ms": round(median(times)), "p99 ms": round(quantile(times, 0.99)), bytes });
    say(`${path}: ${rows.at(-1)["median ms"]} ms`);
  }
  return {
    rows,
    targets: [
      { what: "median of the exposure", value: rows[0]["median ms"], unit: "ms", most: MOST },
      { what: "median of the slowest view of it", value: Math.max(...rows.map((row) => row["median ms"])), unit: "ms", most: MOST },
    ],
  };
}
