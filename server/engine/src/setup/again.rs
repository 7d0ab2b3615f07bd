//! Repeats the proof of a finished setup, for mailboxes that were not tried or because the proof is
//! old.

use domain::{
    Problem,
    history::EventKind,
    id::{CustomerId, ObjectId, SetupId},
    person::{Operator, Right},
    plan::Plan,
    proof::names,
    proving::{Again, MOST_AGAIN, Proving},
    secret::ClientSecret,
    setup::can,
    step::{Step, StepKind, StepState},
};
use store::NewEvent;

use crate::{
    Answer, Engine, Failure,
    connection::event,
    failure::conflict,
    setup::{claim::look_at_the_end, save::save, start::already_active},
    worker::setup_job,
};

impl Engine {
    /// Tries these mailboxes of a finished setup with real mail, and changes nothing else.
    /// `addresses`: permitted senders, and mailboxes that must be refused, of the setup's plan.
    pub async fn prove_again(
        &self,
        operator: &Operator,
        customer: CustomerId,
        setup: SetupId,
        addresses: &[String],
        secret: ClientSecret,
    ) -> Answer<()> {
        let now = self.now();
        let again = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let mut record = tx
                .lock_setup(&access, setup)
                .await?
                .ok_or(store::Error::NotFound)?;
            if let Some(unprovable) = record.plan.unprovable {
                return Err(conflict(unprovable.why()).into());
            }
            if !can(record.intent, &record.steps).prove_again {
                return Err(conflict(
                    "Only what is finished, and was checked by Exchange, can be proven again.",
                )
                .into());
            }
            let app = record.plan.application.app_id;
            if let Some(row) = tx.active_setup_for(&access, app).await? {
                return Err(already_active(&row).into());
            }
            let mailboxes = chosen(&record.plan, addresses)?;
            let asked: Vec<_> = record
                .plan
                .senders
                .iter()
                .chain(&record.plan.refused)
                .filter(|one| mailboxes.contains(&one.object))
                .collect();
            let what = format!(
                "The proof is made again, for {}.",
                names(&asked).unwrap_or_default()
            );
            let again = Again {
                mailboxes,
                at: now,
                by: operator.name.clone(),
            };
            // A setup of an older version has no record of what was proved. It is derived from the
            // probes.
            let proved = domain::proof::proved(&record.steps, &record.plan);
            for step in &mut record.steps {
                match step.kind {
                    StepKind::Prove => {
                        step.proving = Some(Proving {
                            proved: proved.clone(),
                            disturbed: step.proving.as_ref().and_then(|old| old.disturbed),
                            again: Some(again.clone()),
                            ..Proving::default()
                        });
                        reopen(step);
                    }
                    StepKind::LastLook => reopen(step),
                    _ => {}
                }
            }
            look_at_the_end(&mut record.steps);
            record.ended_at = None;
            self.keep_secret(&mut tx, &access, setup, &secret, operator, now)
                .await?;
            let entry = NewEvent {
                setup: Some(setup),
                ..event(now, operator.into(), EventKind::ProofAgain, what)
            };
            tx.append(&access, &entry).await?;
            save(&mut tx, &access, &record).await?;
            tx.add_job(&setup_job(&access, setup, None)).await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        again.await.map_err(Problem::from)
    }
}

fn reopen(step: &mut Step) {
    step.state = StepState::Pending;
    step.started = None;
    step.ended = None;
    step.summary = None;
    step.attempts = 0;
    step.noted.clear();
}

/// The mailboxes of the plan with these addresses.
fn chosen(plan: &Plan, addresses: &[String]) -> Result<Vec<ObjectId>, Failure> {
    let wrong =
        |happened: String, todo: &str| Failure::from(Problem::input("mailbox", happened, todo));
    let mut mailboxes = Vec::new();
    for address in addresses
        .iter()
        .map(|one| one.trim())
        .filter(|one| !one.is_empty())
    {
        let found = plan
            .senders
            .iter()
            .chain(&plan.refused)
            .find(|one| one.address.as_str().eq_ignore_ascii_case(address));
        let Some(found) = found else {
            return Err(wrong(
                format!(
                    "{address} is neither a permitted sender of this setup nor a mailbox that must be refused."
                ),
                "Choose mailboxes from the list.",
            ));
        };
        if !mailboxes.contains(&found.object) {
            mailboxes.push(found.object);
        }
    }
    if mailboxes.is_empty() {
        return Err(wrong(
            "No mailbox was chosen.".to_owned(),
            "Choose at least one mailbox to try.",
        ));
    }
    if mailboxes.len() > MOST_AGAIN {
        return Err(wrong(
            format!(
                "{} mailboxes were chosen; {MOST_AGAIN} are the most.",
                mailboxes.len()
            ),
            "Choose fewer, and try the others afterwards.",
        ));
    }
    Ok(mailboxes)
}
