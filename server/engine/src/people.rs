//! Operators and their roles.

use domain::{
    Problem,
    id::OperatorId,
    person::{Operator, Role},
    view::{Counts, Me, PersonRow},
};

use crate::{Answer, Engine, Failure, failure::owner_only};

impl Engine {
    /// Who looks at the page, with the numbers of the navigation.
    pub async fn me(&self, operator: &Operator) -> Answer<Me> {
        let read = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let partner = tx.partner_name().await?;
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
            tx.set_role(person, role).await?;
            tx.commit().await
        };
        change.await.map_err(Failure::from)?;
        tracing::info!(operator = %operator.id, person = %person, role = ?role, "role changed");
        Ok::<_, Problem>(())
    }
}
