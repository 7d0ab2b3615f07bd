//! The engine and what it is given.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Timestamp,
    id::{ObjectId, TenantId},
};
use microsoft::{Clock, Microsoft, entra::Identity};
use store::Store;

use crate::{live::Hub, pace::Pace, reading::Readings, scan::Turns};

/// Who becomes owner, and who does not get in.
#[derive(Clone, Debug, Default)]
pub struct SignInRules {
    /// Who becomes the owner of a partner that has none.
    pub first_owners: Vec<FirstOwner>,
    /// Whether guests of a partner's tenant may sign in.
    pub guests: bool,
}

/// A person whom the settings name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstOwner {
    Account {
        tenant: TenantId,
        object: ObjectId,
    },
    /// By the name that Entra shows. Only an account of the partner's own tenant, not a guest.
    Upn(String),
}

impl FirstOwner {
    pub(crate) fn is(&self, identity: &Identity) -> bool {
        match self {
            Self::Account { tenant, object } => *tenant == identity.tid && *object == identity.oid,
            Self::Upn(upn) => !identity.guest && upn.eq_ignore_ascii_case(&identity.upn),
        }
    }
}

/// What customers' admins are told, and for how long they may be.
#[derive(Clone, Debug, Default)]
pub struct InvitationRules {
    /// How long an invitation is good. Milliseconds.
    pub lives: i64,
    /// What partners are called, by their home tenant.
    pub partner_names: BTreeMap<TenantId, String>,
}

/// Everything that the engine works with, passed in so that tests can hold time.
#[derive(Debug)]
pub struct EngineConfig {
    pub store: Store,
    pub microsoft: Microsoft,
    pub clock: Arc<dyn Clock>,
    /// What the browser sees, without a slash at the end.
    pub public_url: String,
    /// Home tenants whose people may sign in.
    pub partner_tenants: Vec<TenantId>,
    pub access: SignInRules,
    pub invitations: InvitationRules,
    pub pace: Pace,
    /// How many jobs one worker process carries out at the same time.
    pub concurrency: usize,
}

/// Postern's operations. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub store: Store,
    pub microsoft: Microsoft,
    pub clock: Arc<dyn Clock>,
    pub public_url: String,
    pub partner_tenants: Vec<TenantId>,
    pub access: SignInRules,
    pub invitations: InvitationRules,
    pub pace: Pace,
    pub concurrency: usize,
    pub hub: Hub,
    pub readings: Readings,
    /// Turns of downloads that each hold a connection.
    pub downloads: Turns,
}

impl Engine {
    pub fn new(config: EngineConfig) -> Self {
        let EngineConfig {
            store,
            microsoft,
            clock,
            public_url,
            partner_tenants,
            access,
            invitations,
            pace,
            concurrency,
        } = config;
        Self {
            inner: Arc::new(Inner {
                store,
                microsoft,
                clock,
                public_url: public_url.trim_end_matches('/').to_owned(),
                partner_tenants,
                access,
                invitations,
                pace,
                concurrency: concurrency.max(1),
                hub: Hub::default(),
                readings: Readings::default(),
                downloads: Turns::default(),
            }),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn microsoft(&self) -> &Microsoft {
        &self.inner.microsoft
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn redirect_uri(&self) -> String {
        format!("{}/auth/callback", self.inner.public_url)
    }
}
