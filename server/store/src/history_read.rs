//! Reading a customer's history: by page, and whole.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::{
    history::{Event, EventKind},
    id::ObjectId,
    view::HistoryQuery,
};

use crate::{CustomerAccess, Error, Result, Tx, history::EventRow};

/// A page of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryFound {
    /// Newest first.
    pub rows: Vec<Event>,
    /// Ask for the next page with this.
    pub next: Option<i64>,
    /// Everybody who appears in the whole history, by name.
    pub people: Vec<String>,
    /// How many entries there are without the filter.
    pub total: i64,
}

/// A query with its dates and words understood.
struct Filter {
    kind: Option<&'static str>,
    person: Option<String>,
    from: Option<DateTime<Utc>>,
    /// Exclusive.
    until: Option<DateTime<Utc>>,
}

impl Filter {
    fn new(query: &HistoryQuery) -> Result<Self> {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let kind = given(&query.kind)
            .map(|text| {
                EventKind::parse(&text)
                    .map(EventKind::as_str)
                    .ok_or_else(|| Error::Invalid {
                        field: "kind",
                        what: format!("“{text}” is not a kind of event."),
                    })
            })
            .transpose()?;
        let until = day("to", given(&query.to))?
            .map(|day| {
                day.checked_add_days(Days::new(1))
                    .ok_or_else(|| not_a_day("to", &query.to))
            })
            .transpose()?;
        Ok(Self {
            kind,
            person: given(&query.person).map(|name| name.replace('\0', "")),
            from: day("from", given(&query.from))?,
            until,
        })
    }
}

fn not_a_day(field: &'static str, text: &str) -> Error {
    Error::Invalid {
        field,
        what: format!("“{text}” is not a day of the form 2026-11-23."),
    }
}

/// The beginning of a day in UTC.
fn day(field: &'static str, text: Option<String>) -> Result<Option<DateTime<Utc>>> {
    text.map(|text| {
        let day = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        // Postgres knows fewer years than chrono.
        let known = day.filter(|day| {
            NaiveDate::from_ymd_opt(1900, 1, 1).is_some_and(|first| *day >= first)
                && NaiveDate::from_ymd_opt(9999, 12, 31).is_some_and(|last| *day <= last)
        });
        known
            .map(|day| day.and_time(NaiveTime::MIN).and_utc())
            .ok_or_else(|| not_a_day(field, &text))
    })
    .transpose()
}

macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "select customer_id, seq, at, actor, actor_name, kind, setup_id, what, before, after,
                    requests, previous_hash, hash
             from events
             where partner_id = $1 and customer_id = $2
               and ($3::text is null or kind = $3)
               and ($4::text is null or actor_name = $4)
               and ($5::timestamptz is null or at >= $5)
               and ($6::timestamptz is null or at < $6) ",
            $rest
        )
    };
}

const PAGE: &str = entries!("and ($7::bigint is null or seq < $7) order by seq desc limit $8");
const PART: &str = entries!("and seq > $7 and seq <= $8 order by seq limit $9");

impl Tx {
    /// A page of at most `limit` entries that match, newest first. [`Error::Invalid`] when a
    /// filter is not what its field takes.
    pub async fn history(
        &mut self,
        access: &CustomerAccess,
        query: &HistoryQuery,
        limit: i64,
    ) -> Result<HistoryFound> {
        let (partner, customer) = self.reads(access)?;
        let filter = Filter::new(query)?;
        let limit = limit.max(1);
        let found: Vec<EventRow> = sqlx::query_as(PAGE)
            .bind(partner.0)
            .bind(customer.0)
            .bind(filter.kind)
            .bind(filter.person)
            .bind(filter.from)
            .bind(filter.until)
            .bind(query.before)
            .bind(limit.saturating_add(1))
            .fetch_all(self.conn())
            .await?;
        let mut rows = found
            .into_iter()
            .map(EventRow::event)
            .collect::<Result<Vec<_>>>()?;
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > page;
        rows.truncate(page);
        let next = if more {
            rows.last().map(|event| event.seq)
        } else {
            None
        };
        // Hops over the index from name to name instead of reading all entries. And as numbers
        // have no gaps, the last one counts them.
        let (people, total): (Vec<String>, i64) = sqlx::query_as(
            "with recursive names (name) as (
                 (select actor_name from events where customer_id = $1 order by actor_name limit 1)
                 union all
                 select (select actor_name from events
                         where customer_id = $1 and actor_name > names.name
                         order by actor_name limit 1)
                 from names where names.name is not null)
             select coalesce(array_agg(name order by lower(name), name)
                                 filter (where name is not null), '{}'),
                    coalesce((select seq from events where customer_id = $1
                              order by seq desc limit 1), 0)
             from names",
        )
        .bind(customer.0)
        .fetch_one(self.conn())
        .await?;
        Ok(HistoryFound {
            rows,
            next,
            people,
            total,
        })
    }

    /// The newest changes of one application's reach, newest first.
    pub async fn reach_history(
        &mut self,
        access: &CustomerAccess,
        object: ObjectId,
        limit: i64,
    ) -> Result<Vec<Event>> {
        let (partner, customer) = self.reads(access)?;
        let found: Vec<EventRow> = sqlx::query_as(
            "select customer_id, seq, at, actor, actor_name, kind, setup_id, what, before, after,
                    requests, previous_hash, hash
             from events
             where partner_id = $1 and customer_id = $2 and kind = $3
               and after -> 'objects' ? $4
             order by seq desc limit $5",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(EventKind::ReachChanged.as_str())
        .bind(object.to_string())
        .bind(limit)
        .fetch_all(self.conn())
        .await?;
        found.into_iter().map(EventRow::event).collect()
    }

    /// The number of the newest entry; 0 in an empty history.
    pub async fn history_end(&mut self, access: &CustomerAccess) -> Result<i64> {
        let (partner, customer) = self.reads(access)?;
        Ok(sqlx::query_scalar(
            "select coalesce(max(seq), 0) from events where partner_id = $1 and customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_one(self.conn())
        .await?)
    }

    /// A part of a download, oldest first: at most `limit` entries that match, after one number and up to
    /// another. As entries never change, all parts up to one end are the history of one moment.
    pub async fn export(
        &mut self,
        access: &CustomerAccess,
        query: &HistoryQuery,
        (after, until): (i64, i64),
        limit: i64,
    ) -> Result<Vec<Event>> {
        let (partner, customer) = self.reads(access)?;
        let filter = Filter::new(query)?;
        let found: Vec<EventRow> = sqlx::query_as(PART)
            .bind(partner.0)
            .bind(customer.0)
            .bind(filter.kind)
            .bind(filter.person)
            .bind(filter.from)
            .bind(filter.until)
            .bind(after)
            .bind(until)
            .bind(limit)
            .fetch_all(self.conn())
            .await?;
        found.into_iter().map(EventRow::event).collect()
    }

    /// All at once.
    #[cfg(test)]
    pub(crate) async fn export_all(
        &mut self,
        access: &CustomerAccess,
        query: &HistoryQuery,
    ) -> Result<Vec<Event>> {
        self.export(access, query, (0, i64::MAX), i64::MAX).await
    }
}

#[cfg(test)]
#[path = "history_read_tests.rs"]
mod tests;
