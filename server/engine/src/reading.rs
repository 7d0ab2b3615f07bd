//! Live readings of a tenant: who asks for what somebody is reading already waits for the same answer.

use domain::{
    Problem,
    id::{CustomerId, PartnerId},
    person::{Operator, Right},
    plan::Draft,
    view::{ApplicationsView, MailboxesFound, Review, Wizard},
};

use crate::{Answer, Engine, Failure, flights::Flights};

/// A look at a customer for what somebody has chosen so far.
type Look = (PartnerId, CustomerId, Draft);

/// Live readings of tenants that are under way in this process.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    applications: Flights<(PartnerId, CustomerId), ApplicationsView>,
    mailboxes: Flights<(PartnerId, CustomerId, String), MailboxesFound>,
    wizard: Flights<Look, Wizard>,
    review: Flights<Look, Review>,
}

impl Engine {
    /// What holds mailbox permissions in a customer, judged, the worst first.
    pub async fn applications(
        &self,
        operator: &Operator,
        customer: CustomerId,
    ) -> Answer<ApplicationsView> {
        self.has_right(operator, customer, Right::Read).await?;
        let (engine, operator) = (self.clone(), operator.clone());
        let readings = &self.inner.readings.applications;
        readings
            .join((operator.partner, customer), || async move {
                engine.applications_now(&operator, customer).await
            })
            .await
    }

    /// User and shared mailboxes whose name or address matches.
    pub async fn mailboxes(
        &self,
        operator: &Operator,
        customer: CustomerId,
        search: &str,
    ) -> Answer<MailboxesFound> {
        self.has_right(operator, customer, Right::Read).await?;
        let (engine, operator) = (self.clone(), operator.clone());
        let search = search.trim().to_owned();
        let readings = &self.inner.readings.mailboxes;
        readings
            .join(
                (operator.partner, customer, search.clone()),
                || async move { engine.mailboxes_now(&operator, customer, &search).await },
            )
            .await
    }

    /// The wizard with what was chosen so far.
    pub async fn wizard(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
    ) -> Answer<Wizard> {
        self.has_right(operator, customer, Right::Change).await?;
        draft.check_size()?;
        let (engine, operator) = (self.clone(), operator.clone());
        let readings = &self.inner.readings.wizard;
        readings
            .join((operator.partner, customer, draft.clone()), || async move {
                engine.wizard_now(&operator, customer, draft).await
            })
            .await
    }

    /// The plan in full, checked against the tenant, with its exact cmdlets. `changed`: what a start
    /// that was refused gave, or nothing.
    pub async fn review(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
        changed: &str,
    ) -> Answer<Review> {
        self.has_right(operator, customer, Right::Change).await?;
        draft.check_size()?;
        // What changed is told to the one who pressed the button.
        if !changed.is_empty() {
            return self.review_now(operator, customer, draft, changed).await;
        }
        let (engine, operator) = (self.clone(), operator.clone());
        let readings = &self.inner.readings.review;
        readings
            .join((operator.partner, customer, draft.clone()), || async move {
                engine.review_now(&operator, customer, draft, "").await
            })
            .await
    }

    /// Each who asks is asked for their own right, whoever's reading they join.
    async fn has_right(
        &self,
        operator: &Operator,
        customer: CustomerId,
        right: Right,
    ) -> Answer<()> {
        let ask = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.access(operator, customer, right).await?;
            Ok::<_, Failure>(())
        };
        ask.await.map_err(Problem::from)
    }
}
