//! The exposure over all customers: grouped, searched, sorted and paged in one query each.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::{
    Problem, Timestamp,
    exposure::{
        By, DayTally, EXPOSURE_PER_PAGE, ExposureQuery, ExposureRow, ExposureSort, Fleet, NotRead,
        Standing, Tally,
    },
    id::{AppId, CustomerId, FleetId, ObjectId},
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx,
    clean::{self, from_json, moment},
};

/// Every application of every customer of partner `$1`, with its level and whether it is proven.
macro_rules! standings {
    () => {
        "select r.customer_id, r.object, r.app_id, r.name, r.publisher, r.permissions, r.levels,
                r.level, r.as_proven and p.app_id is not null as proven
         from reaches r
         left join (select distinct customer_id, app_id from setups
                    where partner_id = $1 and state = 'done' and proof = 'proven') p
             on p.customer_id = r.customer_id and p.app_id = r.app_id
         where r.partner_id = $1"
    };
}
pub(crate) use standings;

/// The six numbers, in the order of [`Tally`].
macro_rules! tally {
    () => {
        "count(*) filter (where level = 0) as unrestricted,
         count(*) filter (where level = 1) as all_except,
         count(*) filter (where level = 2) as unknown,
         count(*) filter (where level = 3 and not proven) as confined,
         count(*) filter (where level = 3 and proven) as proven,
         count(*) filter (where level = 4) as nothing"
    };
}
pub(crate) use tally;

/// What a row is, by what the rows stand for: the columns before the six numbers, and the groups.
const fn grouping(by: By) -> (&'static str, &'static str) {
    match by {
        By::Application => (
            "max(name) as name, coalesce(max(publisher), '') as beside,
             (array_agg(app_id))[1] as app_id,
             case when count(*) = 1 then (array_agg(customer_id))[1] end as customer_id,
             case when count(*) = 1 then max(customer_name) end as customer_name,
             case when count(*) = 1 then (array_agg(object))[1] end as object,
             count(*) as customers",
            "group by coalesce(app_id, object)",
        ),
        By::Customer => (
            "max(customer_name) as name, max(domain) as beside, null::uuid as app_id,
             customer_id, max(customer_name) as customer_name, null::uuid as object,
             1::bigint as customers",
            "group by customer_id",
        ),
        By::Permission => (
            "permission as name, '' as beside, null::uuid as app_id, null::uuid as customer_id,
             null::text as customer_name, null::uuid as object,
             count(distinct customer_id) as customers",
            "group by permission",
        ),
        By::Each => (
            "max(name) as name, coalesce(max(publisher), '') as beside,
             (array_agg(app_id))[1] as app_id, customer_id, max(customer_name) as customer_name,
             object, 1::bigint as customers",
            "group by customer_id, object",
        ),
    }
}

const fn order(sort: ExposureSort) -> &'static str {
    match sort {
        ExposureSort::Worst => {
            "unrestricted desc, all_except desc, unknown desc, confined desc, lower(name)"
        }
        ExposureSort::Name => "lower(name)",
        ExposureSort::Most => "customers desc, unrestricted desc, lower(name)",
    }
}

/// Text of the query: only pieces that stand here.
fn sql(query: &ExposureQuery) -> String {
    let (columns, groups) = grouping(query.by);
    let order = order(query.sort);
    let held = if query.by == By::Permission || !query.permission.is_empty() {
        "s.customer_id, s.object, s.app_id, s.name, s.publisher, s.proven, h.held as level,
         h.permission from s
         join lateral unnest(s.permissions, s.levels) as h(permission, held)
             on $5 = '' or h.permission = $5"
    } else {
        "s.customer_id, s.object, s.app_id, s.name, s.publisher, s.proven, s.level,
         '' as permission from s where $5 = ''"
    };
    let standings = standings!();
    let tally = tally!();
    format!(
        "with s as ({standings} and ($4::uuid is null or r.app_id = $4)
                                 and ($8::uuid is null or r.customer_id = $8)),
         h as (select {held}),
         each as (
             select h.*, c.name as customer_name, c.domain from h
             join customers c on c.partner_id = $1 and c.id = h.customer_id
             where ($2 = '' or strpos(lower(h.name), $2) > 0
                    or strpos(lower(coalesce(h.publisher, '')), $2) > 0
                    or strpos(lower(c.name), $2) > 0 or strpos(lower(c.domain), $2) > 0
                    or strpos(h.app_id::text, $2) > 0)
               and ($3 = '' or $3 = case when level = 0 then 'unrestricted'
                        when level = 1 then 'all_except' when level = 2 then 'unknown'
                        when level = 3 and proven then 'proven' when level = 3 then 'confined'
                        else 'nothing' end)),
         grouped as materialized (select {columns}, {tally} from each {groups}),
         counted as (
             select count(*) as matching, greatest((count(*) + $7 - 1) / $7, 1) as pages,
                    least(greatest($6, 1), greatest((count(*) + $7 - 1) / $7, 1)) as page
             from grouped),
         placed as (
             select g.*, row_number() over (order by {order}, customer_name, object) as place
             from grouped g)
         select counted.matching, counted.page, counted.pages, p.*,
                case when p.app_id is not null then array(
                    select distinct held from reaches r, unnest(r.permissions) as held
                    where r.partner_id = $1 and r.app_id = p.app_id
                      and (p.customer_id is null or r.customer_id = p.customer_id)
                    order by held) end as permissions
         from counted left join placed p
             on p.place > (counted.page - 1) * $7 and p.place <= counted.page * $7
         order by p.place"
    )
}

#[derive(FromRow)]
struct Row {
    matching: i64,
    page: i64,
    pages: i64,
    /// Null in the one row of a list without rows.
    name: Option<String>,
    beside: Option<String>,
    app_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    customer_name: Option<String>,
    object: Option<Uuid>,
    customers: Option<i64>,
    unrestricted: Option<i64>,
    all_except: Option<i64>,
    unknown: Option<i64>,
    confined: Option<i64>,
    proven: Option<i64>,
    nothing: Option<i64>,
    permissions: Option<Vec<String>>,
}

impl Row {
    fn exposure(self) -> Option<ExposureRow> {
        let count = Option::unwrap_or_default;
        Some(ExposureRow {
            name: self.name?,
            beside: self.beside.unwrap_or_default(),
            application: self.app_id.map(AppId),
            customer: self.customer_id.map(CustomerId),
            customer_name: self.customer_name,
            object: self.object.map(ObjectId),
            permissions: self.permissions.unwrap_or_default(),
            customers: count(self.customers),
            tally: Tally {
                unrestricted: count(self.unrestricted),
                all_except: count(self.all_except),
                unknown: count(self.unknown),
                confined: count(self.confined),
                proven: count(self.proven),
                nothing: count(self.nothing),
            },
        })
    }
}

/// One page of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureRows {
    pub rows: Vec<ExposureRow>,
    pub matching: i64,
    pub page: i64,
    pub pages: i64,
}

/// What stands above the rows, whatever the filter.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureTotals {
    pub tally: Tally,
    pub customers: i64,
    pub open_customers: i64,
    pub read_from: Option<Timestamp>,
    pub read_to: Option<Timestamp>,
    pub not_read: Vec<NotRead>,
    pub not_read_count: i64,
    pub permissions: Vec<String>,
}

#[derive(FromRow)]
struct TotalsRow {
    unrestricted: i64,
    all_except: i64,
    unknown: i64,
    confined: i64,
    proven: i64,
    nothing: i64,
    open_customers: i64,
}

#[derive(FromRow)]
struct NotReadRow {
    id: Uuid,
    name: String,
    read_at: Option<DateTime<Utc>>,
    problem: Option<Value>,
    connected: bool,
    all_of_them: i64,
}

#[derive(FromRow)]
struct FleetRow {
    id: Uuid,
    started_by_name: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    cancelled: bool,
    total: i32,
    done: i64,
    running: i64,
    failed: i64,
}

#[derive(FromRow)]
struct DayRow {
    day: NaiveDate,
    unrestricted: i32,
    all_except: i32,
    unknown: i32,
    confined: i32,
    proven: i32,
    nothing: i32,
}

impl Tx {
    /// One page. A page beyond the end is the last one.
    pub async fn exposure(&mut self, query: &ExposureQuery) -> Result<ExposureRows> {
        let partner = self.partner();
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql(query)))
            .bind(partner.0)
            .bind(clean::text(query.search.trim()).to_lowercase())
            .bind(query.standing.map_or("", Standing::as_str))
            .bind(query.application.map(|id| id.0))
            .bind(clean::text(&query.permission))
            .bind(query.page)
            .bind(EXPOSURE_PER_PAGE)
            .bind(query.customer.map(|id| id.0))
            .fetch_all(self.conn())
            .await?;
        let first = rows
            .first()
            .ok_or_else(|| Error::corrupt("the exposure has no count"))?;
        let (matching, page, pages) = (first.matching, first.page, first.pages);
        Ok(ExposureRows {
            rows: rows.into_iter().filter_map(Row::exposure).collect(),
            matching,
            page,
            pages,
        })
    }

    /// All rows of a query, for a download.
    pub async fn exposure_all(&mut self, query: &ExposureQuery) -> Result<Vec<ExposureRow>> {
        let mut all = Vec::new();
        let mut query = query.clone();
        query.page = 1;
        loop {
            let found = self.exposure(&query).await?;
            all.extend(found.rows);
            if query.page >= found.pages {
                return Ok(all);
            }
            query.page += 1;
        }
    }

    /// What stands above the rows. Of the customers that could not be read, `few`.
    pub async fn exposure_totals(&mut self, few: i64) -> Result<ExposureTotals> {
        let partner = self.partner();
        let totals: TotalsRow = sqlx::query_as(concat!(
            "select ",
            tally!(),
            ", count(distinct customer_id) filter (where level = 0) as open_customers from (",
            standings!(),
            ") r"
        ))
        .bind(partner.0)
        .fetch_one(self.conn())
        .await?;
        let (customers, read_from, read_to): (i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
            sqlx::query_as(
                "select (select count(*) from customers where partner_id = $1),
                        min(read_at), max(read_at)
                 from scans where partner_id = $1",
            )
            .bind(partner.0)
            .fetch_one(self.conn())
            .await?;
        let not_read: Vec<NotReadRow> = sqlx::query_as(
            "select c.id, c.name, s.read_at, s.problem,
                    coalesce(n.refresh_token is not null, false) as connected,
                    count(*) over () as all_of_them
             from customers c
             left join scans s on s.partner_id = $1 and s.customer_id = c.id
             left join connections n on n.partner_id = $1 and n.customer_id = c.id
             where c.partner_id = $1 and (s.read_at is null or s.outcome in ('failed', 'partial')
                                        or n.refresh_token is null)
             order by s.problem is null, lower(c.name), c.id limit $2",
        )
        .bind(partner.0)
        .bind(few)
        .fetch_all(self.conn())
        .await?;
        let permissions: Vec<String> = sqlx::query_scalar(
            "select distinct held from reaches r, unnest(r.permissions) as held
             where r.partner_id = $1 order by held",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        Ok(ExposureTotals {
            tally: totals.tally(),
            open_customers: totals.open_customers,
            customers,
            read_from: read_from.map(Timestamp::from),
            read_to: read_to.map(Timestamp::from),
            not_read_count: not_read.first().map_or(0, |row| row.all_of_them),
            not_read: not_read
                .into_iter()
                .map(NotReadRow::not_read)
                .collect::<Result<_>>()?,
            permissions,
        })
    }

    /// The numbers of one customer, and the permissions that its applications hold.
    pub async fn customer_totals(
        &mut self,
        access: &CustomerAccess,
    ) -> Result<(Tally, Vec<String>)> {
        let (partner, customer) = self.reads(access)?;
        let totals: TotalsRow = sqlx::query_as(concat!(
            "select ",
            tally!(),
            ", 0::bigint as open_customers from (",
            standings!(),
            ") r where customer_id = $2"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .fetch_one(self.conn())
        .await?;
        let permissions: Vec<String> = sqlx::query_scalar(
            "select distinct held from reaches r, unnest(r.permissions) as held
             where r.partner_id = $1 and r.customer_id = $2 order by held",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_all(self.conn())
        .await?;
        Ok((totals.tally(), permissions))
    }

    /// The newest scan of all customers, and how far it is.
    pub async fn fleet(&mut self, now: Timestamp) -> Result<Option<Fleet>> {
        let partner = self.partner();
        let row: Option<FleetRow> = sqlx::query_as(
            "select f.id, f.started_by_name, f.started_at, f.ended_at, f.cancelled, f.total,
                    s.done, s.running, s.failed
             from (select * from fleet_scans where partner_id = $1
                   order by started_at desc limit 1) f,
             lateral (
                 select count(*) filter (where ended_at >= f.started_at) as done,
                        count(*) filter (where lease is not null and lease_until > $2) as running,
                        count(*) filter (where ended_at >= f.started_at and outcome = 'failed')
                            as failed
                 from scans where partner_id = $1 and fleet_id = f.id) s",
        )
        .bind(partner.0)
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(|row| row.fleet(now)))
    }

    /// The numbers of the last `days` days, the oldest first: of one customer, or of all together.
    pub async fn reach_days(
        &mut self,
        access: Option<&CustomerAccess>,
        days: i64,
    ) -> Result<Vec<DayTally>> {
        let partner = self.partner();
        let customer = match access {
            Some(access) => self.reads(access)?.1.0,
            None => Uuid::nil(),
        };
        let mut rows: Vec<DayRow> = sqlx::query_as(
            "select day, unrestricted, all_except, unknown, confined, proven, nothing
             from reach_days where partner_id = $1 and customer_id = $2
             order by day desc limit $3",
        )
        .bind(partner.0)
        .bind(customer)
        .bind(days)
        .fetch_all(self.conn())
        .await?;
        rows.reverse();
        Ok(rows.into_iter().map(DayRow::tally).collect())
    }
}

impl TotalsRow {
    const fn tally(&self) -> Tally {
        Tally {
            unrestricted: self.unrestricted,
            all_except: self.all_except,
            unknown: self.unknown,
            confined: self.confined,
            proven: self.proven,
            nothing: self.nothing,
        }
    }
}

impl NotReadRow {
    fn not_read(self) -> Result<NotRead> {
        let why = match self.problem {
            Some(problem) => from_json::<Problem>("scans.problem", problem)?.happened,
            None if self.connected => "Its turn comes.".to_owned(),
            None => "It is not connected.".to_owned(),
        };
        Ok(NotRead {
            customer: CustomerId(self.id),
            name: self.name,
            read: self.read_at.map(Timestamp::from),
            why,
        })
    }
}

impl FleetRow {
    fn fleet(self, now: Timestamp) -> Fleet {
        let started = Timestamp::from(self.started_at);
        let total = i64::from(self.total);
        let left = total.saturating_sub(self.done).max(0);
        let spent = now.millis().saturating_sub(started.millis());
        Fleet {
            id: FleetId(self.id),
            started_by: self.started_by_name,
            started,
            ended: self.ended_at.map(Timestamp::from),
            cancelled: self.cancelled,
            total,
            done: self.done,
            running: self.running,
            failed: self.failed,
            remaining_millis: (self.ended_at.is_none() && self.done > 0)
                .then(|| spent.saturating_mul(left) / self.done),
        }
    }
}

impl DayRow {
    fn tally(self) -> DayTally {
        DayTally {
            day: Timestamp::from(self.day.and_time(NaiveTime::MIN).and_utc()),
            tally: Tally {
                unrestricted: self.unrestricted.into(),
                all_except: self.all_except.into(),
                unknown: self.unknown.into(),
                confined: self.confined.into(),
                proven: self.proven.into(),
                nothing: self.nothing.into(),
            },
        }
    }
}
