//! Problems over all customers, by kind. A problem that several customers share is listed once.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    connection::{Trouble, Troubled},
    id::CustomerId,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx};

/// One customer with a kind of problem. The rows of one kind follow each other.
#[derive(FromRow)]
struct Row {
    happened: String,
    todo: String,
    /// The number of customers with this kind of problem.
    alike: i64,
    /// The number of customers with any kind of problem.
    total: i64,
    id: Uuid,
    name: String,
    read_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Problems that keep Postern out of more than one customer. Of each kind the first `few`
    /// customers by name.
    pub async fn shared_troubles(&mut self, few: i64) -> Result<Vec<Trouble>> {
        let partner = self.partner();
        let rows: Vec<Row> = sqlx::query_as(
            "with broken as (
                 select n.problem ->> 'happened' as happened, n.problem ->> 'todo' as todo,
                        c.id, c.name, s.read_at,
                        count(*) over () as total, count(*) over kind as alike,
                        row_number() over (kind order by lower(c.name), c.id) as place
                 from connections n
                 join customers c on c.partner_id = $1 and c.id = n.customer_id
                 left join scans s on s.partner_id = $1 and s.customer_id = c.id
                 where n.partner_id = $1 and n.problem is not null and n.disconnected_at is null
                 window kind as (partition by n.problem ->> 'key', n.problem ->> 'happened'))
             select * from broken where alike > 1 and place <= $2
             order by alike desc, happened, place",
        )
        .bind(partner.0)
        .bind(few)
        .fetch_all(self.conn())
        .await?;
        Ok(grouped(rows))
    }

    /// Customers that were never read, and customers that could not be read, or only in part, at
    /// the last attempt. Returns the first `few` kinds with the first `few` customers of each, and
    /// the number of customers of all kinds.
    pub async fn not_read(&mut self, few: i64) -> Result<(Vec<Trouble>, i64)> {
        let partner = self.partner();
        let rows: Vec<Row> = sqlx::query_as(
            "with missing as (
                 select c.id, c.name, s.read_at, s.problem is null as calm,
                        coalesce(s.problem ->> 'todo', '') as todo,
                        coalesce(s.problem ->> 'happened',
                                 case when n.refresh_token is null then 'It is not connected.'
                                      else 'Its turn comes.' end) as happened
                 from customers c
                 left join scans s on s.partner_id = $1 and s.customer_id = c.id
                 left join connections n on n.partner_id = $1 and n.customer_id = c.id
                 where c.partner_id = $1
                   and (s.read_at is null or s.outcome in ('failed', 'partial')
                        or n.refresh_token is null)),
             counted as (
                 select *, count(*) over () as total, count(*) over kind as alike,
                        row_number() over (kind order by lower(name), id) as place
                 from missing window kind as (partition by calm, happened)),
             ordered as (
                 select *, dense_rank() over (order by calm, alike desc, happened) as nth
                 from counted)
             select * from ordered where nth <= $2 and place <= $2 order by nth, place",
        )
        .bind(partner.0)
        .bind(few)
        .fetch_all(self.conn())
        .await?;
        let total = rows.first().map_or(0, |row| row.total);
        Ok((grouped(rows), total))
    }
}

fn grouped(rows: Vec<Row>) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for row in rows {
        let customer = Troubled {
            customer: CustomerId(row.id),
            name: row.name,
            read: row.read_at.map(Timestamp::from),
        };
        match troubles.last_mut() {
            Some(last) if last.happened == row.happened => last.customers.push(customer),
            _ => troubles.push(Trouble {
                happened: row.happened,
                todo: row.todo,
                customers: vec![customer],
                count: row.alike,
            }),
        }
    }
    troubles
}

#[cfg(test)]
#[path = "troubles_tests.rs"]
mod tests;
