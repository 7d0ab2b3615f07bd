//! Commands for a running setup: cancel, retry, poll now, leave the proof out, roll back.

use domain::{
    Problem, Timestamp,
    history::EventKind,
    id::{CustomerId, SetupId},
    made::{Made, made},
    name::typable,
    person::{Operator, Right},
    plan::Plan,
    setup::{Can, Intent, can},
    step::{Stands, Step, StepKind, StepState},
};
use store::{CustomerAccess, NewEvent, SetupRecord, Tx};

use crate::{
    Answer, Engine, Failure,
    connection::event,
    failure::conflict,
    setup::{claim::look_at_the_end, save::save, secret},
    worker::setup_job,
};

/// A setup that is locked for a change.
struct Locked {
    tx: Tx,
    access: CustomerAccess,
    record: SetupRecord,
    now: Timestamp,
}

impl Locked {
    async fn event(
        &mut self,
        operator: &Operator,
        kind: EventKind,
        what: String,
    ) -> Result<(), store::Error> {
        let entry = NewEvent {
            setup: Some(self.record.id),
            ..event(self.now, operator.into(), kind, what)
        };
        self.tx.append(&self.access, &entry).await?;
        Ok(())
    }

    async fn save_and_go(mut self) -> Result<(), Failure> {
        save(&mut self.tx, &self.access, &self.record).await?;
        self.tx
            .add_job(&setup_job(&self.access, self.record.id, None))
            .await?;
        self.tx.commit().await?;
        Ok(())
    }
}

impl Engine {
    async fn lock(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
        allowed: impl Fn(Can) -> bool,
        refusal: &str,
    ) -> Result<Locked, Failure> {
        let mut tx = self.store().begin(operator.partner).await?;
        let access = tx.access(operator, customer, Right::Change).await?;
        let record = tx
            .lock_setup(&access, setup)
            .await?
            .ok_or(store::Error::NotFound)?;
        if !allowed(can(record.intent, &record.steps)) {
            return Err(conflict(refusal).into());
        }
        Ok(Locked {
            tx,
            access,
            record,
            now: self.now(),
        })
    }

    /// Cancels the setup and leaves everything as it is. A step that is running still runs to its
    /// end.
    pub async fn cancel_setup(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<()> {
        let cancel = async {
            let mut locked = self
                .lock(
                    operator,
                    customer,
                    setup,
                    |can| can.cancel,
                    "This setup has ended already.",
                )
                .await?;
            let left = what_is_there(&locked.record.plan, &locked.record.steps);
            locked.record.intent = Intent::Cancel;
            locked.record.ended_at = Some(locked.now);
            for step in &mut locked.record.steps {
                if needs_a_look(step) {
                    // The worker reconciles what the step has made, and then ends it.
                    step.state = StepState::Running;
                } else if matches!(step.state, StepState::Pending | StepState::Waiting(_)) {
                    step.state = StepState::Skipped {
                        why: "The setup was cancelled.".into(),
                    };
                    step.ended = Some(locked.now);
                }
            }
            secret::forget(
                &mut locked.tx,
                &locked.access,
                setup,
                locked.now,
                "the setup was cancelled",
            )
            .await?;
            locked
                .event(
                    operator,
                    EventKind::SetupCancelled,
                    format!("Cancelled. {left}"),
                )
                .await?;
            locked.save_and_go().await
        };
        cancel.await.map_err(Problem::from)
    }

    /// Retries the failed step.
    pub async fn retry_setup(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<()> {
        let retry = async {
            let mut locked = self
                .lock(
                    operator,
                    customer,
                    setup,
                    |can| can.retry,
                    "No step of this setup has failed.",
                )
                .await?;
            let rolling_back = locked.record.intent == Intent::RollBack;
            let mut title = "";
            for step in &mut locked.record.steps {
                if matches!(step.state, StepState::Failed { .. }) {
                    title = step.kind.title();
                    // A rollback takes a step that is not undone; a forward run takes a step that
                    // has not begun.
                    step.state = if rolling_back {
                        StepState::Running
                    } else {
                        StepState::Pending
                    };
                    step.ended = None;
                    step.attempts = 0;
                }
            }
            locked.record.ended_at = None;
            locked
                .event(
                    operator,
                    EventKind::SetupRetried,
                    format!("Tried again from the step “{title}”."),
                )
                .await?;
            locked.save_and_go().await
        };
        retry.await.map_err(Problem::from)
    }

    /// Polls at once instead of at the planned time (`look_now`).
    pub async fn look_now(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<()> {
        let look = async {
            let locked = self
                .lock(
                    operator,
                    customer,
                    setup,
                    |can| can.look_now,
                    "This setup does not wait for a look.",
                )
                .await?;
            locked.save_and_go().await
        };
        look.await.map_err(Problem::from)
    }

    /// Ends the setup as checked, without real mail.
    pub async fn skip_proof(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
    ) -> Answer<()> {
        let skip = async {
            let mut locked = self
                .lock(
                    operator,
                    customer,
                    setup,
                    |can| can.skip_proof,
                    "The proof cannot be left out now.",
                )
                .await?;
            let why = format!("{} left the proof by real mail out.", operator.name);
            for step in locked
                .record
                .steps
                .iter_mut()
                .filter(|step| step.kind == StepKind::Prove)
            {
                step.state = StepState::Skipped { why: why.clone() };
                step.ended = Some(locked.now);
                if let Some(proving) = &mut step.proving {
                    proving.again = None;
                    proving.held = None;
                }
            }
            look_at_the_end(&mut locked.record.steps);
            let over = locked.record.steps.iter().all(|step| step.state.is_over());
            secret::forget(
                &mut locked.tx,
                &locked.access,
                setup,
                locked.now,
                "the proof was left out",
            )
            .await?;
            locked.event(operator, EventKind::StepSkipped, why).await?;
            if over {
                locked.record.ended_at = Some(locked.now);
            }
            // The last look still runs, and ends the setup.
            locked.save_and_go().await
        };
        skip.await.map_err(Problem::from)
    }

    /// Rolls back what the setup has made. `confirm`: the application's name, typed by the
    /// operator.
    pub async fn roll_back(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
        confirm: &str,
    ) -> Answer<()> {
        let roll = async {
            let mut locked = self
                .lock(
                    operator,
                    customer,
                    setup,
                    |can| can.roll_back,
                    "There is nothing to roll back.",
                )
                .await?;
            let name = typable(&locked.record.plan.application.name);
            if typable(confirm) != name {
                return Err(Problem::input(
                    "confirm",
                    format!("“{}” is not the name of the application.", confirm.trim()),
                    format!("Type {name} to roll this setup back."),
                )
                .into());
            }
            locked.record.intent = Intent::RollBack;
            locked.record.ended_at = None;
            for step in &mut locked.record.steps {
                // A failed or interrupted step may have made something, so it is undone like the
                // others.
                let cut_short = matches!(
                    step.state,
                    StepState::Failed { .. } | StepState::Waiting(_) | StepState::Skipped { .. }
                );
                if cut_short && step.started.is_some() {
                    step.state = StepState::Running;
                }
                step.attempts = 0;
            }
            secret::forget(
                &mut locked.tx,
                &locked.access,
                setup,
                locked.now,
                "the setup is rolled back",
            )
            .await?;
            locked
                .event(
                    operator,
                    EventKind::SetupRollBack,
                    "Roll back started: the steps are undone in reverse order.".into(),
                )
                .await?;
            locked.save_and_go().await
        };
        roll.await.map_err(Problem::from)
    }
}

/// Whether the step may have made something that no run recorded: an answer was lost, or is still
/// on its way.
fn needs_a_look(step: &Step) -> bool {
    step.kind.changes()
        && step.started.is_some()
        && matches!(
            step.state,
            // Pending: the step had failed, and an operator asked for a retry.
            StepState::Pending
                | StepState::Running
                | StepState::Waiting(_)
                | StepState::Failed { .. }
        )
}

/// One sentence about what a setup leaves behind when it is not continued. What an interrupted step
/// has made is only certain after the reconciliation that follows a cancel.
pub(super) fn what_is_there(plan: &Plan, steps: &[Step]) -> String {
    let left: Vec<&str> = made(plan, steps)
        .into_iter()
        .filter_map(|(what, stands)| match (what, stands) {
            (_, Stands::No) => None,
            (Made::Group, Stands::Perhaps) => Some("its group may have been made"),
            (Made::Group, Stands::Yes) => Some("its group stays"),
            (Made::Members, Stands::Perhaps) => Some("senders may have been added"),
            (Made::Members, Stands::Yes) => Some("the senders that were added stay"),
            (Made::Policy, Stands::Perhaps) => Some("its policy may have been made"),
            (Made::Policy, Stands::Yes) => Some("its policy stays and has effect"),
        })
        .collect();
    if left.is_empty() {
        "Nothing was made before.".to_owned()
    } else {
        format!("Left as it is: {}.", left.join("; "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{
        id::{AppId, ObjectId},
        plan::{Confined, Group, GroupName},
    };
    use uuid::Uuid;

    use super::*;

    fn plan(group: Group) -> Plan {
        Plan {
            application: Confined {
                object: ObjectId(Uuid::nil()),
                app_id: AppId(Uuid::nil()),
                name: "Mailer".into(),
            },
            senders: vec![],
            refused: vec![],
            group,
            prove: false,
            unprovable: None,
            recipient: None,
            accepted: Vec::new(),
        }
    }

    fn step(kind: StepKind, state: StepState) -> Step {
        Step {
            state,
            started: Some(Timestamp(1)),
            ..Step::new(kind)
        }
    }

    #[test]
    fn history_says_what_is_there_and_what_may_be() {
        let new = plan(Group::New {
            name: GroupName::parse("g").unwrap(),
            address: "g@a.example".parse().unwrap(),
        });
        let steps = [
            step(StepKind::Group, StepState::Done),
            step(StepKind::Senders, StepState::Done),
            step(StepKind::Policy, StepState::Running),
        ];
        let said = what_is_there(&new, &steps);
        assert!(said.contains("its policy may have been made"), "{said}");
        assert!(said.contains("its group stays"), "{said}");
        let existing = plan(Group::Existing {
            object: ObjectId(Uuid::nil()),
            name: "g".into(),
            address: "g@a.example".parse().unwrap(),
        });
        let said = what_is_there(&existing, &steps);
        assert_eq!(said, "Left as it is: its policy may have been made.");
        let nothing = [step(StepKind::Readiness, StepState::Done)];
        assert_eq!(what_is_there(&new, &nothing), "Nothing was made before.");
    }
}
