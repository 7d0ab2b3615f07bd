//! The engine, and what it is configured with.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Timestamp,
    id::{ObjectId, TenantId},
};
use microsoft::{Clock, Microsoft, entra::Identity};
use store::Store;

use crate::{live::Hub, pace::Pace, reading::Readings, scan::Turns};

/// Who becomes an owner, and who may not sign in.
#[derive(Clone, Debug, Default)]
pub struct SignInRules {
    /// The people who become the owner of a partner that has none.
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
    /// The user name that Entra shows. It matches only an account of the partner's own tenant, not
    /// a guest.
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

/// The settings of invitations to customers' admins.
#[derive(Clone, Debug, Default)]
pub struct InvitationRules {
    /// How long an invitation is valid. Milliseconds.
    pub lives: i64,
    /// The partners' names, by their home tenants.
    pub partner_names: BTreeMap<TenantId, String>,
}

/// Everything that the engine works with. It is passed in, so that tests can control time.
#[derive(Debug)]
pub struct EngineConfig {
    pub store: Store,
    pub microsoft: Microsoft,
    pub clock: Arc<dyn Clock>,
    /// The portal's address in the browser, without a slash at the end.
    pub public_url: String,
    /// The home tenants whose people may sign in.
    pub partner_tenants: Vec<TenantId>,
    pub access: SignInRules,
    pub invitations: InvitationRules,
    pub pace: Pace,
    /// Maximum number of jobs that one worker process runs at the same time.
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
    /// The places for downloads, each of which holds a database connection.
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
