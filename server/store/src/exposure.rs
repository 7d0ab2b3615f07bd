//! The exposure over all customers: the rows of a query, and the totals above the rows.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    connection::Trouble,
    exposure::{EXPOSURE_PER_PAGE, ExposureQuery, ExposureRow, MayStill, Tally},
    id::{AppId, CustomerId, ObjectId},
};
use sqlx::{FromRow, postgres::PgRow};
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx,
    exposure_sql::{bound, proven, sql},
};

/// Sums the numbers of the customers that a condition selects. `p` holds the proven applications.
macro_rules! tally {
    () => {
        "select coalesce(sum(s.power), 0)::bigint as power,
                coalesce(sum(s.unrestricted), 0)::bigint as unrestricted,
                coalesce(sum(s.all_except), 0)::bigint as all_except,
                coalesce(sum(s.unknown), 0)::bigint as unknown,
                coalesce(sum(s.confined), 0)::bigint - max(q.n) as confined,
                max(q.n) as proven,
                coalesce(sum(s.nothing), 0)::bigint as nothing,
                count(*) filter (where s.power + s.unrestricted > 0) as open_customers
         from (select count(*) as n from p where level = 3) q
         left join reach_sums s on s.partner_id = $1 and s.kind = 'customer'
             and s.permission = ''"
    };
}
pub(crate) use tally;

#[derive(FromRow)]
pub(crate) struct Row {
    matching: i64,
    page: i64,
    pages: i64,
    /// Null in the only row of a list without rows.
    name: Option<String>,
    beside: Option<String>,
    app_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    customer_name: Option<String>,
    object: Option<Uuid>,
    customers: Option<i64>,
    never_read: Option<i64>,
    confinable: Option<i64>,
    power: Option<i64>,
    unrestricted: Option<i64>,
    all_except: Option<i64>,
    unknown: Option<i64>,
    confined: Option<i64>,
    proven: Option<i64>,
    nothing: Option<i64>,
    permissions: Option<Vec<String>>,
    powers: Option<Vec<String>>,
    acts_as: Option<Vec<String>>,
    may_still: Option<String>,
    may_still_until: Option<DateTime<Utc>>,
}

impl Row {
    /// None for the only row of a list without rows.
    pub fn exposure(self) -> Option<ExposureRow> {
        let count = Option::unwrap_or_default;
        Some(ExposureRow {
            name: self.name?,
            beside: self.beside.unwrap_or_default(),
            application: self.app_id.map(AppId),
            customer: self.customer_id.map(CustomerId),
            customer_name: self.customer_name,
            object: self.object.map(ObjectId),
            permissions: self.permissions.unwrap_or_default(),
            powers: self.powers.unwrap_or_default(),
            acts_as: self.acts_as.unwrap_or_default(),
            may_still: self
                .may_still
                .zip(self.may_still_until)
                .map(|(what, until)| MayStill {
                    what,
                    until: until.into(),
                }),
            customers: count(self.customers),
            never_read: count(self.never_read),
            confinable: count(self.confinable),
            tally: Tally {
                power: count(self.power),
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

/// The totals above the rows. They do not depend on the filter.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureTotals {
    pub tally: Tally,
    pub customers: i64,
    pub open_customers: i64,
    pub never_read: i64,
    pub read_from: Option<Timestamp>,
    pub read_to: Option<Timestamp>,
    pub not_read: Vec<Trouble>,
    pub not_read_count: i64,
    pub permissions: Vec<String>,
}

#[derive(FromRow)]
struct TotalsRow {
    power: i64,
    unrestricted: i64,
    all_except: i64,
    unknown: i64,
    confined: i64,
    proven: i64,
    nothing: i64,
    open_customers: i64,
}

#[derive(FromRow)]
struct ReadRow {
    customers: i64,
    never_read: i64,
    read_from: Option<DateTime<Utc>>,
    read_to: Option<DateTime<Utc>>,
}

impl Tx {
    /// One page. A page number beyond the end gives the last page.
    pub async fn exposure(&mut self, query: &ExposureQuery) -> Result<ExposureRows> {
        let rows = self.exposure_rows(query, Some(EXPOSURE_PER_PAGE)).await?;
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

    async fn exposure_rows(
        &mut self,
        query: &ExposureQuery,
        per_page: Option<i64>,
    ) -> Result<Vec<Row>> {
        let rows = bound(sql(query), self.partner(), query, per_page)
            .try_map(|row: PgRow| Row::from_row(&row));
        Ok(rows.fetch_all(self.conn()).await?)
    }

    /// The totals above the rows. At most `few` of the customers that could not be read are listed.
    pub async fn exposure_totals(&mut self, few: i64) -> Result<ExposureTotals> {
        let partner = self.partner();
        let totals: TotalsRow = sqlx::query_as(concat!("with p as (", proven!(), ") ", tally!()))
            .bind(partner.0)
            .fetch_one(self.conn())
            .await?;
        let read: ReadRow = sqlx::query_as(
            "select count(*) as customers, count(*) filter (where s.read_at is null) as never_read,
                    min(s.read_at) as read_from, max(s.read_at) as read_to
             from customers c
             left join scans s on s.partner_id = $1 and s.customer_id = c.id
             where c.partner_id = $1",
        )
        .bind(partner.0)
        .fetch_one(self.conn())
        .await?;
        let (not_read, not_read_count) = self.not_read(few).await?;
        let permissions: Vec<String> = sqlx::query_scalar(
            "select distinct permission from reach_sums
             where partner_id = $1 and kind = 'application' and permission <> ''
             order by permission",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        Ok(ExposureTotals {
            tally: totals.tally(),
            open_customers: totals.open_customers,
            customers: read.customers,
            never_read: read.never_read,
            read_from: read.read_from.map(Timestamp::from),
            read_to: read.read_to.map(Timestamp::from),
            not_read,
            not_read_count,
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
            "with p as (",
            proven!(),
            " and s.customer_id = $2) ",
            tally!(),
            " and s.subject = $2"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .fetch_one(self.conn())
        .await?;
        let permissions: Vec<String> = sqlx::query_scalar(
            "select permission from reach_sums
             where partner_id = $1 and kind = 'customer' and subject = $2 and permission <> ''
             order by permission",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_all(self.conn())
        .await?;
        Ok((totals.tally(), permissions))
    }
}

impl TotalsRow {
    const fn tally(&self) -> Tally {
        Tally {
            power: self.power,
            unrestricted: self.unrestricted,
            all_except: self.all_except,
            unknown: self.unknown,
            confined: self.confined,
            proven: self.proven,
            nothing: self.nothing,
        }
    }
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
pub(crate) mod tests;
