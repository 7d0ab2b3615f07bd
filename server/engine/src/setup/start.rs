//! Starts a setup: the operator approves the plan, and the worker carries it out.

use domain::{
    Problem,
    address::MailAddress,
    history::EventKind,
    id::{CustomerId, SetupId},
    person::{Operator, Right},
    plan::{Draft, Group, Mailbox, Plan},
    problem::Remedy,
    secret::ClientSecret,
    view::{SetupRow, Shown},
};
use store::{NewEvent, StartError};
use uuid::Uuid;

use crate::{
    Answer, Engine, Failure,
    connection::event,
    setup::{
        open::open,
        reviewed::{Reviewed, Started},
    },
    wizard::{Holder, Planned},
    worker::setup_job,
};

/// A second start of the same draft within this time counts as a double click. Milliseconds.
const A_MOMENT: i64 = 30_000;

pub(crate) fn new_setup_id() -> SetupId {
    SetupId(Uuid::new_v4())
}

impl Engine {
    /// Approves the plan that the review has `shown`, and starts it. Setup, steps, event and job
    /// are written in one transaction. `accept`: the sentences that were confirmed as staying open.
    /// Nothing starts unless all of them are confirmed.
    pub async fn start_setup(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
        shown: &Shown,
        secret: Option<ClientSecret>,
        accept: &[String],
    ) -> Answer<Started> {
        let asked = draft.clone();
        let start = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.commit().await?;
            // Refuse a draft that is too large before the first request to Microsoft.
            draft.check_size()?;
            let tenant = self.tenant(&access).await?;
            let planned = self.plan(&access, &tenant, &draft, Holder::Refuses).await?;
            let Planned { plan, notes, read } = planned;
            let reviewed = Reviewed { plan, said: notes };
            if let Some(what) = reviewed.differs(shown)? {
                return self.changed(operator, customer, &reviewed.shown()?, what);
            }
            let mut plan = reviewed.plan;
            let confined = &plan.application;
            let open = open(&read.scan, confined.object, &confined.name);
            // The plan records only sentences that are true now, whatever else was ticked.
            plan.accepted = open
                .iter()
                .filter(|one| accept.contains(one))
                .cloned()
                .collect();
            plan.confirms(&open)?;
            let setup = new_setup_id();
            let now = self.now();
            let mut tx = self.store().begin(operator.partner).await?;
            // Making the plan took a while. The operator's role may have been taken away meanwhile.
            let access = tx.access(operator, customer, Right::Change).await?;
            match tx.start_setup(&access, setup, &plan, operator, now).await {
                Ok(()) => {}
                Err(StartError::AlreadyActive(row)) => return Err(already_active(&row).into()),
                Err(StartError::Store(error)) => return Err(error.into()),
            }
            let count = match plan.senders.len() {
                1 => "one mailbox".to_owned(),
                many => format!("{many} mailboxes"),
            };
            let what = format!(
                "{} is to be confined to {count} with the group {}.",
                plan.application.name,
                plan.group.name()
            );
            let what = if plan.accepted.is_empty() {
                what
            } else {
                format!(
                    "{what} Confirmed as staying open: {}",
                    plan.accepted.join(" ")
                )
            };
            tx.append(
                &access,
                &NewEvent {
                    setup: Some(setup),
                    after: serde_json::to_value(&plan).ok(),
                    ..event(now, operator.into(), EventKind::SetupStarted, what)
                },
            )
            .await?;
            if let Some(secret) = &secret
                && plan.prove
            {
                self.keep_secret(&mut tx, &access, setup, secret, operator, now)
                    .await?;
            }
            tx.add_job(&setup_job(&access, setup, None)).await?;
            tx.commit().await?;
            Ok::<_, Failure>(Started::Setup(setup))
        };
        let started = start.await.map_err(Problem::from);
        if matches!(started, Ok(Started::Setup(_))) {
            return started;
        }
        // The reason of the refusal may be the first click of a double click: its setup, or the
        // group that its setup has made by now.
        match self.started_twice(operator, customer, &asked).await {
            Ok(Some(first)) => Ok(Started::Setup(first)),
            Ok(None) => started,
            Err(error) => {
                tracing::warn!(%error, "whether it was started already could not be read");
                started
            }
        }
    }

    /// The active setup that the same operator started from the same draft within `A_MOMENT`. Such
    /// a setup means that the button was pressed twice.
    async fn started_twice(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: &Draft,
    ) -> Result<Option<SetupId>, Failure> {
        let mut tx = self.store().begin(operator.partner).await?;
        let access = tx.access(operator, customer, Right::Change).await?;
        let since = self.now().plus_millis(-A_MOMENT);
        for row in tx.setups_of_customer(&access).await? {
            if row.started < since || !row.state.is_active() {
                continue;
            }
            let found = tx.setup(&access, row.id).await?;
            if found
                .is_some_and(|found| found.started_by == operator.id && is_of(&found.plan, draft))
            {
                return Ok(Some(row.id));
            }
        }
        Ok(None)
    }
}

/// Whether the plan was made from this draft.
fn is_of(plan: &Plan, draft: &Draft) -> bool {
    let same = |mailboxes: &[Mailbox], addresses: &[String]| {
        mailboxes.len() == addresses.len()
            && mailboxes
                .iter()
                .zip(addresses)
                .all(|(one, text)| one.address.as_str().eq_ignore_ascii_case(text.trim()))
    };
    let alike = |one: &str, other: &str| one.eq_ignore_ascii_case(other.trim());
    let group = match &plan.group {
        Group::New { name, .. } => alike(name.as_str(), &draft.group),
        Group::Existing { address, .. } => alike(address.as_str(), &draft.group),
    };
    let recipient = plan.recipient.as_ref().map_or("", MailAddress::as_str);
    draft.application.trim() == plan.application.object.to_string()
        && same(&plan.senders, &draft.senders)
        && same(&plan.refused, &draft.refused)
        && group
        // A plan that cannot be proven has `prove` off, whatever the draft asked for.
        && (plan.prove == draft.prove || plan.unprovable.is_some())
        && alike(recipient, &draft.recipient)
}

pub(crate) fn already_active(row: &SetupRow) -> Problem {
    Problem::new(
        "setup.already_active",
        Remedy::Act,
        format!(
            "{} has already started a setup for {}.",
            row.started_by, row.application
        ),
        "Two setups for one application would undo each other's work, so this one was not started.",
        "Open the setup that runs. Cancel it there if yours is to run instead.",
    )
}
