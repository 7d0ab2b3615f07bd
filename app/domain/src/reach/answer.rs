//! The reach of a customer's applications, as it is shown, stored and compared.
//!
//! The reach is a graph in data. Grants and role assignments are routes to a permission. Policies
//! narrow some of these routes. The answer is the union of what is left. Many applications share
//! the same sets of mailboxes, policies, assignments and gaps, so these are in lists of their own
//! and are referred to by position. Everything is in a fixed order, so equal reach gives equal
//! values.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    mailbox_set::MailboxSet, permission::Permission, powers::Powers, reasons::Gap,
    reasons::Verdict, rights::DelegatedGrant, seen::AssignmentScope, seen::PrincipalKind,
    seen::StrayPolicy,
};
use crate::{
    application::AccessRight,
    id::{AppId, AppRoleId, ObjectId, TenantId},
};

/// What every application of a customer can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The tenant has no Exchange, so there is nothing to reach yet.
    pub without_exchange: bool,
    /// The number of mailboxes. None: the mailboxes were not read.
    pub mailbox_count: Option<u32>,
    /// What may hide a power of an application that is not listed: positions in `gaps`. Empty: no
    /// such application holds a power.
    #[serde(default)]
    pub powers_unseen: Vec<GapId>,
    /// What may hide delegated grants: positions in `gaps`.
    #[serde(default)]
    pub delegated_unseen: Vec<GapId>,
    /// Policies that have no effect, because their application id is no client id of the tenant.
    #[serde(default)]
    pub stray_policies: Vec<StrayPolicy>,
    /// The mailboxes that a set contains, in a fixed order.
    pub mailboxes: Vec<ObjectId>,
    pub sets: Vec<MailboxSet>,
    pub policies: Vec<PolicyNode>,
    pub assignments: Vec<AssignmentNode>,
    pub gaps: Vec<Gap>,
    /// The applications that hold, or may hold, a mailbox permission, a power or a delegated grant,
    /// by object id.
    pub applications: Vec<ApplicationReach>,
    /// The answer for every application that is not listed: nothing, or unknown.
    pub unlisted: Answer,
}

/// A position in [`Reach::sets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetId(pub(super) u32);

/// A position in [`Reach::gaps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GapId(pub(super) u32);

/// The answer for one permission of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reach", rename_all = "snake_case")]
pub enum Answer {
    /// Every mailbox, also those that are made tomorrow.
    Unrestricted,
    /// These mailboxes only, and at present they include every person's mailbox.
    Everyone { mailboxes: SetId },
    /// Every mailbox but these.
    AllExcept { mailboxes: SetId },
    /// Every mailbox of a kind, also those that are made tomorrow: of groups, or of Bookings.
    AllOfKind { mailboxes: SetId },
    /// These mailboxes and no others.
    ConfinedTo { mailboxes: SetId },
    /// No mailbox.
    Nothing,
    /// Between `at_least` and `at_most`, because something could not be read. This is never shown
    /// as safe. Where the two are equal, it is known which mailboxes these are, but not whether
    /// they are all mailboxes of the customer.
    Unknown {
        at_least: Extent,
        at_most: Extent,
        gaps: Vec<GapId>,
    },
}

/// Some mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "extent", rename_all = "snake_case")]
pub enum Extent {
    Everything,
    AllExcept { mailboxes: SetId },
    Only { mailboxes: SetId },
    Nothing,
}

/// How bad an answer is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The application holds a power, with which it goes around whatever confines its permissions.
    Power,
    Unrestricted,
    /// Every mailbox but some, or every mailbox of a kind.
    AllExcept,
    Unknown,
    Confined,
    Nothing,
}

impl Level {
    pub const ALL: [Self; 6] = [
        Self::Power,
        Self::Unrestricted,
        Self::AllExcept,
        Self::Unknown,
        Self::Confined,
        Self::Nothing,
    ];

    /// Whether the application is confined to what it was given. False for *unknown*.
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Confined | Self::Nothing)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Power => "goes around every confinement",
            Self::Unrestricted => "unrestricted",
            Self::AllExcept => "all except some",
            Self::Unknown => "unknown",
            Self::Confined => "confined",
            Self::Nothing => "none",
        }
    }
}

impl Answer {
    pub const fn level(&self) -> Level {
        match self {
            Self::Unrestricted | Self::Everyone { .. } => Level::Unrestricted,
            Self::AllExcept { .. } | Self::AllOfKind { .. } => Level::AllExcept,
            Self::ConfinedTo { .. } => Level::Confined,
            Self::Nothing => Level::Nothing,
            Self::Unknown { .. } => Level::Unknown,
        }
    }

    /// Whether it is known which mailboxes the answer contains. It may still be unknown how many
    /// the customer has.
    pub fn names_all(&self) -> bool {
        self.at_least() == self.at_most()
    }

    /// The mailboxes that are certainly reached.
    pub const fn at_least(&self) -> Extent {
        match self {
            Self::Unknown { at_least, .. } => *at_least,
            known => known.extent(),
        }
    }

    /// The mailboxes that cannot be ruled out.
    pub const fn at_most(&self) -> Extent {
        match self {
            Self::Unknown { at_most, .. } => *at_most,
            known => known.extent(),
        }
    }

    const fn extent(&self) -> Extent {
        match self {
            Self::Unrestricted => Extent::Everything,
            Self::AllExcept { mailboxes } => Extent::AllExcept {
                mailboxes: *mailboxes,
            },
            Self::ConfinedTo { mailboxes }
            | Self::Everyone { mailboxes }
            | Self::AllOfKind { mailboxes } => Extent::Only {
                mailboxes: *mailboxes,
            },
            Self::Nothing => Extent::Nothing,
            Self::Unknown { at_most, .. } => *at_most,
        }
    }
}

/// An access policy, as a node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNode {
    pub identity: String,
    /// None: the policy is for every application.
    pub app_id: Option<AppId>,
    pub right: AccessRight,
    pub scope: Option<ObjectId>,
    pub scope_name: String,
    pub valid: bool,
    /// The mailboxes in the policy's scope.
    pub covers: Answer,
}

/// An Exchange role assignment, as a node of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentNode {
    pub name: String,
    pub role: String,
    pub scope: AssignmentScope,
    /// The scope is exclusive, so it does not restrict the application.
    pub exclusive: bool,
    pub enabled: bool,
    /// The mailboxes in the assignment's scope.
    pub covers: Answer,
}

/// One application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationReach {
    pub object: ObjectId,
    /// None: the application's principal was not read.
    pub app_id: Option<AppId>,
    pub name: Option<String>,
    pub owner: Owner,
    pub kind: Option<PrincipalKind>,
    pub publisher: Option<String>,
    /// Whether the principal is enabled. None: not read; it then counts as enabled.
    pub enabled: Option<bool>,
    /// What policies leave of the grants that they govern. None: the application has no such grant.
    pub narrowing: Option<Narrowing>,
    /// Ordered by permission, the worst first (not by answer).
    pub permissions: Vec<PermissionReach>,
    /// The answer for every permission that is not listed: nothing, or unknown.
    pub others: Answer,
    pub notes: Vec<Note>,
    /// What lets the application go around every confinement.
    #[serde(default)]
    pub powers: Powers,
    /// What the application may do for people who sign in to it. It is separate from everything
    /// above.
    #[serde(default)]
    pub delegated: Vec<DelegatedGrant>,
}

impl ApplicationReach {
    /// The worst level of its powers and permissions. A power that may exist unseen counts as
    /// *unknown*. A permission that reads no content does not count ([`Weight::counts`]).
    pub fn level(&self) -> Level {
        self.permissions
            .iter()
            .filter(|one| one.permission.weight().counts())
            .map(|permission| permission.answer.level())
            .chain([self.others.level(), self.powers.level()])
            .min()
            .unwrap_or(Level::Nothing)
    }

    /// The level as soon as what is switched off is switched on: the principal, or EWS.
    pub fn level_once_on(&self) -> Level {
        let dormant = if self.powers.dormant.is_empty() {
            Level::Nothing
        } else {
            Level::Power
        };
        self.permissions
            .iter()
            .filter(|one| one.permission.weight().counts())
            .map(|one| one.once_enabled.as_ref().unwrap_or(&one.answer).level())
            .chain([self.others.level(), self.powers.level(), dormant])
            .min()
            .unwrap_or(Level::Nothing)
    }

    /// Whether the application is listed for nothing but delegated grants. Lists and totals keep
    /// such an application apart, because it reaches nothing without a signed-in user.
    pub fn only_delegated(&self) -> bool {
        self.permissions.is_empty()
            && self.powers.is_none()
            && self.others == Answer::Nothing
            && !self.delegated.is_empty()
    }

    /// Whether the application holds permissions, and none of them reads content: tips, hours of
    /// work, metadata.
    pub fn only_light(&self) -> bool {
        !self.permissions.is_empty()
            && self
                .permissions
                .iter()
                .all(|one| !one.permission.weight().counts())
    }

    /// The worst level of its permissions to send.
    pub fn sending(&self) -> Level {
        self.permissions
            .iter()
            .filter(|one| one.permission.sends())
            .map(|one| one.answer.level())
            .chain([self.others.level()])
            .min()
            .unwrap_or(Level::Nothing)
    }
}

/// The owner of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "owner", rename_all = "snake_case")]
pub enum Owner {
    /// The application is registered in another tenant. It is perhaps a vendor's, perhaps the
    /// customer's own: a caller that knows the customer's tenant can tell.
    Tenant {
        tenant: TenantId,
    },
    /// The application is Microsoft's own.
    Microsoft,
    /// A managed identity. It lives in Azure and has no secret that could leak.
    ManagedIdentity,
    NotTold,
}

/// What access policies do to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// Positions in [`Reach::policies`]. They include policies for every application.
    pub deny: Vec<u32>,
    pub restrict: Vec<u32>,
    pub leaves: Answer,
}

/// One permission of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionReach {
    pub permission: Permission,
    pub answer: Answer,
    /// Where the principal or EWS is switched off: the answer as soon as somebody switches it on.
    pub once_enabled: Option<Answer>,
    /// Every route to the permission. The answer is their union.
    pub routes: Vec<Route>,
}

/// One route to a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "route", rename_all = "snake_case")]
pub enum Route {
    /// A grant in Entra.
    Grant {
        role: AppRoleId,
        fate: GrantFate,
        leaves: Answer,
    },
    /// An Exchange role assignment: a position in [`Reach::assignments`].
    Assignment { assignment: u32, leaves: Answer },
    /// A route that may exist: the part that would show it was not read.
    Unseen { gap: GapId, leaves: Answer },
}

/// What access policies do to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantFate {
    /// Policies do not govern this permission.
    NotGoverned,
    /// Policies govern this permission, and no policy is about the application.
    NoPolicy,
    /// Policies narrow the grant: see [`ApplicationReach::narrowing`].
    Narrowed,
    PoliciesNotRead,
    /// The name of the app role is not known.
    Unnamed,
}

/// What a person should know beside the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The principal is switched off, so it reaches nothing now.
    Disabled,
    /// Entra did not say whether the principal is switched on. It counts as switched on.
    EnabledNotTold,
    /// Microsoft's own services can have access that no grant shows.
    FirstParty,
    /// A grant or an assignment names the principal, and it is not among the principals.
    NotAmongPrincipals,
    /// Exchange points to another object for this application. Roles that are assigned to that
    /// object never work.
    WrongPointer { object: ObjectId },
    /// A scoped role assignment has no effect, because a grant in Entra is unrestricted.
    ScopeWithoutEffect { assignment: String },
    /// EWS opens more than the application's other permissions are confined to.
    EwsOpensMore,
    /// The application holds powers. None of them counts while the principal is switched off.
    PowersOnceEnabled,
    /// A permission that is a power only together with a role in Exchange, or only over what the
    /// application owns. It has no such role and owns nothing.
    PowerWithoutUse { value: String },
    /// A role in Exchange without the permission to connect to Exchange as itself.
    ExchangeRoleWithoutUse { name: String },
    /// A permission that changes people, groups or units, where no policy and no scope here is
    /// built of those. Graph cannot change the members of mail-enabled security groups.
    NoBoundaryMoved { value: String },
    /// A permission that tells who mailed whom and when, and reads no content.
    Metadata { values: Vec<String> },
    /// The permission is confined, and at present to everybody.
    Everybody { value: String },
    /// What this assignment reaches grows by itself, through the filter of a scope, or the rule of
    /// a group or unit.
    Grows { assignment: String },
    /// The filter of this scope matches nobody now. A filter that names a group by its place in the
    /// directory (`by_place`) stops matching when the tenant is moved (MICROSOFT.md §3.2).
    ScopeMatchesNobody { assignment: String, by_place: bool },
    /// This policy was made with the application's object id instead of its client id, so it has no
    /// effect.
    PolicyNamesObject { policy: String },
    /// The permission reaches only the mailboxes on which Exchange gives the application rights.
    ByMailboxRights { value: String },
    /// The application has no pointer in Exchange, so nobody can have given it rights on a mailbox.
    NoPointer { value: String },
    /// EWS is switched off. The permission reaches nothing now, and works again as soon as EWS is
    /// on.
    EwsOff,
    /// EWS is on for listed applications, and this one is not listed. The effect is the same as
    /// with EWS off.
    EwsNotListed,
    /// EWS is on for listed applications, and this one is listed.
    EwsListed,
    /// EWS is on, and the list is empty. Microsoft's documents differ on whether that lets in
    /// nobody or everybody. It counts as everybody.
    EwsListEmpty,
    /// Nobody has set the switch for EWS. Microsoft switches such tenants off one by one from
    /// October 2026 on (MICROSOFT.md §2.8). It counts as on.
    EwsNotSet,
    /// The application inherits this permission from its blueprint. Who signs in as the blueprint
    /// acts as the application.
    Inherits { blueprint: ObjectId, value: String },
    /// The permission cannot be confined, only removed: it is a retired Outlook permission of
    /// Exchange.
    OnlyRemovable { value: String },
}

/// A number of mailboxes, and the number of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// None: all mailboxes, and their number was not read.
    pub mailboxes: Option<u32>,
    /// None: the number of all mailboxes was not read.
    pub of: Option<u32>,
}

impl fmt::Display for Count {
    /// Example: “3 of 500 mailboxes”.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.mailboxes, self.of) {
            (Some(1), None) => f.write_str("1 mailbox of an unread number"),
            (Some(count), None) => {
                write!(f, "{count} mailboxes of an unread number")
            }
            (Some(count), Some(1)) => write!(f, "{count} of 1 mailbox"),
            (Some(count), Some(all)) => write!(f, "{count} of {all} mailboxes"),
            (None, _) => f.write_str("every mailbox (how many there are was not read)"),
        }
    }
}

impl Reach {
    /// The number of mailboxes in an extent, and of all mailboxes.
    pub fn count(&self, extent: Extent) -> Count {
        let len = |set: SetId| self.sets.get(set.0 as usize).map_or(0, MailboxSet::len);
        let of = self.mailbox_count;
        let mailboxes = match extent {
            Extent::Everything => of,
            Extent::AllExcept { mailboxes } => of.map(|all| all.saturating_sub(len(mailboxes))),
            Extent::Only { mailboxes } => Some(len(mailboxes)),
            Extent::Nothing => Some(0),
        };
        Count { mailboxes, of }
    }

    /// The level of every application that is not listed, powers included.
    pub fn unlisted_level(&self) -> Level {
        if self.powers_unseen.is_empty() {
            self.unlisted.level()
        } else {
            self.unlisted.level().min(Level::Unknown)
        }
    }

    /// The applications that hold a power, or may hold one. They reach every mailbox, whatever
    /// their permissions say.
    pub fn with_powers(&self) -> impl Iterator<Item = &ApplicationReach> {
        self.applications
            .iter()
            .filter(|one| !one.powers.held.is_empty())
    }

    pub fn application(&self, object: ObjectId) -> Option<&ApplicationReach> {
        let position = self
            .applications
            .binary_search_by_key(&object, |application| application.object)
            .ok()?;
        self.applications.get(position)
    }

    /// The answer for any application and permission, also those that are not listed.
    pub fn answer(&self, application: ObjectId, permission: &Permission) -> &Answer {
        let Some(application) = self.application(application) else {
            return &self.unlisted;
        };
        application
            .permissions
            .iter()
            .find(|one| one.permission == *permission)
            .map_or(&application.others, |one| &one.answer)
    }

    /// The mailboxes of a set.
    pub fn members(&self, set: SetId) -> impl Iterator<Item = ObjectId> + '_ {
        self.sets
            .get(set.0 as usize)
            .into_iter()
            .flat_map(MailboxSet::iter)
            .filter_map(|position| self.mailboxes.get(position as usize).copied())
    }

    pub fn gap(&self, gap: GapId) -> Option<&Gap> {
        self.gaps.get(gap.0 as usize)
    }

    /// Whether a mailbox is in an extent.
    pub fn contains(&self, extent: Extent, mailbox: ObjectId) -> bool {
        let listed = |set: SetId| {
            let Ok(position) = self.mailboxes.binary_search(&mailbox) else {
                return false;
            };
            let position = u32::try_from(position).ok();
            let set = self.sets.get(set.0 as usize);
            position
                .zip(set)
                .is_some_and(|(position, set)| set.contains(position))
        };
        match extent {
            Extent::Everything => true,
            Extent::AllExcept { mailboxes } => !listed(mailboxes),
            Extent::Only { mailboxes } => listed(mailboxes),
            Extent::Nothing => false,
        }
    }

    /// The verdict of an answer for a mailbox that the scan found.
    pub fn verdict(&self, answer: &Answer, mailbox: ObjectId) -> Verdict {
        if self.contains(answer.at_least(), mailbox) {
            Verdict::Allowed
        } else if self.contains(answer.at_most(), mailbox) {
            Verdict::Unknown
        } else {
            Verdict::Refused
        }
    }

    /// The verdict for a mailbox that the scan did not find, so its memberships are not known.
    const fn verdict_unlisted(answer: &Answer) -> Verdict {
        match (answer.at_least(), answer.at_most()) {
            (Extent::Everything, _) => Verdict::Allowed,
            (_, Extent::Nothing) => Verdict::Refused,
            _ => Verdict::Unknown,
        }
    }

    /// The inverse question: the applications that can reach a mailbox, or cannot be ruled out, the
    /// worst first. An entry without a permission stands for permissions that may exist unseen.
    /// Powers are not included ([`Reach::with_powers`]), and neither are delegated grants.
    /// `listed`: the scan found the mailbox. For any other mailbox, no confined application can be
    /// ruled out.
    pub fn who(
        &self,
        mailbox: ObjectId,
        listed: bool,
    ) -> Vec<(Verdict, &ApplicationReach, Option<&Permission>)> {
        let mut found = Vec::new();
        for application in &self.applications {
            let permissions = application
                .permissions
                .iter()
                .map(|one| (&one.answer, Some(&one.permission)));
            for (answer, permission) in permissions.chain([(&application.others, None)]) {
                let verdict = if listed {
                    self.verdict(answer, mailbox)
                } else {
                    Self::verdict_unlisted(answer)
                };
                if verdict != Verdict::Refused {
                    found.push((verdict, application, permission));
                }
            }
        }
        found.sort_by_key(|(verdict, application, permission)| {
            (
                *verdict,
                permission.is_none(),
                *permission,
                application.object,
            )
        });
        found
    }
}
