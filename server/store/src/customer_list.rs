//! The list of customers: search, sort and page in one query.

use domain::{
    Timestamp,
    id::CustomerId,
    view::{CUSTOMERS_PER_PAGE, CustomerRow, CustomerSort, CustomersPage, CustomersQuery},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Error, Result, Tx, clean, connections::ConnectionRow};

/// How many customers are listed by name for one shared problem.
const FEW: i64 = 20;

/// The query with its sort order inserted. `matching` sorts and counts all customers. Lookups per
/// customer run only for the customers of the page.
macro_rules! list {
    ($order:literal) => {
        concat!(
            "with matching as materialized (
                 select c.id, c.name, c.domain, row_number() over (order by ",
            $order,
            ") as place
                 from customers c
                 left join connections n on n.partner_id = c.partner_id and n.customer_id = c.id
                 where c.partner_id = $1
                   and ($2 = '' or strpos(lower(c.name), $2) > 0
                        or strpos(lower(c.domain), $2) > 0 or strpos(c.tid::text, $2) > 0)),
             counted as materialized (
                 select (select count(*) from matching) as matching,
                        (select count(*) from customers where partner_id = $1) as total),
             paged as (
                 select matching, total, greatest((matching + $4 - 1) / $4, 1) as pages,
                        least(greatest($3, 1), greatest((matching + $4 - 1) / $4, 1)) as page
                 from counted)
             select paged.matching, paged.total, paged.page, paged.pages, m.id, m.name, m.domain,
                    n.customer_id is not null as connected, n.way, n.account_upn, n.scopes,
                    n.problem, n.consented_at, n.last_success_at, n.disconnected_at,
                    coalesce(s.active, 0) as active, coalesce(s.proven, 0) as proven,
                    e.at as last_event
             from paged
             left join matching m
                 on m.place > (paged.page - 1) * $4 and m.place <= paged.page * $4
             left join connections n on n.partner_id = $1 and n.customer_id = m.id
             left join lateral (
                 select count(*) filter (where active) as active,
                        count(*) filter (where state = 'done' and proof = 'proven') as proven
                 from setups where partner_id = $1 and customer_id = m.id) s on true
             left join lateral (
                 select at from events where customer_id = m.id order by seq desc limit 1) e on true
             order by m.place"
        )
    };
}

const BY_NAME: &str = list!("lower(c.name), c.id");
const BY_NAME_DOWN: &str = list!("lower(c.name) desc, c.id");
/// Sort order: broken, then never connected, then disconnected, then working.
const BY_HEALTH: &str = list!(
    "case when n.customer_id is null then 1 when n.disconnected_at is not null then 2
          when n.problem is not null then 0 else 3 end, lower(c.name), c.id"
);
const BY_RECENT: &str = list!(
    "(select at from events where customer_id = c.id order by seq desc limit 1)
     desc nulls last, lower(c.name), c.id"
);

#[derive(FromRow)]
struct ListRow {
    matching: i64,
    total: i64,
    page: i64,
    pages: i64,
    /// Null in the only row of a list without customers.
    id: Option<Uuid>,
    name: Option<String>,
    domain: Option<String>,
    #[sqlx(flatten)]
    connection: ConnectionRow,
    active: i64,
    proven: i64,
    last_event: Option<chrono::DateTime<chrono::Utc>>,
}

impl Tx {
    /// One page of the list. A page number beyond the end gives the last page.
    pub async fn customers(&mut self, query: &CustomersQuery) -> Result<CustomersPage> {
        let partner = self.partner();
        let sql = match query.sort {
            CustomerSort::Name => BY_NAME,
            CustomerSort::NameDown => BY_NAME_DOWN,
            CustomerSort::Health => BY_HEALTH,
            CustomerSort::Recent => BY_RECENT,
        };
        let rows: Vec<ListRow> = sqlx::query_as(sql)
            .bind(partner.0)
            .bind(clean::text(query.search.trim()).to_lowercase())
            .bind(query.page)
            .bind(CUSTOMERS_PER_PAGE)
            .fetch_all(self.conn())
            .await?;
        let troubles = self.shared_troubles(FEW).await?;
        let first = rows
            .first()
            .ok_or_else(|| Error::corrupt("the list of customers has no count"))?;
        let (matching, total, page, pages) = (first.matching, first.total, first.page, first.pages);
        Ok(CustomersPage {
            rows: rows
                .into_iter()
                .filter(|row| row.id.is_some())
                .map(ListRow::customer)
                .collect::<Result<_>>()?,
            matching,
            total,
            page,
            pages,
            troubles,
        })
    }
}

impl ListRow {
    fn customer(self) -> Result<CustomerRow> {
        let missing = || Error::corrupt("a customer without id or name");
        Ok(CustomerRow {
            id: CustomerId(self.id.ok_or_else(missing)?),
            name: self.name.ok_or_else(missing)?,
            domain: self.domain.ok_or_else(missing)?,
            connection: self.connection.connection()?,
            active_setups: self.active,
            proven: self.proven,
            last_event: self.last_event.map(Timestamp::from),
        })
    }
}

#[cfg(test)]
#[path = "customer_list_tests.rs"]
mod tests;
