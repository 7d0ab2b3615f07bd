//! The application's client secret: given by an operator, kept until the proof ends, then deleted.

use domain::{
    Problem, Timestamp,
    history::EventKind,
    id::{CustomerId, SetupId},
    person::{Actor, Operator, Right},
    secret::ClientSecret,
    setup::can,
    step::{StepKind, StepState, WaitFor},
};
use store::{CustomerAccess, NewEvent, Tx};

use crate::{
    Answer, Engine, Failure, connection::event, failure::conflict, setup::save::save,
    worker::setup_job,
};

/// How long a secret is kept: 24 hours (DESIGN §7). Milliseconds. The pace does not scale it.
pub(crate) const SECRET_LIVES: i64 = 24 * 3_600_000;

impl Engine {
    /// Takes the secret, encrypts it, and continues the proof.
    pub async fn give_secret(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
        secret: ClientSecret,
    ) -> Answer<()> {
        let now = self.now();
        let give = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let mut record = tx
                .lock_setup(&access, setup)
                .await?
                .ok_or(store::Error::NotFound)?;
            if !can(record.intent, &record.steps).give_secret {
                return Err(conflict("This setup takes no secret any more.").into());
            }
            self.keep_secret(&mut tx, &access, setup, &secret, operator, now)
                .await?;
            for step in record
                .steps
                .iter_mut()
                .filter(|step| step.kind == StepKind::Prove)
            {
                let waits_for_it = matches!(&step.state, StepState::Waiting(waiting) if waiting.what == WaitFor::Secret);
                if waits_for_it || matches!(step.state, StepState::Failed { .. }) {
                    step.state = StepState::Pending;
                    step.ended = None;
                    step.attempts = 0;
                }
            }
            save(&mut tx, &access, &record).await?;
            tx.add_job(&setup_job(&access, setup, None)).await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        give.await.map_err(Problem::from)
    }

    pub(crate) async fn keep_secret(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        setup: SetupId,
        secret: &ClientSecret,
        operator: &Operator,
        now: Timestamp,
    ) -> Result<(), Failure> {
        tx.put_secret(access, setup, secret, now.plus_millis(SECRET_LIVES))
            .await?;
        tx.append(access, &NewEvent {
            setup: Some(setup),
            ..event(
                now,
                operator.into(),
                EventKind::SecretGiven,
                "The application's client secret was given for the proof; it is kept for 24 hours at most.",
            )
        })
        .await?;
        Ok(())
    }
}

/// Deletes the secret. Appends an event if there was one.
pub(crate) async fn forget(
    tx: &mut Tx,
    access: &CustomerAccess,
    setup: SetupId,
    now: Timestamp,
    why: &str,
) -> Result<(), store::Error> {
    if tx.forget_secret(access, setup).await? {
        tx.append(
            access,
            &NewEvent {
                setup: Some(setup),
                ..event(
                    now,
                    Actor::System,
                    EventKind::SecretForgotten,
                    format!("The client secret was deleted: {why}."),
                )
            },
        )
        .await?;
    }
    Ok(())
}
