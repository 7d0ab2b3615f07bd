//! The text of the exposure's query. It is built only from the pieces in this file. User input is
//! bound.
//!
//! | bound | |
//! |---|---|
//! | `$1` | partner |
//! | `$2` | search text, in lower case |
//! | `$3` | standing |
//! | `$4` | application |
//! | `$5` | permission |
//! | `$6`, `$7` | page; rows of a page, none for all rows |
//! | `$8` | customer |
//!
//! Conditions that do not apply are left out, because a plan that must allow for all of them is
//! slow.

use domain::{
    exposure::{By, ExposureQuery, ExposureSort, Standing},
    id::PartnerId,
};
use sqlx::{AssertSqlSafe, Postgres, postgres::PgArguments, query::Query};

use crate::clean;

/// `statement` with all values of the table above. `per_page`: rows of a page. None: all rows.
pub(crate) fn bound(
    statement: String,
    partner: PartnerId,
    query: &ExposureQuery,
    per_page: Option<i64>,
) -> Query<'static, Postgres, PgArguments> {
    sqlx::query(AssertSqlSafe(statement))
        .bind(partner.0)
        .bind(clean::text(query.search.trim()).to_lowercase())
        .bind(query.standing.map_or("", Standing::as_str))
        .bind(query.application.map(|id| id.0))
        .bind(clean::text(&query.permission).into_owned())
        .bind(query.page)
        .bind(per_page)
        .bind(query.customer.map(|id| id.0))
}

/// The applications of partner `$1` that a setup proved and whose reach is within the proof.
macro_rules! proven {
    () => {
        "select r.customer_id, r.object, coalesce(r.app_id, r.object) as key, r.level,
                r.permissions, r.levels
         from (select distinct customer_id, app_id from setups
               where partner_id = $1 and state = 'done' and proof = 'proven') s
         join reaches r on r.partner_id = $1 and r.customer_id = s.customer_id
             and r.app_id = s.app_id and r.as_proven"
    };
}
pub(crate) use proven;

/// The level at which a row of `reaches` counts.
const fn level(query: &ExposureQuery) -> &'static str {
    if query.permission.is_empty() {
        "r.level"
    } else {
        "r.levels[array_position(r.permissions, $5)]"
    }
}

/// The `where` conditions on `reaches r` that the query's filters need.
fn conditions(query: &ExposureQuery) -> String {
    let level = level(query);
    let mut all = vec!["r.partner_id = $1".to_owned()];
    if !query.search.trim().is_empty() {
        all.push(
            "(strpos(r.sought, $2) > 0 or r.customer_id in (select id from found))".to_owned(),
        );
    }
    if query.application.is_some() {
        all.push("r.app_id = $4".to_owned());
    }
    if query.customer.is_some() {
        all.push("r.customer_id = $8".to_owned());
    }
    if !query.permission.is_empty() {
        all.push("$5 = any(r.permissions)".to_owned());
    }
    if query.confinable {
        all.push(format!("r.can_be_confined and {level} <= 2"));
    }
    let proven = "(r.customer_id, r.object) in (select customer_id, object from p)";
    match query.standing {
        None => {}
        Some(Standing::Power) => all.push(format!("{level} = -1")),
        Some(Standing::Unrestricted) => all.push(format!("{level} = 0")),
        Some(Standing::AllExcept) => all.push(format!("{level} = 1")),
        Some(Standing::Unknown) => all.push(format!("{level} = 2")),
        Some(Standing::Confined) => all.push(format!("{level} = 3 and not {proven}")),
        Some(Standing::Proven) => all.push(format!("{level} = 3 and {proven}")),
        Some(Standing::Nothing) => all.push(format!("{level} = 4")),
    }
    all.join(" and ")
}

/// The counts of one group of rows `e`.
const NUMBERS: &str = "
    count(*) filter (where e.level = -1) as power,
    count(*) filter (where e.level = 0) as unrestricted,
    count(*) filter (where e.level = 1) as all_except,
    count(*) filter (where e.level = 2) as unknown,
    count(*) filter (where e.level = 3 and not e.proven) as confined,
    count(*) filter (where e.level = 3 and e.proven) as proven,
    count(*) filter (where e.level = 4) as nothing,
    count(*) filter (where e.can_be_confined and e.level <= 2) as confinable";

/// The same counts from the stored sums `s`. `q.n` is the number of proven rows of each group.
const COUNTED: &str = "
    s.power::bigint, s.unrestricted::bigint, s.all_except::bigint, s.unknown::bigint,
    s.confined - coalesce(q.n, 0) as confined, coalesce(q.n, 0) as proven, s.nothing::bigint,
    s.confinable::bigint";

/// Whether the stored sums can answer the query.
fn is_counted(query: &ExposureQuery) -> bool {
    query.search.trim().is_empty()
        && query.standing.is_none()
        && query.application.is_none()
        && query.customer.is_none()
        && !query.confinable
}

const fn order(sort: ExposureSort) -> &'static str {
    match sort {
        ExposureSort::Worst => {
            "power desc, unrestricted desc, all_except desc, unknown + never_read desc, confined desc,
             lower(name), key"
        }
        ExposureSort::Name => "lower(name), key",
        ExposureSort::Most => "customers desc, power desc, unrestricted desc, lower(name), key",
    }
}

pub(crate) fn sql(query: &ExposureQuery) -> String {
    if query.by == By::Each {
        each(query)
    } else {
        grouped(query)
    }
}

/// The beginning of every query.
fn begin(query: &ExposureQuery) -> String {
    let proven = proven!();
    let here = if query.customer.is_some() {
        " and s.customer_id = $8"
    } else {
        ""
    };
    format!(
        "with bound as (select $1::uuid, $2::text, $3::text, $4::uuid, $5::text, $6::bigint,
                               $7::bigint, $8::uuid),
         p as materialized ({proven}{here}),
         found as materialized (
             select id from customers where partner_id = $1 and $2 <> ''
               and (strpos(lower(name), $2) > 0 or strpos(lower(domain), $2) > 0))"
    )
}

/// The number of rows, and the page that results from it.
const PAGES: &str = "
    pages as (
        select n as matching, greatest((n + $7 - 1) / nullif($7, 0), 1) as pages,
               least(greatest($6, 1), greatest((n + $7 - 1) / nullif($7, 0), 1)) as page
        from counted)";

const PAGE: &str = "limit $7::bigint offset (select coalesce((page - 1) * $7, 0) from pages)";

fn each(query: &ExposureQuery) -> String {
    let (begin, level, conditions) = (begin(query), level(query), conditions(query));
    let count = if is_counted(query) && query.permission.is_empty() {
        "select coalesce(sum(power + unrestricted + all_except + unknown + confined + nothing),
                         0)::bigint as n
         from reach_sums where partner_id = $1 and kind = 'customer' and permission = ''"
            .to_owned()
    } else {
        format!("select count(*) as n from reaches r where {conditions}")
    };
    let order = match query.sort {
        ExposureSort::Worst | ExposureSort::Most => {
            format!("{level}, r.sought, r.customer_id, r.object")
        }
        ExposureSort::Name => "r.sought, r.customer_id, r.object".to_owned(),
    };
    format!(
        "{begin},
         counted as ({count}),
         {PAGES},
         -- The keys first: an index holds them, and the many rows before the page stay unread.
         placed as (
             select r.*, row_number() over () as place
             from (select r.customer_id, r.object
                   from reaches r where {conditions} order by {order} {PAGE}) r),
         e as (
             select r.*, {level} as held, k.place,
                    (r.customer_id, r.object) in (select customer_id, object from p) as shown
             from placed k
             join reaches r on r.partner_id = $1 and r.customer_id = k.customer_id
                 and r.object = k.object)
         select pages.matching, pages.page, pages.pages, e.name,
                coalesce(e.publisher, '') as beside, e.app_id, e.customer_id,
                c.name as customer_name, e.object, 1::bigint as customers,
                0::bigint as never_read,
                (e.held = -1)::int::bigint as power,
                (e.held = 0)::int::bigint as unrestricted,
                (e.held = 1)::int::bigint as all_except,
                (e.held = 2)::int::bigint as unknown,
                (e.held = 3 and not e.shown)::int::bigint as confined,
                (e.held = 3 and e.shown)::int::bigint as proven,
                (e.held = 4)::int::bigint as nothing,
                (e.can_be_confined and e.held <= 2)::int::bigint as confinable,
                e.permissions, e.powers, e.acts_as, e.may_still, e.may_still_until
         from pages left join (e join customers c on c.partner_id = $1 and c.id = e.customer_id)
             on true
         order by e.place"
    )
}

fn grouped(query: &ExposureQuery) -> String {
    let (begin, order) = (begin(query), order(query.sort));
    let rows = match (query.by, is_counted(query)) {
        (By::Permission, true) => of_permissions_counted(query),
        (By::Permission, false) => of_permissions(query),
        (By::Customer, counted) => of_customers(query, counted),
        (By::Application | By::Each, true) => of_applications_counted(query),
        (By::Application | By::Each, false) => of_applications(query),
    };
    let (alone, permissions) = if query.by == By::Application {
        (alone(query), HELD)
    } else {
        (String::new(), "null::text[]")
    };
    let (customer, customer_name, object) = match query.by {
        By::Application => ("a.customer_id", "a.customer_name", "a.object"),
        By::Customer => ("g.key::uuid", "g.name", "null::uuid"),
        By::Permission | By::Each => ("null::uuid", "null::text", "null::uuid"),
    };
    format!(
        "{begin},
         g as materialized ({rows}),
         counted as (select count(*) as n from g),
         {PAGES},
         placed as (
             select g.*, row_number() over (order by {order}) as place
             from g order by place {PAGE})
         select pages.matching, pages.page, pages.pages, g.name, g.beside, g.app_id,
                {customer} as customer_id, {customer_name} as customer_name,
                {object} as object, g.customers, g.never_read, g.power, g.unrestricted,
                g.all_except, g.unknown, g.confined, g.proven, g.nothing, g.confinable,
                {permissions} as permissions, null::text[] as powers, null::text[] as acts_as,
                null::text as may_still, null::timestamptz as may_still_until
         from pages left join placed g on true {alone}
         order by g.place"
    )
}

/// All permissions that an application holds anywhere.
const HELD: &str = "array(select s.permission from reach_sums s
    where s.partner_id = $1 and s.kind = 'application' and s.subject = g.key::uuid
      and s.permission <> '' order by s.permission)";

/// The customer of an application that exists at only one customer.
fn alone(query: &ExposureQuery) -> String {
    let conditions = conditions(query);
    format!(
        "left join lateral (
             select r.customer_id, c.name as customer_name, r.object
             from reaches r join customers c on c.partner_id = $1 and c.id = r.customer_id
             where g.customers = 1 and {conditions}
               and (r.app_id = g.key::uuid or (r.app_id is null and r.object = g.key::uuid))
             limit 1) a on true"
    )
}

fn of_applications_counted(query: &ExposureQuery) -> String {
    let level = level(query);
    format!(
        "select s.subject::text as key, s.name, coalesce(s.publisher, '') as beside, s.app_id,
                0::bigint as never_read,
                (s.power + s.unrestricted + s.all_except + s.unknown + s.confined + s.nothing)::bigint
                    as customers,
                {COUNTED}
         from reach_sums s
         left join (select r.key, count(*) as n from p r where {level} = 3 group by r.key) q
             on q.key = s.subject
         where s.partner_id = $1 and s.kind = 'application' and s.permission = $5"
    )
}

fn of_applications(query: &ExposureQuery) -> String {
    let e = rows(query);
    format!(
        "select coalesce(e.app_id, e.object)::text as key, max(e.name collate \"C\") as name,
                coalesce(max(e.publisher collate \"C\"), '') as beside, e.app_id,
                0::bigint as never_read, count(*) as customers, {NUMBERS}
         from ({e}) e group by coalesce(e.app_id, e.object), e.app_id"
    )
}

/// The selected rows, each with its level and whether it is proven.
fn rows(query: &ExposureQuery) -> String {
    let (level, conditions) = (level(query), conditions(query));
    format!(
        "select r.customer_id, r.object, r.app_id, r.name, r.publisher, r.permissions, r.levels,
                r.can_be_confined, {level} as level,
                (r.customer_id, r.object) in (select customer_id, object from p) as proven
         from reaches r where {conditions}"
    )
}

/// Customers without rows are listed as well: a customer without applications is clean, a customer
/// that was never read is unknown. Only filters on applications leave them out.
fn of_customers(query: &ExposureQuery, counted: bool) -> String {
    let level = level(query);
    let numbers = if counted {
        format!(
            "select s.subject, {COUNTED}
             from reach_sums s
             left join (select r.customer_id, count(*) as n from p r where {level} = 3
                        group by r.customer_id) q on q.customer_id = s.subject
             where s.partner_id = $1 and s.kind = 'customer' and s.permission = $5"
        )
    } else {
        let e = rows(query);
        format!("select e.customer_id as subject, {NUMBERS} from ({e}) e group by e.customer_id")
    };
    let about_all = query.permission.is_empty() && query.application.is_none() && !query.confinable;
    let without = match query.standing {
        _ if !about_all => "false",
        None => "true",
        Some(Standing::Unknown) => "s.read_at is null",
        Some(_) => "false",
    };
    let named = if query.search.trim().is_empty() {
        "true"
    } else {
        "c.id in (select id from found)"
    };
    let here = if query.customer.is_some() {
        "c.id = $8"
    } else {
        "true"
    };
    format!(
        "select c.id::text as key, c.name, c.domain as beside, null::uuid as app_id,
                (s.read_at is null)::int::bigint as never_read, 1::bigint as customers,
                coalesce(b.power, 0) as power, coalesce(b.unrestricted, 0) as unrestricted,
                coalesce(b.all_except, 0) as all_except,
                coalesce(b.unknown, 0) as unknown, coalesce(b.confined, 0) as confined,
                coalesce(b.proven, 0) as proven, coalesce(b.nothing, 0) as nothing,
                coalesce(b.confinable, 0) as confinable
         from customers c
         left join scans s on s.partner_id = $1 and s.customer_id = c.id
         left join ({numbers}) b on b.subject = c.id
         where c.partner_id = $1 and (b.subject is not null or ({without} and {named} and {here}))"
    )
}

fn of_permissions_counted(query: &ExposureQuery) -> String {
    let one = if query.permission.is_empty() {
        "<> ''"
    } else {
        "= $5"
    };
    format!(
        "select s.key, s.key as name, '' as beside, null::uuid as app_id, 0::bigint as never_read,
                s.customers, {COUNTED}
         from (select permission as key, count(*) as customers, sum(power) as power,
                      sum(unrestricted) as unrestricted,
                      sum(all_except) as all_except, sum(unknown) as unknown,
                      sum(confined) as confined, sum(nothing) as nothing,
                      sum(confinable) as confinable
               from reach_sums
               where partner_id = $1 and kind = 'customer' and permission {one}
               group by permission) s
         left join (select h.permission, count(*) as n
                    from p, unnest(p.permissions, p.levels) as h(permission, held)
                    where h.held = 3 group by h.permission) q on q.permission = s.key"
    )
}

fn of_permissions(query: &ExposureQuery) -> String {
    // A permission counts at its own level, so the filters on the level are applied per permission.
    let all = ExposureQuery {
        standing: None,
        confinable: false,
        ..query.clone()
    };
    let e = rows(&all);
    let one = if query.permission.is_empty() {
        "true"
    } else {
        "h.permission = $5"
    };
    let confinable = if query.confinable {
        "e.can_be_confined and h.held <= 2"
    } else {
        "true"
    };
    let standing = match query.standing {
        None => "true",
        Some(Standing::Power) => "h.held = -1",
        Some(Standing::Unrestricted) => "h.held = 0",
        Some(Standing::AllExcept) => "h.held = 1",
        Some(Standing::Unknown) => "h.held = 2",
        Some(Standing::Confined) => "h.held = 3 and not e.proven",
        Some(Standing::Proven) => "h.held = 3 and e.proven",
        Some(Standing::Nothing) => "h.held = 4",
    };
    format!(
        "select e.permission as key, e.permission as name, '' as beside, null::uuid as app_id,
                0::bigint as never_read, count(distinct e.customer_id) as customers, {NUMBERS}
         from (select e.customer_id, e.can_be_confined, e.proven, h.permission, h.held as level
               from ({e}) e, unnest(e.permissions, e.levels) as h(permission, held)
               where {one} and {confinable} and {standing}) e
         group by e.permission"
    )
}
