//! What setups claim, and what newer polls of the tenant say about the claims.

use domain::{
    Timestamp,
    id::{AppId, ObjectId, SetupId, TenantId},
    plan::Plan,
    proof::{Judged, Proof, stands},
    step::told::OTHER_POLICY,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    CustomerAccess, Result, Tx,
    clean::{self, from_json, moment, to_json},
    notices,
};

/// A finished setup with a claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    pub id: SetupId,
    pub plan: Plan,
    /// What the setup's own steps showed.
    pub showed: Proof,
    pub judged: Option<Judged>,
    pub ended: Option<Timestamp>,
}

/// What is known about policies for an application, apart from one setup's own policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherPolicies {
    /// When another setup's policy was last removed.
    pub undone: Option<Timestamp>,
    /// A setup saw a policy that Postern did not make.
    pub seen: bool,
}

impl Tx {
    /// The customer's finished setups with a claim. `application`: only the setups of this one.
    pub async fn claims(
        &mut self,
        access: &CustomerAccess,
        application: Option<AppId>,
    ) -> Result<Vec<Claimed>> {
        type Row = (
            Uuid,
            Value,
            String,
            Option<Value>,
            Option<chrono::DateTime<chrono::Utc>>,
        );
        let (partner, customer) = self.reads(access)?;
        let rows: Vec<Row> = sqlx::query_as(
            "select id, plan, coalesce(showed, proof), judged, ended_at from setups
             where partner_id = $1 and customer_id = $2 and ($3::uuid is null or app_id = $3)
               and state in ('done', 'cancelled') and coalesce(showed, proof) <> 'none'",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(application.map(|id| id.0))
        .fetch_all(self.conn())
        .await?;
        rows.into_iter()
            .map(|(id, plan, showed, judged, ended)| {
                Ok(Claimed {
                    id: SetupId(id),
                    plan: from_json("setups.plan", plan)?,
                    showed: clean::word("setups.showed", &showed, Proof::parse)?,
                    judged: judged
                        .map(|judged| from_json("setups.judged", judged))
                        .transpose()?,
                    ended: ended.map(Timestamp::from),
                })
            })
            .collect()
    }

    /// Stores what a poll says about a claim. Returns true when this is new. Every page that
    /// watches is then notified.
    pub async fn judge(
        &mut self,
        access: &CustomerAccess,
        claim: &Claimed,
        judged: &Judged,
    ) -> Result<bool> {
        let (partner, customer) = self.changes(access)?;
        let proof = stands(claim.showed, Some(judged));
        let news = stands(claim.showed, claim.judged.as_ref()) != proof
            || claim.judged.as_ref().map(|old| &old.says) != Some(&judged.says);
        let version: Option<i64> = sqlx::query_scalar(
            "update setups set judged = $4, proof = $5, version = version + $6
             where partner_id = $1 and customer_id = $2 and id = $3
               and state in ('done', 'cancelled')
             returning version",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(claim.id.0)
        .bind(to_json(judged)?)
        .bind(proof.as_str())
        .bind(i64::from(news))
        .fetch_optional(self.conn())
        .await?;
        let Some(version) = version.filter(|_| news) else {
            return Ok(false);
        };
        notices::setup_changed(self.conn(), partner, customer, claim.id, version).await?;
        Ok(true)
    }

    /// What Postern's own setups know about policies for an application, without setup `except`.
    /// Setups that began before `since` do not count for `seen`.
    pub async fn other_policies(
        &mut self,
        access: &CustomerAccess,
        application: AppId,
        except: SetupId,
        since: Timestamp,
    ) -> Result<OtherPolicies> {
        let (partner, customer) = self.reads(access)?;
        let (undone, seen): (Option<i64>, Option<bool>) = sqlx::query_as(
            "select max((t.body ->> 'ended')::bigint)
                        filter (where s.id <> $4 and t.kind = 'policy'
                                  and t.body ->> 'state' = 'undone'),
                    bool_or(t.kind = 'readiness' and t.body -> 'noted' ? $5
                            and (s.id = $4 or s.started_at >= $6))
             from setups s join steps t on t.partner_id = $1 and t.setup_id = s.id
             where s.partner_id = $1 and s.customer_id = $2 and s.app_id = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(application.0)
        .bind(except.0)
        .bind(OTHER_POLICY)
        .bind(moment(since))
        .fetch_one(self.conn())
        .await?;
        Ok(OtherPolicies {
            undone: undone.map(Timestamp),
            seen: seen.unwrap_or_default(),
        })
    }

    /// The partner's own tenant. The partner holds the secrets of the applications registered
    /// there.
    pub async fn home_tenant(&mut self) -> Result<Option<TenantId>> {
        let partner = self.partner();
        let home: Option<Uuid> = sqlx::query_scalar("select home_tid from partners where id = $1")
            .bind(partner.0)
            .fetch_optional(self.conn())
            .await?;
        Ok(home.map(TenantId))
    }
}

impl Claimed {
    /// The mailboxes that the plan permits.
    pub fn senders(&self) -> Vec<ObjectId> {
        self.plan.senders.iter().map(|one| one.object).collect()
    }
}

#[cfg(test)]
#[path = "proofs_tests.rs"]
mod tests;
