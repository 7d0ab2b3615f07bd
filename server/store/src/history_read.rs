//! Reads a customer's history, or the partner's own history: by page, or as a whole.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::{
    history::{Event, EventKind},
    id::ObjectId,
    person::Actor,
    view::HistoryQuery,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx, clean,
    history::{Chain, EventRow, columns},
};

/// A page of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryFound {
    /// Newest first.
    pub rows: Vec<Event>,
    /// Pass this number to get the next page.
    pub next: Option<i64>,
    /// Everybody who appears in the whole history, by name. Each person is shown as in the person's
    /// last entry.
    pub people: Vec<Actor>,
    /// How many entries there are without the filter.
    pub total: i64,
}

/// The range of entries in one part of a download. Entries never change, so all parts up to the
/// same end show the history of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The number of the last entry of the previous part. 0 for the first part.
    pub after: i64,
    /// The number of the download's last entry, inclusive.
    pub until: i64,
    /// The maximum number of entries.
    pub limit: i64,
}

#[cfg(test)]
impl Part {
    /// The whole history in one part.
    pub const ALL: Self = Self {
        after: 0,
        until: i64::MAX,
        limit: i64::MAX,
    };
}

/// A query with its dates and words parsed.
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
            person: given(&query.person).map(|key| key.replace('\0', "")),
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
        // Postgres supports fewer years than chrono.
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

/// The entries of a chain that match: $1 names it, $2 to $5 are the filter.
macro_rules! entries {
    (customer, $rest:literal) => {
        entries!(@ customer, "events", "customer_id", $rest)
    };
    (partner, $rest:literal) => {
        entries!(@ partner, "partner_events", "partner_id", $rest)
    };
    (@ $columns:ident, $table:literal, $id:literal, $rest:literal) => {
        concat!(
            "select ",
            columns!($columns),
            " from ",
            $table,
            " where ",
            $id,
            " = $1
               and ($2::text is null or kind = $2)
               and ($3::text is null or actor_key = $3)
               and ($4::timestamptz is null or at >= $4)
               and ($5::timestamptz is null or at < $5) ",
            $rest
        )
    };
}

/// Everybody who appears in a chain, and the number of its last entry. The query skips over the
/// index from one person to the next instead of reading all entries. Numbers have no gaps, so the
/// last number is the count.
macro_rules! people {
    ($table:literal, $id:literal) => {
        concat!(
            "with recursive keys (key) as (
                 (select actor_key from ",
            $table,
            " where ",
            $id,
            " = $1
                  order by actor_key limit 1)
                 union all
                 select (select actor_key from ",
            $table,
            "
                         where ",
            $id,
            " = $1 and actor_key > keys.key
                         order by actor_key limit 1)
                 from keys where keys.key is not null)
             select coalesce(jsonb_agg(last.actor order by lower(last.actor_name), keys.key)
                                 filter (where keys.key is not null), '[]'),
                    coalesce((select seq from ",
            $table,
            " where ",
            $id,
            " = $1
                              order by seq desc limit 1), 0)
             from keys
             left join lateral (select actor, actor_name from ",
            $table,
            "
                                where ",
            $id,
            " = $1 and actor_key = keys.key
                                order by seq desc limit 1) last on true"
        )
    };
}

/// The statements for one kind of chain.
struct Statements {
    page: &'static str,
    end: &'static str,
    part: &'static str,
    people: &'static str,
}

const OF_CUSTOMER: Statements = Statements {
    page: entries!(
        customer,
        "and ($6::bigint is null or seq < $6) order by seq desc limit $7"
    ),
    end: "select coalesce(max(seq), 0) from events where customer_id = $1",
    part: entries!(customer, "and seq > $6 and seq <= $7 order by seq limit $8"),
    people: people!("events", "customer_id"),
};

const OF_PARTNER: Statements = Statements {
    page: entries!(
        partner,
        "and ($6::bigint is null or seq < $6) order by seq desc limit $7"
    ),
    end: "select coalesce(max(seq), 0) from partner_events where partner_id = $1",
    part: entries!(partner, "and seq > $6 and seq <= $7 order by seq limit $8"),
    people: people!("partner_events", "partner_id"),
};

const fn statements(chain: Chain) -> (Uuid, Statements) {
    match chain {
        Chain::Customer(id) => (id.0, OF_CUSTOMER),
        Chain::Partner(id) => (id.0, OF_PARTNER),
    }
}

impl Tx {
    /// A page of at most `limit` matching entries, newest first. [`Error::Invalid`] when a filter
    /// has a value that its field does not take.
    pub async fn history(
        &mut self,
        access: &CustomerAccess,
        query: &HistoryQuery,
        limit: i64,
    ) -> Result<HistoryFound> {
        let (_, customer) = self.reads(access)?;
        self.page_of(Chain::Customer(customer), query, limit).await
    }

    /// A page of the partner's own history, with the rules of [`Self::history`].
    pub async fn own_history(&mut self, query: &HistoryQuery, limit: i64) -> Result<HistoryFound> {
        self.page_of(Chain::Partner(self.partner()), query, limit)
            .await
    }

    async fn page_of(
        &mut self,
        chain: Chain,
        query: &HistoryQuery,
        limit: i64,
    ) -> Result<HistoryFound> {
        let filter = Filter::new(query)?;
        let limit = limit.max(1);
        let (id, statements) = statements(chain);
        let found: Vec<EventRow> = sqlx::query_as(statements.page)
            .bind(id)
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
        let (people, total): (Value, i64) = sqlx::query_as(statements.people)
            .bind(id)
            .fetch_one(self.conn())
            .await?;
        Ok(HistoryFound {
            rows,
            next,
            people: clean::from_json("events.actor", people)?,
            total,
        })
    }

    /// The newest changes of one application's effective access, newest first.
    pub async fn reach_history(
        &mut self,
        access: &CustomerAccess,
        object: ObjectId,
        limit: i64,
    ) -> Result<Vec<Event>> {
        let (partner, customer) = self.reads(access)?;
        let found: Vec<EventRow> = sqlx::query_as(concat!(
            "select ",
            columns!(customer),
            " from events
             where partner_id = $1 and customer_id = $2 and kind = $3
               and after -> 'objects' ? $4
             order by seq desc limit $5"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .bind(EventKind::ReachChanged.as_str())
        .bind(object.to_string())
        .bind(limit)
        .fetch_all(self.conn())
        .await?;
        found.into_iter().map(EventRow::event).collect()
    }

    /// The number of the newest entry. 0 in an empty history.
    pub async fn history_end(&mut self, access: &CustomerAccess) -> Result<i64> {
        let (_, customer) = self.reads(access)?;
        self.end_of(Chain::Customer(customer)).await
    }

    /// The number of the newest entry in the partner's own history. 0 when it is empty.
    pub async fn own_history_end(&mut self) -> Result<i64> {
        self.end_of(Chain::Partner(self.partner())).await
    }

    async fn end_of(&mut self, chain: Chain) -> Result<i64> {
        let (id, statements) = statements(chain);
        Ok(sqlx::query_scalar(statements.end)
            .bind(id)
            .fetch_one(self.conn())
            .await?)
    }

    /// A part of a download, oldest first. `query.before` is ignored.
    pub async fn export(
        &mut self,
        access: &CustomerAccess,
        query: &HistoryQuery,
        part: Part,
    ) -> Result<Vec<Event>> {
        let (_, customer) = self.reads(access)?;
        self.part_of(Chain::Customer(customer), query, part).await
    }

    /// A part of a download of the partner's own history.
    pub async fn own_export(&mut self, query: &HistoryQuery, part: Part) -> Result<Vec<Event>> {
        self.part_of(Chain::Partner(self.partner()), query, part)
            .await
    }

    async fn part_of(
        &mut self,
        chain: Chain,
        query: &HistoryQuery,
        part: Part,
    ) -> Result<Vec<Event>> {
        let filter = Filter::new(query)?;
        let (id, statements) = statements(chain);
        let found: Vec<EventRow> = sqlx::query_as(statements.part)
            .bind(id)
            .bind(filter.kind)
            .bind(filter.person)
            .bind(filter.from)
            .bind(filter.until)
            .bind(part.after)
            .bind(part.until)
            .bind(part.limit)
            .fetch_all(self.conn())
            .await?;
        found.into_iter().map(EventRow::event).collect()
    }

    /// The `after` value of the last entry of this kind in the partner's own history.
    pub async fn last_own(&mut self, kind: EventKind) -> Result<Option<Value>> {
        let partner = self.partner();
        let after: Option<Option<Value>> = sqlx::query_scalar(
            "select after from partner_events where partner_id = $1 and kind = $2
             order by seq desc limit 1",
        )
        .bind(partner.0)
        .bind(kind.as_str())
        .fetch_optional(self.conn())
        .await?;
        Ok(after.flatten())
    }
}

#[cfg(test)]
#[path = "history_read_tests.rs"]
mod tests;
