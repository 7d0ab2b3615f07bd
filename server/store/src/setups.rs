//! Setups: started once, locked for each change, written back as a whole.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{CustomerId, OperatorId, PartnerId, SetupId},
    person::Operator,
    plan::Plan,
    proof::{Judged, stands},
    setup::{Intent, derive, proof},
    step::{Step, StepKind, StepState},
    view::{SecretState, SetupRow},
};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Error, Result, Tx,
    clean::{self, moment},
    notices,
};

/// The index that allows one active setup per application.
const ONE_ACTIVE: &str = "setups_one_active";

/// A stored setup with its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct SetupRecord {
    pub id: SetupId,
    pub customer: CustomerId,
    pub plan: Plan,
    pub intent: Intent,
    /// In the order of the plan.
    pub steps: Vec<Step>,
    /// What the newest poll of the tenant says about what the steps showed.
    pub judged: Option<Judged>,
    pub started_by: OperatorId,
    pub started_by_name: String,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub secret: SecretState,
    /// Increases with every change.
    pub version: i64,
}

/// Why a setup did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another setup holds the application.
    #[error("a setup for this application is active")]
    AlreadyActive(Box<SetupRow>),
    #[error(transparent)]
    Store(#[from] Error),
}

#[derive(FromRow)]
struct SetupRecordRow {
    id: Uuid,
    customer_id: Uuid,
    plan: Value,
    intent: String,
    judged: Option<Value>,
    started_by: Uuid,
    started_by_name: String,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    version: i64,
    secret_given: bool,
    secret_until: Option<DateTime<Utc>>,
    steps: Value,
}

impl SetupRecordRow {
    fn record(self) -> Result<SetupRecord> {
        let steps = clean::from_json("steps.body", self.steps)?;
        Ok(SetupRecord {
            id: SetupId(self.id),
            customer: CustomerId(self.customer_id),
            plan: clean::from_json("setups.plan", self.plan)?,
            intent: clean::word("setups.intent", &self.intent, Intent::parse)?,
            steps,
            judged: self
                .judged
                .map(|judged| clean::from_json("setups.judged", judged))
                .transpose()?,
            started_by: OperatorId(self.started_by),
            started_by_name: self.started_by_name,
            started_at: self.started_at.into(),
            ended_at: self.ended_at.map(Timestamp::from),
            secret: match (self.secret_until, self.secret_given) {
                (Some(until), _) => SecretState::KeptUntil {
                    until: until.into(),
                },
                (None, true) => SecretState::Gone,
                (None, false) => SecretState::None,
            },
            version: self.version,
        })
    }
}

/// When the setup polls again by itself (`look`): the earliest time among its waiting steps.
fn next_look(steps: &[Step]) -> Option<Timestamp> {
    steps
        .iter()
        .filter_map(|step| match &step.state {
            StepState::Waiting(waiting) => waiting.next_look,
            _ => None,
        })
        .min()
}

impl Tx {
    /// Starts a setup with all its steps pending, unless another setup holds the application.
    pub async fn start_setup(
        &mut self,
        access: &CustomerAccess,
        id: SetupId,
        plan: &Plan,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), StartError> {
        let (partner, customer) = self.changes(access)?;
        let steps: Vec<Step> = StepKind::ALL.into_iter().map(Step::new).collect();
        // The active setup may end between the two statements. Then there is room after all, so
        // retry.
        for _ in 0..3 {
            if self
                .insert_setup((partner, customer), id, plan, &steps, operator, now)
                .await?
            {
                self.write_steps(partner, id, &steps).await?;
                notices::setup_changed(self.conn(), partner, customer, id, 1).await?;
                return Ok(());
            }
            let app = plan.application.app_id;
            if let Some(row) = self.active_setup_for(access, app).await? {
                return Err(StartError::AlreadyActive(Box::new(row)));
            }
        }
        Err(Error::conflict("Other setups for this application start and end all the time.").into())
    }

    async fn insert_setup(
        &mut self,
        (partner, customer): (PartnerId, CustomerId),
        id: SetupId,
        plan: &Plan,
        steps: &[Step],
        operator: &Operator,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = sqlx::query(
            "insert into setups
                 (id, partner_id, customer_id, application_object, app_id, application_name, plan,
                  intent, state, proof, showed, doing, started_by, started_by_name, started_at,
                  version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, 1)
             on conflict (customer_id, app_id) where active do nothing",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(customer.0)
        .bind(plan.application.object.0)
        .bind(plan.application.app_id.0)
        .bind(clean::name(&plan.application.name))
        .bind(clean::to_json(plan)?)
        .bind(Intent::Forward.as_str())
        .bind(derive(Intent::Forward, steps).as_str())
        .bind(proof(Intent::Forward, steps).as_str())
        .bind(StepKind::Readiness.explained())
        .bind(operator.id.0)
        .bind(clean::name(&operator.name))
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// A setup of this customer.
    pub async fn setup(
        &mut self,
        access: &CustomerAccess,
        id: SetupId,
    ) -> Result<Option<SetupRecord>> {
        let (partner, customer) = self.reads(access)?;
        // A single statement sees a single moment. With the steps of a later moment, a setup would
        // look proven before the last poll that says otherwise.
        let row: Option<SetupRecordRow> = sqlx::query_as(
            "select s.id, s.customer_id, s.plan, s.intent, s.judged, s.started_by, s.started_by_name,
                    s.started_at, s.ended_at, s.version, s.secret_given,
                    c.expires_at as secret_until,
                    (select coalesce(jsonb_agg(t.body order by t.position), '[]')
                     from steps t where t.partner_id = $1 and t.setup_id = s.id) as steps
             from setups s left join secrets c on c.partner_id = s.partner_id and c.setup_id = s.id
             where s.partner_id = $1 and s.customer_id = $2 and s.id = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(id.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(SetupRecordRow::record).transpose()
    }

    /// A setup of this customer, locked until the transaction ends, so that two changes never mix.
    /// Waits for the current holder of the lock. Needed before [`Tx::save_setup`].
    pub async fn lock_setup(
        &mut self,
        access: &CustomerAccess,
        id: SetupId,
    ) -> Result<Option<SetupRecord>> {
        let (partner, customer) = self.changes(access)?;
        // The row is locked first and read afterwards. A statement that had to wait for the lock
        // would give the locked row as it is now, and rows of other tables as they were before.
        let locked = sqlx::query(
            "select from setups where partner_id = $1 and customer_id = $2 and id = $3 for update",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(id.0)
        .fetch_optional(self.conn())
        .await?;
        if locked.is_none() {
            return Ok(None);
        }
        self.locked.insert(id);
        self.setup(access, id).await
    }

    /// Writes intent, steps and end of a setup that this transaction locked, derives its state and
    /// proof, and notifies every process when the transaction commits. `doing` is the status text
    /// for lists. Returns the new version.
    ///
    /// [`Error::Conflict`] when the setup would become active again while another setup holds the
    /// application.
    pub async fn save_setup(
        &mut self,
        access: &CustomerAccess,
        record: &SetupRecord,
        doing: &str,
    ) -> Result<i64> {
        let (partner, customer) = self.changes(access)?;
        if !self.locked.contains(&record.id) {
            return Err(Error::Forbidden);
        }
        let showed = proof(record.intent, &record.steps);
        let saved: Result<Option<i64>, sqlx::Error> = sqlx::query_scalar(
            "update setups set intent = $4, state = $5, proof = $6, doing = $7, ended_at = $8,
                    next_look_at = $9, showed = $10, judged = $11, version = version + 1
             where partner_id = $1 and customer_id = $2 and id = $3 returning version",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(record.id.0)
        .bind(record.intent.as_str())
        .bind(derive(record.intent, &record.steps).as_str())
        .bind(stands(showed, record.judged.as_ref()).as_str())
        .bind(clean::text(doing))
        .bind(record.ended_at.map(moment))
        .bind(next_look(&record.steps).map(moment))
        .bind(showed.as_str())
        .bind(record.judged.as_ref().map(clean::to_json).transpose()?)
        .fetch_optional(self.conn())
        .await;
        let version = match saved.map_err(Error::from) {
            Ok(version) => version.ok_or(Error::NotFound)?,
            Err(error) if error.breaks(ONE_ACTIVE) => {
                return Err(Error::conflict(format!(
                    "Another setup for {} is active.",
                    record.plan.application.name
                )));
            }
            Err(error) => return Err(error),
        };
        self.write_steps(partner, record.id, &record.steps).await?;
        notices::setup_changed(self.conn(), partner, customer, record.id, version).await?;
        Ok(version)
    }

    /// Writes the steps that changed.
    async fn write_steps(&mut self, partner: PartnerId, id: SetupId, steps: &[Step]) -> Result<()> {
        let bodies = steps
            .iter()
            .map(clean::to_json)
            .collect::<Result<Vec<Value>>>()?;
        let kinds: Vec<&str> = steps.iter().map(|step| step.kind.as_str()).collect();
        sqlx::query(
            "insert into steps (setup_id, partner_id, position, kind, body)
             select $1, $2, new.place - 1, new.kind, new.body
             from unnest($3::text[], $4::jsonb[]) with ordinality as new (kind, body, place)
             left join steps old
                 on old.partner_id = $2 and old.setup_id = $1 and old.position = new.place - 1
             where (old.kind, old.body) is distinct from (new.kind, new.body)
             on conflict (setup_id, position) do update
                 set kind = excluded.kind, body = excluded.body",
        )
        .bind(id.0)
        .bind(partner.0)
        .bind(kinds)
        .bind(bodies)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Counts a change that is not in the steps, and notifies every process.
    pub(crate) async fn touch_setup(&mut self, access: &CustomerAccess, id: SetupId) -> Result<()> {
        let (partner, customer) = self.reads(access)?;
        let version: i64 = sqlx::query_scalar(
            "update setups set version = version + 1
             where partner_id = $1 and customer_id = $2 and id = $3 returning version",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(id.0)
        .fetch_one(self.conn())
        .await?;
        notices::setup_changed(self.conn(), partner, customer, id, version).await
    }
}

#[cfg(test)]
#[path = "setups_tests.rs"]
mod tests;
