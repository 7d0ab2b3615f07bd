//! The reach of a customer's applications: what is shown, stored and compared.
//!
//! It is a picture in data: grants and role assignments are routes to a permission; policies
//! narrow some of them; what is left of all of them together is the answer. Sets of mailboxes,
//! policies, assignments and gaps stand in lists of their own and are named by position, since
//! many applications share them. Everything is in a fixed order, so that equal reach is equal.

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
    /// The tenant has no Exchange: there is nothing to reach yet.
    pub without_exchange: bool,
    /// How many mailboxes there are; none: they were not read.
    pub mailbox_count: Option<u32>,
    /// What may hide a power of an application that is not listed: positions in `gaps`. Empty:
    /// it is known that none of them holds one.
    #[serde(default)]
    pub powers_unseen: Vec<GapId>,
    /// What may hide what applications do for whoever signs in: positions in `gaps`.
    #[serde(default)]
    pub delegated_unseen: Vec<GapId>,
    /// Policies that have no effect, since their id is no client id of the tenant.
    #[serde(default)]
    pub stray_policies: Vec<StrayPolicy>,
    /// The mailboxes that some set names, in order.
    pub mailboxes: Vec<ObjectId>,
    pub sets: Vec<MailboxSet>,
    pub policies: Vec<PolicyNode>,
    pub assignments: Vec<AssignmentNode>,
    pub gaps: Vec<Gap>,
    /// Those that hold, or may hold, a mailbox permission, a power, or a grant for whoever signs
    /// in, by object id.
    pub applications: Vec<ApplicationReach>,
    /// What holds for every application that is not listed: nothing, or unknown.
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
    /// Every mailbox, those of tomorrow included.
    Unrestricted,
    /// These mailboxes, and for now that is everybody: something confines it, and what it is
    /// confined to holds every person's mailbox.
    Everyone { mailboxes: SetId },
    /// Every mailbox but these.
    AllExcept { mailboxes: SetId },
    /// Every mailbox of a kind, those of tomorrow included: of groups, or of Bookings.
    AllOfKind { mailboxes: SetId },
    /// These mailboxes and no others.
    ConfinedTo { mailboxes: SetId },
    /// No mailbox.
    Nothing,
    /// Somewhere between the two, because something is missing. Never to be shown as safe. Where
    /// the two are the same, which mailboxes is known, and not whether they are all that there are.
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
    /// It holds a power: whatever confines its permissions, it goes around it.
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

    /// Whether the application is held to what it is given. Never what is unknown.
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

    /// Whether it is known which mailboxes, though perhaps not of how many.
    pub fn names_all(&self) -> bool {
        self.at_least() == self.at_most()
    }

    /// What is reached for certain.
    pub const fn at_least(&self) -> Extent {
        match self {
            Self::Unknown { at_least, .. } => *at_least,
            known => known.extent(),
        }
    }

    /// What cannot be ruled out.
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

/// An access policy, as a node of the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNode {
    pub identity: String,
    /// None: for every application.
    pub app_id: Option<AppId>,
    pub right: AccessRight,
    pub scope: Option<ObjectId>,
    pub scope_name: String,
    pub valid: bool,
    /// The mailboxes that it names.
    pub covers: Answer,
}

/// An Exchange role assignment, as a node of the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentNode {
    pub name: String,
    pub role: String,
    pub scope: AssignmentScope,
    /// The scope is exclusive, so it does not restrict the application.
    pub exclusive: bool,
    pub enabled: bool,
    /// The mailboxes in its scope.
    pub covers: Answer,
}

/// One application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationReach {
    pub object: ObjectId,
    /// None: its principal was not read.
    pub app_id: Option<AppId>,
    pub name: Option<String>,
    pub owner: Owner,
    pub kind: Option<PrincipalKind>,
    pub publisher: Option<String>,
    /// None: not read, and taken for switched on.
    pub enabled: Option<bool>,
    /// What policies leave of its grants, of those that they govern; none: it has none.
    pub narrowing: Option<Narrowing>,
    /// The worst permission first (not the worst answer).
    pub permissions: Vec<PermissionReach>,
    /// What holds for every permission that is not listed: nothing, or unknown.
    pub others: Answer,
    pub notes: Vec<Note>,
    /// What lets it go around every confinement.
    #[serde(default)]
    pub powers: Powers,
    /// What it may do for whoever signs in to it: apart from everything above.
    #[serde(default)]
    pub delegated: Vec<DelegatedGrant>,
}

impl ApplicationReach {
    /// The worst of its powers and permissions. A power that may be there unseen is *unknown*.
    /// What reads no content does not count ([`Weight::counts`]).
    pub fn level(&self) -> Level {
        self.permissions
            .iter()
            .filter(|one| one.permission.weight().counts())
            .map(|permission| permission.answer.level())
            .chain([self.others.level(), self.powers.level()])
            .min()
            .unwrap_or(Level::Nothing)
    }

    /// The same as soon as what is switched off is on: the principal, or EWS.
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

    /// It is listed for nothing but what it does for whoever signs in. Lists and tallies keep
    /// such an application apart: without a signed-in user it reaches nothing.
    pub fn only_delegated(&self) -> bool {
        self.permissions.is_empty()
            && self.powers.is_none()
            && self.others == Answer::Nothing
            && !self.delegated.is_empty()
    }

    /// It holds permissions, and none that reads content: tips, hours of work, metadata.
    pub fn only_light(&self) -> bool {
        !self.permissions.is_empty()
            && self
                .permissions
                .iter()
                .all(|one| !one.permission.weight().counts())
    }

    /// The worst of its permissions to send.
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

/// Whose application it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "owner", rename_all = "snake_case")]
pub enum Owner {
    /// Registered in another tenant: perhaps a vendor's, perhaps the customer's own (whoever
    /// knows the customer's tenant can tell).
    Tenant {
        tenant: TenantId,
    },
    /// Microsoft's own.
    Microsoft,
    /// Lives in Azure and has no secret that could leak.
    ManagedIdentity,
    NotTold,
}

/// What access policies do to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// Positions in [`Reach::policies`]; those for every application included.
    pub deny: Vec<u32>,
    pub restrict: Vec<u32>,
    pub leaves: Answer,
}

/// One permission of one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionReach {
    pub permission: Permission,
    pub answer: Answer,
    /// Of a principal that is switched off, and of EWS where that is: the answer as soon as
    /// somebody switches it on.
    pub once_enabled: Option<Answer>,
    /// Every way to it. Together they are the answer.
    pub routes: Vec<Route>,
}

/// One way to a permission.
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
    /// There may be one: the part that would tell was not read.
    Unseen { gap: GapId, leaves: Answer },
}

/// What access policies do to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantFate {
    /// Policies do not govern this permission.
    NotGoverned,
    /// Policies govern it, and there is none for the application.
    NoPolicy,
    /// See [`ApplicationReach::narrowing`].
    Narrowed,
    PoliciesNotRead,
    /// What the role is called is not known.
    Unnamed,
}

/// What a person should know beside the answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The principal is switched off, so it reaches nothing now.
    Disabled,
    /// Entra did not say whether it is switched on: taken for on.
    EnabledNotTold,
    /// Microsoft's own services can have access that no grant shows.
    FirstParty,
    /// Named by a grant or an assignment, and not among the principals.
    NotAmongPrincipals,
    /// Exchange points to another object for this application: roles assigned to that never work.
    WrongPointer { object: ObjectId },
    /// A scoped role assignment beside a grant in Entra that is left unrestricted.
    ScopeWithoutEffect { assignment: String },
    /// EWS opens more than the application's other permissions are confined to.
    EwsOpensMore,
    /// It holds powers, and none of them counts while it is switched off.
    PowersOnceEnabled,
    /// A permission that is a power with a role in Exchange only, or over what it owns only: it
    /// has none and owns nothing.
    PowerWithoutUse { value: String },
    /// A role in Exchange, without the permission to connect to Exchange as itself.
    ExchangeRoleWithoutUse { name: String },
    /// A permission that changes people, groups or units, and no policy and no scope is built of
    /// those here. Graph cannot change the members of mail-enabled security groups.
    NoBoundaryMoved { value: String },
    /// It may tell who mailed whom and when, and reads no content.
    Metadata { values: Vec<String> },
    /// It is confined, and what it is confined to is everybody for now.
    Everybody { value: String },
    /// What this assignment reaches grows by itself: by the filter of a scope, or the rule of a
    /// group or unit.
    Grows { assignment: String },
    /// The filter of this scope matches nobody now. One that names a group by its place in the
    /// directory stops matching when the tenant is moved (MICROSOFT.md §3.2).
    ScopeMatchesNobody { assignment: String, by_place: bool },
    /// This policy was made with the object id of this application, not with its client id: it
    /// has no effect.
    PolicyNamesObject { policy: String },
    /// What it is granted reaches the mailboxes on which Exchange gives it rights, and no others.
    ByMailboxRights { value: String },
    /// It has no pointer in Exchange, so nobody can have given it rights on a mailbox.
    NoPointer { value: String },
    /// EWS is switched off: the permission reaches nothing now, and comes alive again with it.
    EwsOff,
    /// EWS is on for listed applications, and this one is not listed: the same.
    EwsNotListed,
    /// EWS is on for listed applications, and this one is among them.
    EwsListed,
    /// EWS is on, and the list is empty. Microsoft's documents differ on whether that lets in
    /// nobody or everybody: it is taken for everybody.
    EwsListEmpty,
    /// Nobody has set the switch for EWS. Microsoft switches such tenants off one by one from
    /// October 2026 on (MICROSOFT.md §2.8): it is taken for on.
    EwsNotSet,
    /// It inherits this from its blueprint. Whoever signs in as the blueprint acts as it.
    Inherits { blueprint: ObjectId, value: String },
    /// The permission cannot be confined, only removed: a retired Outlook permission of Exchange.
    OnlyRemovable { value: String },
}

/// So many of so many mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// None: all of them, and how many there are was not read.
    pub mailboxes: Option<u32>,
    /// None: how many there are was not read.
    pub of: Option<u32>,
}

impl fmt::Display for Count {
    /// “3 of 500 mailboxes”.
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
    /// How many mailboxes an extent holds, and of how many.
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

    /// What holds for every application that is not listed, powers included.
    pub fn unlisted_level(&self) -> Level {
        if self.powers_unseen.is_empty() {
            self.unlisted.level()
        } else {
            self.unlisted.level().min(Level::Unknown)
        }
    }

    /// Those that hold a power, or may: they reach every mailbox, whatever their permissions say.
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

    /// The answer for any application and permission.
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

    /// Whether an answer lets its application into a mailbox that was there at the scan.
    pub fn verdict(&self, answer: &Answer, mailbox: ObjectId) -> Verdict {
        if self.contains(answer.at_least(), mailbox) {
            Verdict::Allowed
        } else if self.contains(answer.at_most(), mailbox) {
            Verdict::Unknown
        } else {
            Verdict::Refused
        }
    }

    /// The same for a mailbox of which nobody knows what it is a member of.
    const fn verdict_unlisted(answer: &Answer) -> Verdict {
        match (answer.at_least(), answer.at_most()) {
            (Extent::Everything, _) => Verdict::Allowed,
            (_, Extent::Nothing) => Verdict::Refused,
            _ => Verdict::Unknown,
        }
    }

    /// The other way round: who can reach a mailbox, or cannot be ruled out. No permission stands
    /// for those that may be there unseen. Powers are not in it ([`Reach::with_powers`]), and
    /// neither is what needs a signed-in user. The worst first. `listed`: the mailbox was there at the
    /// scan; nothing that is confined can be ruled out for another.
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
