//! One-time links, with which a customer's own admin consents.

use domain::{
    Problem,
    connection::Way,
    history::EventKind,
    id::CustomerId,
    person::{Actor, Operator, Right},
    problem::Remedy,
};

use crate::{Answer, Engine, Failure, connect::Ask, connection::event};

/// Links are good for a week. Milliseconds.
const LINK_LIVES: i64 = 7 * 24 * 3_600_000;

impl Engine {
    /// A new link for the customer's admin. Shown once: only its hash is kept.
    pub async fn make_link(&self, operator: &Operator, customer: CustomerId) -> Answer<String> {
        let now = self.now();
        let token = crate::sign_in::fresh_attempt().state;
        let make = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.make_link(
                &access,
                &token,
                operator.id,
                now,
                now.plus_millis(LINK_LIVES),
            )
            .await?;
            tx.append(
                &access,
                &event(
                    now,
                    operator.into(),
                    EventKind::LinkMade,
                    "A link for the customer's admin was made.",
                ),
            )
            .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        make.await.map_err(Problem::from)?;
        Ok(format!("{}/join/{token}", self.inner.public_url))
    }

    /// Uses a link up and gives the address at the customer's authority.
    pub async fn join_link(&self, token: &str, browser: &str) -> Answer<String> {
        let now = self.now();
        let join = async {
            let Some((mut tx, customer)) = self.store().take_link(token, now).await? else {
                return Err(used_up().into());
            };
            if !self
                .inner
                .partner_tenants
                .contains(&tx.partner_home().await?)
            {
                return Err(used_up().into());
            }
            let access = tx.for_system(customer).await?;
            let ask = Ask {
                actor: Actor::System,
                way: Way::Link,
                home: None,
                return_to: None,
            };
            let url = self.ask(&mut tx, &access, ask, browser).await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        join.await.map_err(Problem::from)
    }
}

fn used_up() -> Problem {
    Problem::new(
        "link.used_up",
        Remedy::Act,
        "This link does not work any more.",
        "A link works once, for a week.",
        "Ask your service provider for a new one.",
    )
}
