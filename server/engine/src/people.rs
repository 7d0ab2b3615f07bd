//! Operators and their roles.

use domain::{
    Problem,
    history::EventKind,
    id::OperatorId,
    person::{Operator, Role},
    view::{Counts, Me, PersonRow},
};

use serde_json::json;
use store::NewEvent;

use crate::{Answer, Engine, Failure, connection::event, failure::owner_only, session::role_gone};

impl Engine {
    /// The operator who looks at the page, with the numbers for the navigation.
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

    /// Everybody of the partner who has ever signed in. Only owners may read it.
    pub async fn people(&self, operator: &Operator) -> Answer<Vec<PersonRow>> {
        owner_only(operator.role)?;
        let mut tx = self
            .store()
            .begin(operator.partner)
            .await
            .map_err(Failure::from)?;
        Ok(tx.people(operator.id).await.map_err(Failure::from)?)
    }

    /// Gives a role, or takes it away with `None`. The last owner remains an owner.
    pub async fn set_role(
        &self,
        operator: &Operator,
        person: OperatorId,
        role: Option<Role>,
    ) -> Answer<()> {
        owner_only(operator.role)?;
        let now = self.now();
        let by = operator.into();
        let change = async {
            let mut tx = self.store().begin(operator.partner).await?;
            // The operator may have lost the role a moment ago.
            if !tx.owners().await?.contains(&operator.id) {
                return Err(Problem::forbidden("owner").into());
            }
            let before = tx.set_role(person, role).await?;
            let upn = tx.operator(person).await?.map(|person| person.upn);
            let upn = upn.as_deref().unwrap_or("Somebody");
            if before != role {
                let (kind, what) = match role {
                    Some(role) => (EventKind::RoleGiven, format!("{upn} is {role} now.")),
                    None => (EventKind::RoleTaken, format!("{upn} has no role any more.")),
                };
                tx.append_own(&NewEvent {
                    before: Some(json!({ "role": before })),
                    after: Some(json!({ "role": role, "person": person, "upn": upn })),
                    ..event(now, operator.into(), kind, what)
                })
                .await?;
            }
            let problem = role_gone(upn);
            let ended = tx.end_authority(person, role, &problem, &by, now).await?;
            tx.commit().await?;
            Ok::<_, Failure>(ended)
        };
        let ended = change.await?;
        for customer in &ended.customers {
            self.microsoft().forget(customer.0).await;
        }
        tracing::info!(operator = %operator.id, person = %person, role = ?role, ?ended, "role changed");
        Ok::<_, Problem>(())
    }
}
