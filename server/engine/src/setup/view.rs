//! Reads one setup for its page.

use domain::{
    Problem,
    effects::{self, means},
    id::{CustomerId, SetupId},
    person::{Operator, Right},
    proof::stands,
    setup::{Intent, can, derive, proof},
    view::SetupView,
};
use store::{CustomerAccess, SetupRecord};

use crate::{Answer, Engine, Failure, customers::head};

impl Engine {
    pub async fn setup(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<SetupView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let record = tx
                .setup(&access, setup)
                .await?
                .ok_or(store::Error::NotFound)?;
            Ok::<_, Failure>(self.view(operator, &access, record))
        };
        load.await.map_err(Problem::from)
    }

    fn view(&self, operator: &Operator, access: &CustomerAccess, record: SetupRecord) -> SetupView {
        let may = operator.role.is_some_and(|role| role.may(Right::Change));
        SetupView {
            id: record.id,
            head: head(access),
            intent: record.intent,
            state: derive(record.intent, &record.steps),
            proof: stands(proof(record.intent, &record.steps), record.judged.as_ref()),
            // An auditor, who may only read, gets no actions.
            can: if may {
                let can = can(record.intent, &record.steps);
                domain::setup::Can {
                    prove_again: can.prove_again && record.plan.unprovable.is_none(),
                    ..can
                }
            } else {
                domain::setup::Can::default()
            },
            // A setup that is being rolled back takes its policy away, so the policy's effects are
            // not listed.
            means: match record.intent {
                Intent::RollBack => Vec::new(),
                Intent::Forward | Intent::Cancel => means(&record.plan, effects::of(&record.steps)),
            },
            plan: record.plan,
            judged: record.judged,
            steps: record.steps,
            started_by: record.started_by_name,
            started: record.started_at,
            ended: record.ended_at,
            secret: record.secret,
            version: record.version,
            now: self.now(),
        }
    }
}
