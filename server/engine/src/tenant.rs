//! Access to a customer's tenant with the stored consent.

use std::sync::Arc;

use domain::{
    Problem,
    connection::{Health, Way},
    problem::Remedy,
};
use futures::future::BoxFuture;
use microsoft::{Kind, RefreshStore, StoreFault};
use secrecy::SecretString;
use store::{CustomerAccess, Store};

use crate::{Engine, Failure, session::tenant_left};

impl Engine {
    /// The Microsoft client for this customer. Fails when nobody is connected.
    pub(crate) async fn tenant(
        &self,
        access: &CustomerAccess,
    ) -> Result<microsoft::Customer, Failure> {
        let mut tx = self.store().begin(access.partner()).await?;
        if !self
            .inner
            .partner_tenants
            .contains(&tx.partner_home().await?)
        {
            return Err(tenant_left().into());
        }
        let stored = tx.stored_consent(access).await?;
        let Some(stored) = stored else {
            // This process may still have an access token in memory. Drop it, so that it is not
            // used.
            self.microsoft().forget(access.record().id.0).await;
            return Err(match tx.connection(access).await?.health {
                Health::Broken { problem } => problem.into(),
                _ => not_connected().into(),
            });
        };
        Ok(self
            .microsoft()
            .customer(
                access.record().tenant,
                access.record().id.0,
                (stored.way != Way::Gdap).then_some(stored.account_upn),
                Arc::new(Tokens {
                    store: self.store().clone(),
                    access: access.clone(),
                }),
                stored.consented_at,
            )
            .await)
    }

    /// Reads the tenant's name, for lists. Lists show the domain until then. Right after a consent
    /// Entra may not know of the consent yet (MICROSOFT.md §6.5), so each live read tries again.
    pub(crate) async fn learn_name(&self, access: &CustomerAccess) {
        let learn = async {
            let organization = self.tenant(access).await?.organization().await?.value;
            let mut tx = self.store().begin(access.partner()).await?;
            tx.rename_customer(access, &organization.name, &organization.default_domain)
                .await?;
            tx.connection_ok(access, self.now()).await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        if let Err(failure) = learn.await {
            tracing::warn!(error = %failure, "the customer's name could not be read");
        }
    }

    /// Whether a consent is missing only because it was given a moment ago: it takes a while until
    /// every part of Microsoft knows of it (MICROSOFT.md §6.5).
    pub(crate) async fn is_spreading(
        &self,
        access: &CustomerAccess,
        error: &microsoft::Error,
    ) -> Result<bool, Failure> {
        if *error.kind() != Kind::ConsentMissing {
            return Ok(false);
        }
        self.just_consented(access).await
    }

    async fn just_consented(&self, access: &CustomerAccess) -> Result<bool, Failure> {
        let mut tx = self.store().begin(access.partner()).await?;
        let consented = tx.connection(access).await?.consented;
        Ok(self.inner.pace.is_spreading(consented, self.now()))
    }

    /// Records whether the connection works, if that has changed.
    pub(crate) async fn note_connection(
        &self,
        access: &CustomerAccess,
        result: Result<(), &microsoft::Error>,
    ) {
        let problem = match result {
            Ok(()) => None,
            Err(error) if is_about_consent(error) => Some(error.problem()),
            // Other failures say nothing about the consent.
            Err(_) => return,
        };
        self.note_problem(access, problem.as_ref()).await;
    }

    /// Records the connection's problem, if that has changed. None: the connection works.
    pub(crate) async fn note_problem(&self, access: &CustomerAccess, problem: Option<&Problem>) {
        if let Err(failure) = self.write_connection(access, problem).await {
            tracing::error!(error = %failure, "the state of a connection could not be noted");
        }
    }

    async fn write_connection(
        &self,
        access: &CustomerAccess,
        problem: Option<&Problem>,
    ) -> Result<(), Failure> {
        let spreads = problem.is_some_and(|problem| problem.key == Problem::CONSENT_MISSING);
        if spreads && self.just_consented(access).await? {
            return Ok(());
        }
        let now = self.now();
        let mut tx = self.store().begin(access.partner()).await?;
        let changed = match problem {
            None => tx.connection_ok(access, now).await?,
            Some(problem) => tx.connection_broken(access, problem).await?,
        };
        if changed {
            let (kind, what) = match problem {
                None => (
                    domain::history::EventKind::ConnectionRestored,
                    "The connection works again.".to_owned(),
                ),
                Some(problem) => (
                    domain::history::EventKind::ConnectionBroken,
                    problem.happened.clone(),
                ),
            };
            tx.append(
                access,
                &crate::connection::event(now, domain::person::Actor::System, kind, what),
            )
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

pub(crate) fn not_connected() -> Problem {
    Problem::new(
        "connection.none",
        Remedy::Consent,
        "This customer is not connected.",
        "Postern has no consent with which to look into this tenant.",
        "Connect it: an admin of the customer signs in and consents.",
    )
}

/// The customer's refresh token, as the Microsoft client uses it.
#[derive(Debug)]
struct Tokens {
    store: Store,
    access: CustomerAccess,
}

impl RefreshStore for Tokens {
    fn load(&self) -> BoxFuture<'_, Result<Option<(SecretString, i64)>, StoreFault>> {
        Box::pin(async move {
            let mut tx = self
                .store
                .begin(self.access.partner())
                .await
                .map_err(fault)?;
            tx.refresh_token(&self.access).await.map_err(fault)
        })
    }

    fn rotate(&self, new: SecretString, old: i64) -> BoxFuture<'_, Result<(), StoreFault>> {
        Box::pin(async move {
            let mut tx = self
                .store
                .begin(self.access.partner())
                .await
                .map_err(fault)?;
            // If another process has rotated the token first, its token is as good, and stays.
            tx.rotate_token(&self.access, &new, old)
                .await
                .map_err(fault)?;
            tx.commit().await.map_err(fault)
        })
    }

    fn granted(
        &self,
        audience: &str,
        scopes: Vec<String>,
    ) -> BoxFuture<'_, Result<(), StoreFault>> {
        let audience = audience.to_owned();
        Box::pin(async move {
            let mut tx = self
                .store
                .begin(self.access.partner())
                .await
                .map_err(fault)?;
            tx.note_scopes(&self.access, &audience, &scopes)
                .await
                .map_err(fault)?;
            tx.commit().await.map_err(fault)
        })
    }
}

fn fault(error: store::Error) -> StoreFault {
    StoreFault(error.to_string())
}

/// Whether the failure means that Postern cannot get in (any more), and not only that one call
/// failed.
pub(crate) fn is_about_consent(error: &microsoft::Error) -> bool {
    matches!(
        error.kind(),
        Kind::ConsentMissing
            | Kind::PartnerNotAuthorised
            | Kind::TokenDead
            | Kind::InteractionRequired
            | Kind::SignInRefused
            | Kind::NotInTenant
            | Kind::DelegationEnded
            | Kind::ServiceMissing
            | Kind::ServiceOff
            | Kind::AppNotFound
            | Kind::AppDisabled
            | Kind::Unauthorized
    )
}
