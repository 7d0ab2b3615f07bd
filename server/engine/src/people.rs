//! Operators and their roles.

use domain::{
    Problem,
    id::OperatorId,
    person::{Operator, Role},
    view::{Counts, Me, PersonRow},
};

use crate::{Answer, Engine, Failure, failure::owner_only, session::role_gone};

impl Engine {
    /// Who looks at the page, with the numbers of the navigation.
    pub async fn me(&self, operator: &Operator) -> Answer<Me> {
        let read = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let partner = self.partner_named(&mut tx).await?;
            let counts = if operator.role.is_some() {
                tx.counts().await?
            } else {
                Counts::default()
            };
            Ok::<_, Failure>((partner, counts))
        };
        let (partner, counts) = read.await?;
        Ok(Me {
            id: operator.id,
            name: operator.name.clone(),
            upn: operator.upn.clone(),
            role: operator.role,
            partner,
            counts,
        })
    }

    /// Everybody of the partner who ever signed in. For owners.
    pub async fn people(&self, operator: &Operator) -> Answer<Vec<PersonRow>> {
        owner_only(operator.role)?;
        let mut tx = self
            .store()
            .begin(operator.partner)
            .await
            .map_err(Failure::from)?;
        Ok(tx.people(operator.id).await.map_err(Failure::from)?)
    }

    /// Gives a role, or takes it with `None`. The last owner stays one.
    pub async fn set_role(
        &self,
        operator: &Operator,
        person: OperatorId,
        role: Option<Role>,
    ) -> Answer<()> {
        owner_only(operator.role)?;
        let change = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let upn = tx.operator(person).await?.map(|person| person.upn);
            tx.set_role(person, role).await?;
            let problem = role_gone(upn.as_deref().unwrap_or("Somebody"));
            let ended = tx.end_authority(person, role, &problem, self.now()).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(ended)
        };
        let ended = change.await.map_err(Failure::from)?;
        for customer in &ended.customers {
            self.microsoft().forget(customer.0).await;
        }
        tracing::info!(operator = %operator.id, person = %person, role = ?role, ?ended, "role changed");
        Ok::<_, Problem>(())
    }
}
