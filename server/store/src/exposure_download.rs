//! All rows of the exposure's query, in parts. A download is never held in memory as a whole.

use domain::{
    exposure::{By, ExposureQuery, ExposureRow, Tally},
    id::{AppId, CustomerId, ObjectId},
};
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow};
use uuid::Uuid;

use crate::{
    Result, Tx,
    exposure::Row,
    exposure_sql::{bound, sql},
};

/// A running download. It holds a transaction, and so a connection.
#[derive(Debug)]
pub struct ExposureParts {
    tx: Tx,
    /// The lists that are not read to their end. The next list stands last.
    left: Vec<List>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    /// The rows that the page shows.
    Rows,
    /// Applications that reach nothing by themselves and act for the person who signs in to them.
    /// The page does not show them as rows, and they have no standing.
    Delegated,
}

impl List {
    const fn cursor(self) -> &'static str {
        match self {
            Self::Rows => "exposure_rows",
            Self::Delegated => "exposure_delegated",
        }
    }
}

impl Tx {
    /// Begins a download of all rows of a query, as they are now.
    pub async fn exposure_parts(mut self, query: &ExposureQuery) -> Result<ExposureParts> {
        // All rows will be read, so the plan need not deliver the first rows early.
        sqlx::query("select set_config('cursor_tuple_fraction', '1', true)")
            .execute(self.conn())
            .await?;
        let mut left = Vec::new();
        if query.takes_delegated() {
            left.push(List::Delegated);
            self.declare(List::Delegated, &delegated(query.by), query)
                .await?;
        }
        left.push(List::Rows);
        self.declare(List::Rows, &sql(query), query).await?;
        Ok(ExposureParts { tx: self, left })
    }

    async fn declare(&mut self, list: List, rows: &str, query: &ExposureQuery) -> Result<()> {
        let cursor = list.cursor();
        let declare = format!("declare {cursor} no scroll cursor for {rows}");
        let declare = bound(declare, self.partner(), query, None);
        declare.execute(self.conn()).await?;
        Ok(())
    }
}

impl ExposureParts {
    /// The next rows, at most `limit`. None when no rows are left.
    pub async fn next(&mut self, limit: u32) -> Result<Option<Vec<ExposureRow>>> {
        while let Some(list) = self.left.last() {
            let fetch = format!("fetch {limit} from {}", list.cursor());
            let rows: Vec<ExposureRow> = match list {
                List::Rows => {
                    let rows: Vec<Row> = self.fetch(fetch).await?;
                    rows.into_iter().filter_map(Row::exposure).collect()
                }
                List::Delegated => {
                    let rows: Vec<DelegatedRow> = self.fetch(fetch).await?;
                    rows.into_iter().map(ExposureRow::from).collect()
                }
            };
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
            self.left.pop();
        }
        Ok(None)
    }

    /// Ends the transaction and returns the connection to the pool.
    pub async fn end(self) -> Result<()> {
        self.tx.commit().await
    }

    /// Fetches rows from the cursor. The statement is not prepared: the same text gives other
    /// columns with the next cursor of this name.
    async fn fetch<T>(&mut self, fetch: String) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let rows = sqlx::query_as(AssertSqlSafe(fetch)).persistent(false);
        Ok(rows.fetch_all(self.tx.conn()).await?)
    }
}

#[derive(FromRow)]
struct DelegatedRow {
    /// Set, with its name and object, when the whole row belongs to one customer.
    customer_id: Option<Uuid>,
    customer_name: Option<String>,
    object: Option<Uuid>,
    app_id: Option<Uuid>,
    name: String,
    publisher: Option<String>,
    acts_as: Vec<String>,
    customers: i64,
}

impl From<DelegatedRow> for ExposureRow {
    fn from(row: DelegatedRow) -> Self {
        Self {
            name: row.name,
            beside: row.publisher.unwrap_or_default(),
            application: row.app_id.map(AppId),
            customer: row.customer_id.map(CustomerId),
            customer_name: row.customer_name,
            object: row.object.map(ObjectId),
            permissions: Vec::new(),
            powers: Vec::new(),
            acts_as: row.acts_as,
            may_still: None,
            customers: row.customers,
            never_read: 0,
            confinable: 0,
            tally: Tally::default(),
        }
    }
}

/// The query for applications that only act for people. Its bind parameters have the numbers listed
/// in [`crate::exposure_sql`].
fn delegated(by: By) -> String {
    let found =
        "with bound as (select $1::uuid, $2::text, $3::text, $4::uuid, $5::text, $6::bigint,
                                       $7::bigint, $8::uuid),
         d as (
             select d.customer_id, c.name as customer_name, d.object, d.app_id, d.name,
                    d.publisher, d.acts_as
             from reach_delegated d
             join customers c on c.partner_id = $1 and c.id = d.customer_id
             where d.partner_id = $1
               and ($2 = '' or strpos(lower(c.name), $2) > 0 or strpos(lower(c.domain), $2) > 0
                    or strpos(lower(concat_ws(' ', d.name, d.publisher,
                                              coalesce(d.app_id, d.object)::text)), $2) > 0)
               and ($4 is null or d.app_id = $4)
               and ($8 is null or d.customer_id = $8))";
    let rows = if by == By::Application {
        // An entry without an application id forms a row of its own.
        "select g.n as customers, g.app_id, g.name, g.publisher, g.acts_as,
                case when g.n = 1 then g.customer_id end as customer_id,
                case when g.n = 1 then g.customer_name end as customer_name,
                case when g.n = 1 then g.object end as object
         from (select d.app_id, count(distinct (d.customer_id, d.object)) as n,
                      min(d.name) as name, min(d.publisher) as publisher,
                      coalesce(array_agg(distinct line) filter (where line is not null), '{}')
                          as acts_as,
                      (array_agg(d.customer_id))[1] as customer_id,
                      min(d.customer_name) as customer_name,
                      (array_agg(d.object))[1] as object
               from d left join lateral unnest(d.acts_as) line on true
               group by d.app_id, case when d.app_id is null then d.customer_id end,
                        case when d.app_id is null then d.object end) g
         order by lower(g.name), g.app_id, g.object"
    } else {
        "select d.*, 1::bigint as customers from d
         order by lower(d.name), d.app_id, lower(d.customer_name), d.object"
    };
    format!("{found} {rows}")
}

#[cfg(test)]
#[path = "exposure_download_tests.rs"]
mod tests;
