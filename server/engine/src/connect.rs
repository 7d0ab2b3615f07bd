//! Connecting a customer: its admin signs in there and consents.

use domain::{
    Problem,
    address::TenantName,
    connection::Way,
    history::EventKind,
    id::CustomerId,
    person::{Actor, Operator, Right},
};
use microsoft::entra::scopes;
use serde_json::json;
use store::{CustomerAccess, Purpose, SignIn, Tx};

use crate::{
    Answer, Engine, Failure,
    connection::event,
    failure::may_change,
    sign_in::{ATTEMPT_LIVES, fresh_attempt},
};

impl Engine {
    /// Adds the customer, if it is new, and gives the address at its authority.
    pub async fn connect(
        &self,
        operator: &Operator,
        tenant: &str,
        browser: &str,
    ) -> Answer<String> {
        may_change(operator.role)?;
        let name: TenantName = tenant.parse()?;
        let found = match &name {
            TenantName::Id(id) => *id,
            TenantName::Domain(domain) => {
                let found = self.microsoft().tenant_of_domain(domain).await;
                found.map_err(Failure::from)?.value
            }
        };
        let now = self.now();
        let add = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let (access, new) = tx
                .add_customer(operator, found, &name.to_string(), now)
                .await?;
            if new {
                let what = format!("{name} was added.");
                tx.append(
                    &access,
                    &event(now, operator.into(), EventKind::CustomerAdded, what),
                )
                .await?;
            }
            let url = self
                .ask(&mut tx, &access, operator.into(), Way::Admin, browser)
                .await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        add.await.map_err(Problem::from)
    }

    /// Asks for consent once more: after it broke, or when an action needs more.
    pub async fn reconnect(
        &self,
        operator: &Operator,
        customer: CustomerId,
        browser: &str,
    ) -> Answer<String> {
        let ask = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let url = self
                .ask(&mut tx, &access, operator.into(), Way::Admin, browser)
                .await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        ask.await.map_err(Problem::from)
    }

    /// Remembers an attempt to consent, its event with it.
    pub(crate) async fn ask(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        actor: Actor,
        way: Way,
        browser: &str,
    ) -> Result<String, Failure> {
        let attempt = fresh_attempt();
        let record = access.record();
        let now = self.now();
        let operator = match &actor {
            Actor::Operator { id, .. } => Some(*id),
            Actor::CustomerAdmin { .. } | Actor::System => None,
        };
        let scopes = scopes::connecting(self.microsoft().endpoints());
        tx.append(
            access,
            &store::NewEvent {
                after: Some(json!({ "scopes": scopes })),
                ..event(
                    now,
                    actor,
                    EventKind::ConsentAsked,
                    format!("Consent was asked for at {}.", record.domain),
                )
            },
        )
        .await?;
        tx.put_sign_in(
            &SignIn {
                purpose: Purpose::Connect {
                    partner: record.partner,
                    customer: record.id,
                    expected: record.tenant,
                    operator,
                    way,
                },
                nonce: attempt.nonce.clone(),
                verifier: attempt.verifier.clone(),
                return_to: format!("/customers/{}", record.id),
                created_at: now,
                expires_at: now.plus_millis(ATTEMPT_LIVES),
            },
            &attempt.state,
            browser,
        )
        .await?;
        self.authorize_url(Some(record.tenant), &scopes, &attempt)
    }

    /// Forgets the token and keeps the history. `confirm` is the customer's name, typed.
    pub async fn disconnect(
        &self,
        operator: &Operator,
        customer: CustomerId,
        confirm: &str,
    ) -> Answer<()> {
        let now = self.now();
        let forget = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let name = &access.record().name;
            if !confirm.trim().eq_ignore_ascii_case(name.trim()) {
                return Err(Problem::input(
                    "confirm",
                    format!("“{}” is not the name of this customer.", confirm.trim()),
                    format!("Type {name} to disconnect it."),
                )
                .into());
            }
            let before = tx.connection(&access).await?;
            if tx.disconnect(&access, now).await? {
                tx.append(
                    &access,
                    &store::NewEvent {
                        before: Some(json!({ "account": before.account, "scopes": before.scopes })),
                        ..event(
                            now,
                            operator.into(),
                            EventKind::Disconnected,
                            "Disconnected: the token was forgotten.",
                        )
                    },
                )
                .await?;
            }
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        forget.await.map_err(Problem::from)?;
        self.microsoft().forget(customer.0).await;
        Ok(())
    }
}
