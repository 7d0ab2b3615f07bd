//! Scans: the schedule, the leases, and the results.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    Problem, Timestamp,
    exposure::{MayStill, ReachChange, ScanState},
    id::{CustomerId, ObjectId, PartnerId, TenantId},
    reach::{Kept, Known, Level, PartRead, Reach},
};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Result, Store, Tx,
    clean::{self, from_json, moment, to_json},
    notices,
    reach_sums::Counted,
};

/// How many days of counts are kept.
const DAYS_KEPT: i32 = 400;

/// One application of a scan, flat, for lists over all customers.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachEntry {
    pub object: ObjectId,
    pub app_id: Option<Uuid>,
    pub name: String,
    pub publisher: Option<String>,
    /// The owner of the application, as JSON of the domain.
    pub owner: Value,
    pub level: Level,
    /// Confined to at most what a proven setup allows.
    pub as_proven: bool,
    /// Whether a setup can be started for the application.
    pub can_be_confined: bool,
    pub permissions: Vec<(String, Level)>,
    /// Powers that let the application bypass every confinement, in words.
    pub powers: Vec<String>,
    /// What the application may do for the person who signs in to it, in words.
    pub acts_as: Vec<String>,
    /// Access that was removed but may still work.
    pub may_still: Option<MayStill>,
    /// Credentials and similar details.
    pub details: Option<Value>,
}

/// An application that reaches nothing by itself, and acts for the person who signs in to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedEntry {
    pub object: ObjectId,
    pub app_id: Option<Uuid>,
    pub name: String,
    pub publisher: Option<String>,
    /// What the application may do for the person who signs in to it, in words.
    pub acts_as: Vec<String>,
}

/// The result of a scan.
#[derive(Clone, Debug)]
pub struct ScanResult {
    /// Whether all parts were read.
    pub whole: bool,
    pub reach: Reach,
    pub names: BTreeMap<ObjectId, String>,
    pub entries: Vec<ReachEntry>,
    /// Applications that only act for people. The lists have no rows for them.
    pub delegated: Vec<DelegatedEntry>,
    pub parts: Vec<PartRead>,
    /// The message for a person when not all parts were read.
    pub problem: Option<Problem>,
    pub changes: Vec<ReachChange>,
    /// All mailboxes. None when they were not read: the stored mailboxes then stay.
    pub mailboxes: Option<Vec<(ObjectId, String)>>,
    pub kept: Kept,
    pub known: Known,
}

/// When a customer is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    pub due: Timestamp,
    /// The number of retries in a row up to that time.
    pub tries: i16,
}

impl From<Timestamp> for Next {
    fn from(due: Timestamp) -> Self {
        Self { due, tries: 0 }
    }
}

/// A customer whose scan is due, held by the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub partner: PartnerId,
    pub customer: CustomerId,
}

fn by_partner(turns: &[Turn]) -> BTreeMap<PartnerId, Vec<Uuid>> {
    let mut found: BTreeMap<PartnerId, Vec<Uuid>> = BTreeMap::new();
    for turn in turns {
        let customers = found.entry(turn.partner).or_default();
        customers.push(turn.customer.0);
    }
    found
}

/// The stored number of a level. The worst level has the lowest number.
pub(crate) const fn number(level: Level) -> i16 {
    match level {
        Level::Power => -1,
        Level::Unrestricted => 0,
        Level::AllExcept => 1,
        Level::Unknown => 2,
        Level::Confined => 3,
        Level::Nothing => 4,
    }
}

#[cfg(test)]
mod level_tests {
    use super::*;

    /// SQL sorts and compares levels by these numbers, and Rust by the order of the enum.
    #[test]
    fn levels_in_order_have_ascending_numbers() {
        let mut sorted = Level::ALL;
        sorted.sort();
        assert!(sorted.is_sorted_by(|one, next| number(*one) < number(*next)));
    }
}

#[derive(FromRow)]
struct StateRow {
    due_at: DateTime<Utc>,
    reading: bool,
    waiting: bool,
    problem: Option<Value>,
    parts: Option<Value>,
    read_at: Option<DateTime<Utc>>,
    changes: Option<Value>,
}

impl Store {
    /// Claims up to `most` due customers of all partners, an equal share of each partner, and holds
    /// the lease until `until`. Customers whose scan a person waits for come first. Partners whose
    /// home tenant is not among `homes` get no share.
    pub async fn claim_scans(
        &self,
        homes: &[TenantId],
        lease: Uuid,
        now: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Turn>> {
        let partners = self.partners_at(homes).await?;
        let mut turns = Vec::new();
        for (index, partner) in partners.iter().enumerate() {
            let left = most.saturating_sub(turns.len());
            let share = left.div_ceil(partners.len().saturating_sub(index).max(1));
            if share == 0 {
                break;
            }
            let mut tx = self.begin(*partner).await?;
            let taken: Vec<Uuid> = sqlx::query_scalar(
                "update scans set lease = $2, lease_until = $4, asked_again = false
                 where customer_id in (
                     select s.customer_id from scans s
                     join connections n on n.partner_id = s.partner_id
                         and n.customer_id = s.customer_id
                     where s.partner_id = $1 and s.due_at <= $3
                       and (s.lease_until is null or s.lease_until <= $3)
                       and n.refresh_token is not null
                     order by s.asked desc, s.due_at, s.customer_id
                     limit $5 for update of s skip locked)
                 returning customer_id",
            )
            .bind(partner.0)
            .bind(lease)
            .bind(moment(now))
            .bind(moment(until))
            .bind(i64::try_from(share).unwrap_or(i64::MAX))
            .fetch_all(tx.conn())
            .await?;
            if !taken.is_empty() {
                notices::scans_changed(tx.conn(), *partner).await?;
            }
            tx.commit().await?;
            turns.extend(taken.into_iter().map(|customer| Turn {
                partner: *partner,
                customer: CustomerId(customer),
            }));
        }
        Ok(turns)
    }

    /// Extends the lease. A caller that has lost a customer learns so when it saves the scan.
    pub async fn renew_scans(&self, lease: Uuid, turns: &[Turn], until: Timestamp) -> Result<()> {
        for (partner, customers) in by_partner(turns) {
            let mut tx = self.begin(partner).await?;
            sqlx::query(
                "update scans set lease_until = $4
                 where partner_id = $1 and lease = $2 and customer_id = any($3)",
            )
            .bind(partner.0)
            .bind(lease)
            .bind(customers)
            .bind(moment(until))
            .execute(tx.conn())
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Releases customers that were not read to the end. Another process claims them at once.
    pub async fn release_scans(&self, lease: Uuid, turns: &[Turn]) -> Result<()> {
        let mut failed = Ok(());
        for (partner, customers) in by_partner(turns) {
            if let Err(error) = self.release_some(partner, lease, customers).await {
                failed = Err(error);
            }
        }
        failed
    }

    async fn release_some(
        &self,
        partner: PartnerId,
        lease: Uuid,
        customers: Vec<Uuid>,
    ) -> Result<()> {
        let mut tx = self.begin(partner).await?;
        sqlx::query(
            "update scans set lease = null, lease_until = null
             where partner_id = $1 and lease = $2 and customer_id = any($3)",
        )
        .bind(partner.0)
        .bind(lease)
        .bind(customers)
        .execute(tx.conn())
        .await?;
        notices::scans_changed(tx.conn(), partner).await?;
        tx.commit().await
    }

    /// Creates a schedule for every connected customer that has none yet, deletes old counts, and
    /// ends scans of all customers that nobody is left to end.
    pub async fn tidy_scans(&self, now: Timestamp) -> Result<()> {
        for partner in self.partners().await? {
            let mut tx = self.begin(partner).await?;
            sqlx::query(
                "insert into scans (customer_id, partner_id, due_at)
                 select n.customer_id, n.partner_id, $2 from connections n
                 where n.partner_id = $1 and n.refresh_token is not null
                   and not exists (select from scans s where s.partner_id = $1
                                   and s.customer_id = n.customer_id)
                 on conflict do nothing",
            )
            .bind(partner.0)
            .bind(moment(now))
            .execute(tx.conn())
            .await?;
            sqlx::query("delete from reach_days where partner_id = $1 and day < $2::date - $3")
                .bind(partner.0)
                .bind(moment(now))
                .bind(DAYS_KEPT)
                .execute(tx.conn())
                .await?;
            tx.end_fleet(now).await?;
            tx.count_all(now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Tx {
    /// Requests a scan as soon as possible. A customer that is being read is read once more.
    pub async fn ask_scan(&mut self, access: &CustomerAccess, now: Timestamp) -> Result<()> {
        let (partner, customer) = self.reads(access)?;
        sqlx::query(
            "insert into scans (customer_id, partner_id, due_at, asked) values ($1, $2, $3, true)
             on conflict (customer_id) do update
             set due_at = least(scans.due_at, excluded.due_at), asked = true, tries = 0,
                 asked_again = scans.lease is not null
             where scans.partner_id = excluded.partner_id",
        )
        .bind(customer.0)
        .bind(partner.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        notices::scans_changed(self.conn(), partner).await
    }

    /// How the newest scan went. None when the customer was never connected.
    pub async fn scan_state(
        &mut self,
        access: &CustomerAccess,
        now: Timestamp,
    ) -> Result<Option<ScanState>> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<StateRow> = sqlx::query_as(
            "select s.due_at, s.problem, s.parts, s.read_at, s.changes,
                    coalesce(s.lease_until > $3, false) as reading,
                    -- Whoever is not connected waits for nothing.
                    s.asked and n.refresh_token is not null as waiting
             from scans s
             join connections n on n.partner_id = $1 and n.customer_id = s.customer_id
             where s.partner_id = $1 and s.customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        row.map(StateRow::state).transpose()
    }

    /// Stores the result and releases the lease. Returns false and stores nothing when the lease
    /// was lost: another process then reads the customer.
    pub async fn save_scan(
        &mut self,
        access: &CustomerAccess,
        lease: Uuid,
        result: &ScanResult,
        now: Timestamp,
        next: impl Into<Next>,
    ) -> Result<bool> {
        let (partner, customer) = self.reads(access)?;
        let next = next.into();
        let held = sqlx::query(
            "update scans set lease = null, lease_until = null, asked = asked_again,
                    due_at = case when asked_again then $5 else $4 end, asked_again = false,
                    ended_at = $5, read_at = $5, outcome = $6, problem = $11, parts = $7,
                    reach = $8, names = $9, changes = $10, kept = $13, known = $14,
                    tries = case when asked_again then 0 else $12 end,
                    mailboxes = coalesce($15, mailboxes),
                    mailboxes_at = case when $15 is null then mailboxes_at else $5 end
             where partner_id = $1 and customer_id = $2 and lease = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(lease)
        .bind(moment(next.due))
        .bind(moment(now))
        .bind(if result.whole { "whole" } else { "partial" })
        .bind(to_json(&result.parts)?)
        .bind(to_json(&result.reach)?)
        .bind(to_json(&result.names)?)
        .bind(to_json(&result.changes)?)
        .bind(result.problem.as_ref().map(to_json).transpose()?)
        .bind(next.tries)
        .bind(to_json(&result.kept)?)
        .bind(to_json(&result.known)?)
        .bind(result.mailboxes.as_ref().map(to_json).transpose()?)
        .execute(self.conn())
        .await?
        .rows_affected();
        if held == 0 {
            return Ok(false);
        }
        self.put_entries(partner, customer, result).await?;
        self.put_delegated(partner, customer, &result.delegated)
            .await?;
        self.count_day(partner, customer, now).await?;
        notices::scans_changed(self.conn(), partner).await?;
        Ok(true)
    }

    /// Records a scan that could read nothing. The stored results stay. Returns false when the
    /// lease was lost.
    pub async fn fail_scan(
        &mut self,
        access: &CustomerAccess,
        lease: Uuid,
        problem: &Problem,
        parts: &[PartRead],
        now: Timestamp,
        next: impl Into<Next>,
    ) -> Result<bool> {
        let (partner, customer) = self.reads(access)?;
        let next = next.into();
        let held = sqlx::query(
            "update scans set lease = null, lease_until = null, asked = asked_again,
                    due_at = case when asked_again then $5 else $4 end, asked_again = false,
                    ended_at = $5, outcome = 'failed', problem = $6, parts = $7,
                    tries = case when asked_again then 0 else $8 end
             where partner_id = $1 and customer_id = $2 and lease = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(lease)
        .bind(moment(next.due))
        .bind(moment(now))
        .bind(to_json(problem)?)
        .bind(to_json(&parts)?)
        .bind(next.tries)
        .execute(self.conn())
        .await?
        .rows_affected();
        if held == 0 {
            return Ok(false);
        }
        notices::scans_changed(self.conn(), partner).await?;
        Ok(true)
    }

    async fn put_entries(
        &mut self,
        partner: PartnerId,
        customer: CustomerId,
        result: &ScanResult,
    ) -> Result<()> {
        let entries = &result.entries;
        // An incomplete scan did not ask for all principals. For those the stored details stay.
        let before: BTreeMap<Uuid, Value> = if result.whole {
            BTreeMap::new()
        } else {
            let rows: Vec<(Uuid, Value)> = sqlx::query_as(
                "select object, details from reaches
                 where partner_id = $1 and customer_id = $2 and details is not null",
            )
            .bind(partner.0)
            .bind(customer.0)
            .fetch_all(self.conn())
            .await?;
            rows.into_iter().collect()
        };
        let old: Vec<Counted> = sqlx::query_as(
            "delete from reaches where partner_id = $1 and customer_id = $2
             returning object, app_id, name, publisher, level, can_be_confined, permissions,
                       levels",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_all(self.conn())
        .await?;
        let new: Vec<Counted> = entries.iter().map(counted).collect();
        // One statement for all entries: as many rows as there are texts in each array. Postgres
        // needs nested arrays of equal length, so permissions travel as JSON.
        let permissions: Vec<Value> = new
            .iter()
            .zip(entries)
            .map(|(one, entry)| {
                clean::json(serde_json::json!({
                    "names": one.permissions,
                    "levels": one.levels,
                    "powers": entry.powers,
                    "acts_as": entry.acts_as,
                    "may_still": entry.may_still.as_ref().map(|one| &one.what),
                    "until": entry.may_still.as_ref().map(|one| one.until.rfc3339()),
                }))
            })
            .collect();
        sqlx::query(
            "insert into reaches (customer_id, object, partner_id, app_id, name, publisher, owner,
                                  level, as_proven, can_be_confined, permissions, levels, powers,
                                  acts_as, may_still, may_still_until, details, sought)
             select $1, e.object, $2, e.app_id, e.name, e.publisher, e.owner, e.level,
                    e.as_proven, e.can_be_confined,
                    array(select jsonb_array_elements_text(e.held -> 'names')),
                    array(select jsonb_array_elements_text(e.held -> 'levels')::smallint),
                    array(select jsonb_array_elements_text(e.held -> 'powers')),
                    array(select jsonb_array_elements_text(e.held -> 'acts_as')),
                    e.held ->> 'may_still', (e.held ->> 'until')::timestamptz, e.details,
                    lower(concat_ws(' ', e.name, e.publisher, coalesce(e.app_id, e.object)::text))
             from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::jsonb[],
                         $8::smallint[], $9::boolean[], $10::boolean[], $11::jsonb[],
                         $12::jsonb[])
                  as e(object, app_id, name, publisher, owner, level, as_proven, can_be_confined,
                       held, details)",
        )
        .bind(customer.0)
        .bind(partner.0)
        .bind(new.iter().map(|one| one.object).collect::<Vec<_>>())
        .bind(new.iter().map(|one| one.app_id).collect::<Vec<_>>())
        .bind(new.iter().map(|one| one.name.clone()).collect::<Vec<_>>())
        .bind(
            new.iter()
                .map(|one| one.publisher.clone())
                .collect::<Vec<_>>(),
        )
        .bind(
            entries
                .iter()
                .map(|one| clean::json(one.owner.clone()))
                .collect::<Vec<_>>(),
        )
        .bind(new.iter().map(|one| one.level).collect::<Vec<_>>())
        .bind(entries.iter().map(|one| one.as_proven).collect::<Vec<_>>())
        .bind(
            new.iter()
                .map(|one| one.can_be_confined)
                .collect::<Vec<_>>(),
        )
        .bind(permissions)
        .bind(
            entries
                .iter()
                .map(|one| {
                    let details = one.details.clone().map(clean::json);
                    details.or_else(|| before.get(&one.object.0).cloned())
                })
                .collect::<Vec<_>>(),
        )
        .execute(self.conn())
        .await?;
        self.resum(partner, customer, &old, &new).await
    }

    async fn put_delegated(
        &mut self,
        partner: PartnerId,
        customer: CustomerId,
        entries: &[DelegatedEntry],
    ) -> Result<()> {
        sqlx::query("delete from reach_delegated where partner_id = $1 and customer_id = $2")
            .bind(partner.0)
            .bind(customer.0)
            .execute(self.conn())
            .await?;
        if entries.is_empty() {
            return Ok(());
        }
        let rows: Vec<Value> = entries
            .iter()
            .map(|one| {
                clean::json(serde_json::json!({
                    "object": one.object,
                    "app_id": one.app_id,
                    "name": one.name,
                    "publisher": one.publisher,
                    "acts_as": one.acts_as,
                }))
            })
            .collect();
        sqlx::query(
            "insert into reach_delegated (customer_id, object, partner_id, app_id, name, publisher,
                                          acts_as)
             select $1, (e ->> 'object')::uuid, $2, (e ->> 'app_id')::uuid, e ->> 'name',
                    e ->> 'publisher', array(select jsonb_array_elements_text(e -> 'acts_as'))
             from unnest($3::jsonb[]) as e",
        )
        .bind(customer.0)
        .bind(partner.0)
        .bind(rows)
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

/// An entry as it is stored: each permission once, with its worst level.
fn counted(entry: &ReachEntry) -> Counted {
    let text = |text: &str| clean::text(text).into_owned();
    let name = |name: &str| clean::name(name).into_owned();
    let mut held: BTreeMap<String, i16> = BTreeMap::new();
    for (permission, level) in &entry.permissions {
        let level = number(*level);
        held.entry(text(permission))
            .and_modify(|worst| *worst = level.min(*worst))
            .or_insert(level);
    }
    let (permissions, levels) = held.into_iter().unzip();
    Counted {
        object: entry.object.0,
        app_id: entry.app_id,
        name: name(&entry.name),
        publisher: entry.publisher.as_deref().map(name),
        level: number(entry.level),
        can_be_confined: entry.can_be_confined,
        permissions,
        levels,
    }
}

impl StateRow {
    fn state(self) -> Result<ScanState> {
        let list = |value: Option<Value>| value.unwrap_or_else(|| Value::Array(Vec::new()));
        Ok(ScanState {
            read: self.read_at.map(Timestamp::from),
            under_way: self.reading || self.waiting,
            reading: self.reading,
            due: Some(self.due_at.into()),
            problem: self
                .problem
                .map(|problem| from_json("scans.problem", problem))
                .transpose()?,
            parts: from_json("scans.parts", list(self.parts))?,
            changes: from_json("scans.changes", list(self.changes))?,
        })
    }
}

#[cfg(test)]
#[path = "scans_tests.rs"]
pub(crate) mod tests;
