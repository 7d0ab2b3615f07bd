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

/**
 * Applications of every customer with all that is kept of them, as if they had been read last night:
 * credentials, sums, the numbers of the days, a scan of all that goes on, and setups that proved one
 * application at each customer.
 */
export const reaches = `
    update scans set read_at = now() - interval '5 hours', ended_at = now() - interval '5 hours', outcome = 'whole', names = '{}', parts = '[]', changes = '[]',
           reach = '{"without_exchange":false,"mailbox_count":7,"mailboxes":[],"sets":[],"policies":[],"assignments":[],"gaps":[],"applications":[],"unlisted":{"reach":"nothing"}}'
    where customer_id in (select id from customers where name like 'Customer %');
    insert into reaches (customer_id, object, partner_id, app_id, name, publisher, owner, level, as_proven, can_be_confined, permissions, levels, details, sought)
    select id, gen_random_uuid(), partner_id, app_id, name, publisher, '{"owner":"not_told"}', level, level = 3, n % 3 > 0,
           array['Mail.Send', 'Mail.Read'], array[level, ((level + n) % 5)::smallint],
           jsonb_build_object('verified_publisher', publisher, 'owner_tenant', gen_random_uuid(), 'created_at', 1795464245123, 'notes', null,
             'registration_unread', null, 'credentials', jsonb_build_array(
               jsonb_build_object('kind', 'secret', 'of', 'registration', 'name', 'a secret of it', 'ends_at', 1795464245123),
               jsonb_build_object('kind', 'certificate', 'of', 'principal', 'name', 'a certificate of it', 'ends_at', 1795464245123))),
           lower(concat_ws(' ', name, publisher, app_id::text))
    from (select c.id, c.partner_id, n, md5('application ' || app)::uuid as app_id, 'Application ' || lpad(app::text, 4, '0') as name,
                 'Vendor ' || app % 40 as publisher, level
          from (select c.*, n, case when n <= 40 then n else 1000 + (row_number() over ())::int % 400 end as app,
                       (abs(hashtext(c.id::text || n)) % 5)::smallint as level
                from customers c, generate_series(1, ${APPLICATIONS}) n where c.name like 'Customer %') c) c;
    insert into reach_sums (partner_id, kind, subject, permission, app_id, name, publisher, unrestricted, all_except, unknown, confined, nothing, confinable)
    select partner_id, kind, subject, permission, case when kind = 'application' and permission = '' then subject end,
           case when kind = 'application' and permission = '' then max(name) else '' end,
           case when kind = 'application' and permission = '' then max(publisher) end,
           count(*) filter (where level = 0), count(*) filter (where level = 1), count(*) filter (where level = 2),
           count(*) filter (where level = 3), count(*) filter (where level = 4), count(*) filter (where can_be_confined and level <= 2)
    from (select r.partner_id, r.can_be_confined, r.name, r.publisher, h.permission, h.level, k.kind, k.subject
          from reaches r,
               lateral (select '' as permission, r.level union all select * from unnest(r.permissions, r.levels)) h,
               lateral (values ('customer', r.customer_id), ('application', r.app_id)) k(kind, subject)) r
    group by partner_id, kind, subject, permission;
    insert into reach_days (partner_id, customer_id, day, unrestricted, all_except, unknown, confined, proven, nothing)
    select p.id, c.id, current_date - n, 10, 10, 10, 10, 5, 5
    from partners p, generate_series(0, 89) n,
         lateral (select id from customers where partner_id = p.id union all select '00000000-0000-0000-0000-000000000000') c;
    insert into fleet_scans (id, partner_id, started_by_name, started_at, total)
    select gen_random_uuid(), id, 'Olivia Owner', now() - interval '1 minute', ${CUSTOMERS} from partners;
    update scans s set fleet_id = f.id from fleet_scans f where f.partner_id = s.partner_id;
    update scans set ended_at = now() where abs(hashtext(customer_id::text)) % 2 = 0;
    insert into setups (id, partner_id, customer_id, application_object, app_id, application_name, plan, intent, state,
                        proof, doing, started_by, started_by_name, started_at, ended_at, version)
    select gen_random_uuid(), r.partner_id, r.customer_id, r.object, r.app_id, r.name,
           coalesce((select s.plan from setups s where s.customer_id = r.customer_id limit 1), '{}'), 'forward', 'done', 'proven', 'Finished.',
           o.id, o.name, now() - interval '1 hour', now(), 9
    from (select distinct on (customer_id) * from reaches where level = 3 order by customer_id, object) r
    join operators o on o.partner_id = r.partner_id and o.role = 'owner';
    vacuum analyze reaches; vacuum analyze reach_sums; analyze;`;

export async function run({ startStack, browser, say }) {
  const stack = await startStack();
  const cookie = cookieHeader(await signIn(await browser(), stack));
  const { customer } = crowd(stack, CUSTOMERS, 2);
  for (const part of reaches.split(/;\n/)) stack.database(part);
  const rows = [];
  for (const path of [
    "/exposure",
    "/exposure?by=customer",
    "/exposure?by=permission",
    "/exposure?by=each&page=500",
    "/exposure?search=vendor+7&standing=unrestricted",
    "/exposure?permission=Mail.Send&sort=most",
    "/exposure?by=each&can=1&app=8f8a1d4e-0000-4000-8000-000000000000",
    `/customers/${customer}`,
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
  // Downloads: all rows, at one stroke.
  let slowest = 0;
  for (const kind of ["csv", "json"]) {
    const begin = performance.now();
    const answer = await fetch(`${stack.portal}/exposure.${kind}?by=each`, { headers: { cookie } });
    const body = await answer.text();
    const took = performance.now() - begin;
    const there = kind === "csv" ? body.trim().split("\r\n").length - 1 : JSON.parse(body).length;
    if (there !== CUSTOMERS * APPLICATIONS) throw new Error(`the ${kind} has ${there} rows`);
    slowest = Math.max(slowest, took);
    rows.push({ page: `/exposure.${kind}?by=each`, "median ms": round(took), "p99 ms": round(took), bytes: body.length });
    say(`${kind} of ${there} rows: ${round(took)} ms`);
  }
  return {
    rows,
    targets: [
      { what: "median of the exposure", value: rows[0]["median ms"], unit: "ms", most: MOST },
      {
        what: "median of the slowest view of it",
        value: Math.max(...rows.filter(({ page }) => !page.includes("exposure.")).map((row) => row["median ms"])),
        unit: "ms",
        most: MOST,
      },
      { what: `the slower download of ${CUSTOMERS * APPLICATIONS} rows`, value: round(slowest / 1000), unit: "s", most: 5 },
    ],
  };
}
