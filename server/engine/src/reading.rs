//! Live reads of a tenant. A person who asks for what is being read already waits for the same
//! answer.

use domain::{
    Problem,
    id::{CustomerId, PartnerId},
    person::{Operator, Right},
    plan::Draft,
    view::{ApplicationsView, MailboxesFound, Review, Wizard},
};

use crate::{Answer, Engine, Failure, flights::Flights};

/// The key of a read: a customer, and what a person of a partner has chosen so far.
type Look = (PartnerId, CustomerId, Draft);

/// Live reads that are under way in this process.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    applications: Flights<(PartnerId, CustomerId), ApplicationsView>,
    mailboxes: Flights<(PartnerId, CustomerId, String), MailboxesFound>,
    wizard: Flights<Look, Wizard>,
    review: Flights<Look, Review>,
}

impl Engine {
    /// The applications of a customer that hold mailbox permissions, evaluated, the worst first.
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

    /// The wizard, for what was chosen so far.
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

    /// The full plan, checked against the tenant, with its exact cmdlets. `changed`: what a start
    /// that was refused gave, or empty.
    pub async fn review(
        &self,
        operator: &Operator,
        customer: CustomerId,
        draft: Draft,
        changed: &str,
    ) -> Answer<Review> {
        self.has_right(operator, customer, Right::Change).await?;
        draft.check_size()?;
        // The differences are sealed for the person who pressed the button, so the read is not
        // shared.
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

    /// Checks the right of everybody who asks, also of a person who joins a read of somebody else.
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
