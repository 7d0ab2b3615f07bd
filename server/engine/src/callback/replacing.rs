//! Decides whether the account that has just consented replaces the account with which Postern
//! works.

use std::sync::Arc;

use domain::{
    Problem, Timestamp,
    connection::{Health, Way},
    invitation::PartnerName,
    permission::Resource,
    problem::Remedy,
};
use futures::future::BoxFuture;
use microsoft::{RefreshStore, StoreFault, entra::Identity};
use secrecy::SecretString;
use store::{CustomerRecord, StoredConsent};
use uuid::Uuid;

use super::{Admitted, Asked};
use crate::{Engine, setup::hurdles::ENOUGH};

const MISSING: &str = "neither Exchange Administrator nor Global Administrator";

/// What the account may do, as far as its directory roles tell.
#[derive(Debug)]
pub(super) enum Rights {
    /// The account has a role that permits all that a setup does.
    Enough,
    /// The account comes from the partner, through GDAP or as a guest, as the operator wished. Its
    /// rights are no roles of this tenant, so only Exchange's answers will show them.
    Delegated,
    Lacking,
    /// The account's roles could not be read.
    Unknown,
}

impl Rights {
    /// What the customer's page says about the account from now on. None: nothing.
    pub(super) fn note(&self, identity: &Identity, now: Timestamp) -> Option<Problem> {
        match self {
            Self::Lacking => Some(Problem::new(
                "connection.role_missing",
                Remedy::Act,
                format!(
                    "{} held {MISSING} when it consented, {}.",
                    identity.upn,
                    now.long()
                ),
                "Postern reads the directory with it. Exchange refuses to show policies and to make any, so what depends on them stays unknown.",
                "Give the account the role (and activate it, where it must be) and consent again, or consent with an account that has it.",
            )),
            Self::Enough | Self::Delegated | Self::Unknown => None,
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Lacking => format!("holds {MISSING}"),
            Self::Enough | Self::Delegated | Self::Unknown => {
                "has directory roles that could not be read".to_owned()
            }
        }
    }
}

/// The connection before the new consent.
pub(super) struct Known {
    pub health: Health,
    pub consent: Option<StoredConsent>,
}

impl Known {
    /// The stored account, if it stays: it works, and the new one is not known to be as good. None:
    /// the new account replaces it.
    pub(super) fn stays(
        &self,
        asked: &Asked,
        identity: &Identity,
        rights: &Rights,
    ) -> Option<&StoredConsent> {
        let worse = matches!(rights, Rights::Lacking | Rights::Unknown);
        let works = self.health == Health::Good;
        self.consent.as_ref().filter(|stored| {
            works && worse && !asked.replaces && stored.account_object != identity.oid
        })
    }
}

/// What the customer's page says about an account that was not taken.
pub(super) fn kept_note(
    identity: &Identity,
    kept: &StoredConsent,
    rights: &Rights,
    now: Timestamp,
) -> Problem {
    Problem::new(
        "connection.kept",
        Remedy::Act,
        format!(
            "{} consented {}, and {}.",
            identity.upn,
            now.long(),
            rights.said()
        ),
        format!(
            "Postern went on with {}, whose connection worked, and kept nothing of the other account.",
            kept.account_upn
        ),
        "If the account should change all the same, sign in with it from here.",
    )
}

/// What the person who consented with that account reads.
pub(super) fn kept_problem(
    identity: &Identity,
    kept: &StoredConsent,
    rights: &Rights,
    partner: &PartnerName,
) -> Problem {
    Problem::new(
        "connect.kept",
        Remedy::Act,
        format!(
            "{} {}, so it does not take the place of {}.",
            identity.upn,
            rights.said(),
            kept.account_upn
        ),
        format!(
            "{partner} is connected with {} already, and that works. Postern goes on with it, and kept nothing of your account.",
            kept.account_upn
        ),
        "Sign in with an account that is Exchange Administrator or Global Administrator, or leave it as it is.",
    )
}

/// What the customer's admin reads at the end.
pub(super) fn thanks(
    record: &CustomerRecord,
    partner: &PartnerName,
    identity: &Identity,
    rights: &Rights,
) -> Problem {
    let means = format!(
        "{partner} can now look after the applications that reach your mailboxes, as {}.",
        identity.upn
    );
    let withdraw =
        "You can withdraw this at any time in Entra, under Enterprise applications, Postern.";
    let (means, todo) = match rights {
        Rights::Lacking => (
            format!(
                "{means} This account holds {MISSING}, so Exchange will refuse part of the work."
            ),
            format!(
                "Have the role given to it, or open the invitation again with an account that has it. {withdraw}"
            ),
        ),
        Rights::Enough | Rights::Delegated | Rights::Unknown => {
            (means, format!("You can close this window. {withdraw}"))
        }
    };
    Problem::new(
        "connected",
        Remedy::Wait,
        format!(
            "Your organisation is connected: {} to {partner}.",
            record.name
        ),
        means,
        todo,
    )
}

impl Engine {
    /// Reads the directory roles of the account that has just consented, with the token that came
    /// with its consent.
    pub(super) async fn rights_of(
        &self,
        asked: &Asked,
        admitted: &Admitted,
        now: Timestamp,
    ) -> Rights {
        if asked.way == Way::Gdap || admitted.own {
            return Rights::Delegated;
        }
        // Use a separate key, so that the tokens of the present connection are not touched.
        let key = Uuid::new_v4();
        let microsoft = self.microsoft();
        microsoft
            .remember(key, now, Resource::Graph, admitted.access.clone())
            .await;
        let account = microsoft
            .customer(
                asked.expected,
                key,
                Some(admitted.identity.upn.clone()),
                Arc::new(Nothing),
                now,
            )
            .await;
        let roles = account.my_roles().await;
        microsoft.let_go(key).await;
        match roles {
            Ok(roles) if roles.value.iter().any(|role| ENOUGH.contains(role)) => Rights::Enough,
            Ok(_) => Rights::Lacking,
            Err(error) => {
                tracing::warn!(%error, "the roles of an account that consented could not be read");
                Rights::Unknown
            }
        }
    }
}

/// A store without a refresh token: the given access token is all there is.
#[derive(Debug)]
struct Nothing;

impl RefreshStore for Nothing {
    fn load(&self) -> BoxFuture<'_, Result<Option<(SecretString, i64)>, StoreFault>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn rotate(&self, _new: SecretString, _old: i64) -> BoxFuture<'_, Result<(), StoreFault>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
