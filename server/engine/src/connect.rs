//! Connects a customer: its admin signs in there and consents.

use domain::{
    Problem,
    address::TenantName,
    connection::Way,
    history::EventKind,
    id::{CustomerId, LinkId, TenantId},
    name::typable,
    person::{Actor, Operator, Right},
};
use microsoft::entra::{Prompt, scopes};
use serde_json::json;
use store::{CustomerAccess, Purpose, SignIn, Tx};

use crate::{
    Answer, Engine, Failure,
    connection::{event, of_customer},
    failure::may_change,
    sign_in::{ATTEMPT_LIVES, fresh_attempt, is_local},
};

/// One attempt to get consent in a customer.
pub(crate) struct Ask {
    pub actor: Actor,
    pub way: Way,
    /// The operator's own tenant. For GDAP the operator signs in there.
    pub home: Option<TenantId>,
    /// A local path where the attempt ends. None: the customer's page.
    pub return_to: Option<String>,
    /// The invitation that was followed.
    pub link: Option<LinkId>,
    /// The account that signs in may replace an account that works, whatever the new one may do.
    pub replaces: bool,
    /// The same attempt was made a moment ago, so it gets no event.
    pub quiet: bool,
}

/// Fails for a link: operators make a link for somebody else, and cannot connect with one
/// themselves.
fn may_choose(way: Way) -> Answer<()> {
    match way {
        Way::Admin | Way::Gdap => Ok(()),
        Way::Link => Err(Problem::input(
            "way",
            "This is no way to sign in from here.",
            "Choose an admin of the customer, or GDAP.",
        )),
    }
}

impl Engine {
    /// Adds the customer, if it is new, and gives the address for the sign-in: at the customer's
    /// authority, or for GDAP at the operator's own.
    pub async fn connect(
        &self,
        operator: &Operator,
        tenant: &str,
        way: Way,
        browser: &str,
    ) -> Answer<String> {
        may_change(operator.role)?;
        may_choose(way)?;
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
            // Entra was asked for the tenant of the domain. The operator's role may have been taken
            // away meanwhile.
            tx.may_still(operator.id, Right::Change).await?;
            let (access, new) = tx
                .add_customer(operator, found, &name.to_string(), now)
                .await?;
            if new {
                let what = format!("{name} was added.");
                let added = event(now, operator.into(), EventKind::CustomerAdded, what);
                tx.append(&access, &added).await?;
                tx.append_own(&of_customer(&access, added)).await?;
            }
            let ask = Ask {
                actor: operator.into(),
                way,
                home: Some(operator.tenant),
                return_to: None,
                link: None,
                replaces: false,
                quiet: false,
            };
            let url = self.ask(&mut tx, &access, ask, browser).await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        add.await.map_err(Problem::from)
    }

    /// Asks for consent again: after it broke, or when an action needs more. `way`: none means the
    /// one that worked before. `return_to`: a local path where the attempt ends; any other text
    /// means the customer's page. `replaces`: the account that signs in replaces one that works
    /// even if it may do less.
    pub async fn reconnect(
        &self,
        operator: &Operator,
        customer: CustomerId,
        way: Option<Way>,
        return_to: Option<&str>,
        replaces: bool,
        browser: &str,
    ) -> Answer<String> {
        let ask = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            let way = match way {
                Some(way) => way,
                None => match tx.connection(&access).await?.way {
                    Some(Way::Gdap) => Way::Gdap,
                    Some(Way::Admin | Way::Link) | None => Way::Admin,
                },
            };
            may_choose(way)?;
            let ask = Ask {
                actor: operator.into(),
                way,
                home: Some(operator.tenant),
                return_to: return_to.filter(|path| is_local(path)).map(str::to_owned),
                link: None,
                replaces,
                quiet: false,
            };
            let url = self.ask(&mut tx, &access, ask, browser).await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        ask.await.map_err(Problem::from)
    }

    /// Stores an attempt to get consent, and its event.
    pub(crate) async fn ask(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        ask: Ask,
        browser: &str,
    ) -> Result<String, Failure> {
        let Ask {
            actor,
            way,
            home,
            return_to,
            link,
            replaces,
            quiet,
        } = ask;
        let attempt = fresh_attempt();
        let record = access.record();
        let now = self.now();
        let operator = match &actor {
            Actor::Operator { id, .. } => Some(*id),
            Actor::CustomerAdmin { .. } | Actor::Visitor { .. } | Actor::System => None,
        };
        // For GDAP the operator signs in at home, and asks there only for a refresh token. What the
        // token may do at the customer was consented to there.
        let (authority, scopes, said) = match (way, home) {
            (Way::Gdap, Some(home)) => (
                home,
                scopes::lasting(),
                format!("A sign-in through GDAP began for {}.", record.domain),
            ),
            _ => (
                record.tenant,
                scopes::connecting(self.microsoft().endpoints()),
                format!("Consent was asked for at {}.", record.domain),
            ),
        };
        if !quiet {
            tx.append(
                access,
                &store::NewEvent {
                    after: Some(json!({ "scopes": scopes })),
                    ..event(now, actor, EventKind::ConsentAsked, said)
                },
            )
            .await?;
        }
        tx.put_sign_in(
            &SignIn {
                purpose: Purpose::Connect {
                    partner: record.partner,
                    customer: record.id,
                    expected: record.tenant,
                    operator,
                    way,
                    link,
                    replaces,
                },
                nonce: attempt.nonce.clone(),
                verifier: attempt.verifier.clone(),
                return_to: return_to.unwrap_or_else(|| format!("/customers/{}", record.id)),
                created_at: now,
                expires_at: now.plus_millis(ATTEMPT_LIVES),
            },
            &attempt.state,
            browser,
        )
        .await?;
        // With `consent` a person who followed an invitation sees Microsoft's own consent page,
        // also where another partner of this Postern has the consent already. Operators get the
        // account picker instead: with `consent` Entra would take the account that is signed in,
        // which is the operator's.
        let prompt = match way {
            Way::Link => Prompt::Consent,
            Way::Admin | Way::Gdap => Prompt::SelectAccount,
        };
        self.authorize_url(Some(authority), &scopes, &attempt, prompt)
    }

    /// Deletes the token and keeps the history. `confirm`: the customer's name or domain, typed by
    /// the operator.
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
            let name = typable(&access.record().name);
            let typed = typable(confirm);
            let is_named = [name.as_str(), access.record().domain.as_str()]
                .iter()
                .any(|known| typed.eq_ignore_ascii_case(known));
            if !is_named {
                return Err(Problem::input(
                    "confirm",
                    format!("“{}” is not the name of this customer.", confirm.trim()),
                    format!("Type {name} to disconnect it."),
                )
                .into());
            }
            let before = tx.connection(&access).await?;
            tx.lock_own().await?;
            tx.void_links_of_customer(&access, now).await?;
            if tx.disconnect(&access, now).await? {
                let disconnected = event(
                    now,
                    operator.into(),
                    EventKind::Disconnected,
                    "Disconnected: the token was forgotten.",
                );
                tx.append(
                    &access,
                    &store::NewEvent {
                        before: Some(json!({ "account": before.account, "scopes": before.scopes })),
                        ..disconnected.clone()
                    },
                )
                .await?;
                let what = format!("{} was disconnected.", access.record().name);
                tx.append_own(&of_customer(
                    &access,
                    store::NewEvent {
                        what,
                        ..disconnected
                    },
                ))
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
