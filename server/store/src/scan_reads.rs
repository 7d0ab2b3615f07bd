//! Reads the results of scans: the effective access that pages show, and the input of the next
//! scan.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{AppId, ObjectId},
    plan::Plan,
    reach::{Kept, Known, PrincipalDetails, Reach},
};
use serde_json::Value;
use sqlx::FromRow;

use crate::{CustomerAccess, Result, Tx, clean::from_json, exposure_sql::proven};

/// The stored effective access of a customer's applications.
#[derive(Clone, Debug)]
pub struct StoredReach {
    pub read: Timestamp,
    pub reach: Reach,
    pub names: BTreeMap<ObjectId, String>,
}

/// What a scan needs from the scans before it.
#[derive(Clone, Debug, Default)]
pub struct ScanMemory {
    pub kept: Kept,
    pub known: Known,
    pub names: BTreeMap<ObjectId, String>,
    pub tries: i16,
    pub consented: Option<Timestamp>,
    /// What the finished and proven setups permit: the application, and its allowed mailboxes.
    pub proven: Vec<(AppId, Vec<ObjectId>)>,
}

#[derive(FromRow)]
struct MemoryRow {
    kept: Option<Value>,
    known: Option<Value>,
    names: Option<Value>,
    tries: i16,
    consented_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// The stored effective access of the customer's applications.
    pub async fn reach(&mut self, access: &CustomerAccess) -> Result<Option<StoredReach>> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<(DateTime<Utc>, Value, Value)> = sqlx::query_as(
            "select read_at, reach, names from scans
             where partner_id = $1 and customer_id = $2 and read_at is not null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        let Some((read, reach, names)) = row else {
            return Ok(None);
        };
        Ok(Some(StoredReach {
            read: read.into(),
            reach: from_json("scans.reach", reach)?,
            names: from_json("scans.names", names)?,
        }))
    }

    /// The input for the next scan.
    pub async fn scan_memory(&mut self, access: &CustomerAccess) -> Result<ScanMemory> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<MemoryRow> = sqlx::query_as(
            "select s.kept, s.known, s.names, s.tries, n.consented_at
             from scans s
             left join connections n on n.partner_id = $1 and n.customer_id = s.customer_id
             where s.partner_id = $1 and s.customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        let memory = match row {
            Some(row) => row.memory()?,
            None => ScanMemory::default(),
        };
        Ok(ScanMemory {
            proven: self.proven_senders(access).await?,
            ..memory
        })
    }

    /// What the finished and proven setups permit: the application, and its allowed mailboxes.
    /// Setups whose proof is unknown at the moment are included: the next poll decides.
    pub async fn proven_senders(
        &mut self,
        access: &CustomerAccess,
    ) -> Result<Vec<(AppId, Vec<ObjectId>)>> {
        let (partner, customer) = self.reads(access)?;
        let plans: Vec<Value> = sqlx::query_scalar(
            "select plan from setups where partner_id = $1 and customer_id = $2
               and state = 'done' and coalesce(showed, proof) = 'proven'
               and (judged -> 'was_open') is distinct from 'true'::jsonb",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_all(self.conn())
        .await?;
        plans
            .into_iter()
            .map(|plan| {
                let plan: Plan = from_json("setups.plan", plan)?;
                let senders = plan.senders.iter().map(|sender| sender.object).collect();
                Ok((plan.application.app_id, senders))
            })
            .collect()
    }

    /// The last certain answers about a customer's applications.
    pub async fn known_reach(&mut self, access: &CustomerAccess) -> Result<Known> {
        let (partner, customer) = self.reads(access)?;
        let known: Option<Option<Value>> = sqlx::query_scalar(
            "select known from scans where partner_id = $1 and customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        known.flatten().map_or_else(
            || Ok(Known::default()),
            |known| from_json("scans.known", known),
        )
    }

    /// All mailboxes as they were last read, by name, and the time. None when they were never read.
    pub async fn scanned_mailboxes(
        &mut self,
        access: &CustomerAccess,
    ) -> Result<Option<(Timestamp, Vec<(ObjectId, String)>)>> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<(DateTime<Utc>, Value)> = sqlx::query_as(
            "select mailboxes_at, mailboxes from scans
             where partner_id = $1 and customer_id = $2 and mailboxes_at is not null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(|(at, list)| Ok((at.into(), from_json("scans.mailboxes", list)?)))
            .transpose()
    }

    /// The other details read of an application, and whether it matches what a setup proved.
    pub async fn reach_details(
        &mut self,
        access: &CustomerAccess,
        object: ObjectId,
    ) -> Result<(Option<PrincipalDetails>, bool)> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<(Option<Value>, bool)> = sqlx::query_as(concat!(
            "with p as (",
            proven!(),
            " and s.customer_id = $2)
             select r.details, exists (select from p where p.object = r.object)
             from reaches r
             where r.partner_id = $1 and r.customer_id = $2 and r.object = $3"
        ))
        .bind(partner.0)
        .bind(customer.0)
        .bind(object.0)
        .fetch_optional(self.conn())
        .await?;
        let Some((details, proven)) = row else {
            return Ok((None, false));
        };
        let details = details
            .map(|details| from_json("reaches.details", details))
            .transpose()?;
        Ok((details, proven))
    }
}

impl MemoryRow {
    fn memory(self) -> Result<ScanMemory> {
        fn or_default<T: Default + serde::de::DeserializeOwned>(
            column: &'static str,
            value: Option<Value>,
        ) -> Result<T> {
            value.map_or_else(|| Ok(T::default()), |value| from_json(column, value))
        }
        Ok(ScanMemory {
            kept: or_default("scans.kept", self.kept)?,
            known: or_default("scans.known", self.known)?,
            names: or_default("scans.names", self.names)?,
            tries: self.tries,
            consented: self.consented_at.map(Timestamp::from),
            proven: Vec::new(),
        })
    }
}
