//! The principals that are evaluated: all that were read, and those that something else names.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    permission::{Meaning, Permission, meaning},
    powers::InheritedGrant,
    reading::Why,
    reasons::{Gap, Part},
    seen::{Grant, Principal, Seen},
    set::Truth,
};
use crate::{
    id::{AppId, AppRoleId, ObjectId},
    permission::{
        self, Coverage, Resource,
        power::{self, PowerPermission},
    },
};

/// A service principal, with what it holds in Entra.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    pub object: ObjectId,
    pub principal: Option<&'a Principal>,
    pub grants: Vec<Held>,
    /// Grants that are powers, or may be powers.
    pub powers: Vec<HeldPower>,
    /// Permissions that tell who mailed whom.
    pub metadata: Vec<&'static str>,
    /// Client ids of the blueprints from which the principal inherits. None: that blueprint was not
    /// read.
    pub blueprints: Vec<Option<AppId>>,
    /// Why there is no `principal`.
    pub doubt: Option<Rc<Gap>>,
    /// The principals were read, and this one is not among them: it was deleted, or is too new.
    pub perhaps_gone: bool,
}

/// A grant that reaches mailboxes, or may reach them.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub role: AppRoleId,
    pub permission: Permission,
    pub coverage: Coverage,
    /// Set where the name of the app role is not known.
    pub unnamed: Option<Rc<Gap>>,
    /// The blueprint from which the grant is inherited.
    pub inherited: Option<ObjectId>,
}

/// A grant that is a power, or may be a power.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HeldPower {
    pub resource: Resource,
    pub value: String,
    pub inherited: Option<ObjectId>,
}

impl HeldPower {
    /// The table's entry for this permission. None: the table does not have it; it belongs to a
    /// family of powers.
    pub fn known(&self) -> Option<&'static PowerPermission> {
        power::find_value(self.resource, &self.value)
    }
}

impl Subject<'_> {
    pub fn app_id(&self) -> Option<AppId> {
        self.principal.map(|principal| principal.app_id)
    }

    /// Whether Entra says that the principal is disabled. Without an answer it counts as enabled.
    pub fn is_disabled(&self) -> bool {
        self.principal
            .is_some_and(|principal| principal.enabled == Some(false))
    }

    /// Whether the principal may inherit from a blueprint: it is an agent identity, or its kind is
    /// not known.
    pub fn may_inherit(&self) -> bool {
        self.principal
            .is_none_or(|principal| principal.kind.is_agent())
    }

    fn new(object: ObjectId, principal: Option<&Principal>) -> Subject<'_> {
        Subject {
            object,
            principal,
            grants: Vec::new(),
            powers: Vec::new(),
            metadata: Vec::new(),
            blueprints: Vec::new(),
            doubt: None,
            perhaps_gone: false,
        }
    }

    pub const fn exists(&self) -> Truth {
        if self.perhaps_gone {
            Truth::Perhaps
        } else {
            Truth::Yes
        }
    }
}

/// All subjects, by object id.
#[derive(Debug)]
pub(super) struct Subjects<'a> {
    list: BTreeMap<ObjectId, Subject<'a>>,
    /// Why the principals are not known.
    unread: Option<Rc<Gap>>,
    /// The last known principals, where this scan could not read them. Only facts that never change
    /// are used.
    kept: BTreeMap<ObjectId, &'a Principal>,
    /// There may be principals that are not listed.
    partial: bool,
    /// Why the grants of a resource are not known.
    grants_unread: Vec<(Resource, Rc<Gap>)>,
    /// Why it is not known what agent identities inherit.
    inherited_unread: Option<Rc<Gap>>,
}

impl<'a> Subjects<'a> {
    /// `named`: objects that role assignments, powers or delegated grants name.
    pub fn new(seen: &'a Seen, named: impl IntoIterator<Item = ObjectId>) -> Self {
        let gap = |part, why| Rc::new(Gap { part, why });
        let mut subjects = Self {
            list: BTreeMap::new(),
            unread: None,
            kept: seen
                .principals
                .kept()
                .into_iter()
                .flatten()
                .map(|principal| (principal.object, principal))
                .collect(),
            partial: !seen.all_principals,
            grants_unread: Vec::new(),
            inherited_unread: None,
        };
        match seen.principals.get() {
            Ok(principals) => {
                for principal in principals {
                    let subject = Subject::new(principal.object, Some(principal));
                    subjects.list.insert(principal.object, subject);
                }
            }
            Err(why) => subjects.unread = Some(gap(Part::Principals, why)),
        }
        for resource in Resource::ALL {
            let reading = seen.grants(resource);
            match reading.get() {
                Ok(grants) => subjects.hold(resource, grants),
                // In a tenant without Exchange there is no such resource, so nobody holds a role of
                // it.
                Err(Why::NotLicensed { .. })
                    if resource == Resource::Exchange && seen.has_no_exchange() => {}
                Err(why) => {
                    let unread = gap(Part::Grants { resource }, why);
                    subjects.grants_unread.push((resource, unread));
                    if let Some(grants) = reading.kept() {
                        subjects.hold(resource, grants);
                    }
                }
            }
        }
        if let Err(why) = seen.powers.inherited.get() {
            subjects.inherited_unread = Some(gap(Part::Inherited, why));
        }
        let inherited = seen.powers.inherited.get().ok();
        for one in inherited
            .or_else(|| seen.powers.inherited.kept())
            .into_iter()
            .flatten()
        {
            subjects.inherit(one);
        }
        for object in named {
            subjects.entry(object);
        }
        let unread = subjects.inherited_unread.is_some();
        for subject in subjects.list.values_mut() {
            if unread && subject.may_inherit() {
                // The blueprint of this principal is not known, so any policy may be about it.
                subject.blueprints.push(None);
            }
            subject.powers.sort();
            subject.powers.dedup();
            subject.metadata.sort_unstable();
            subject.metadata.dedup();
            subject.blueprints.sort_unstable();
            subject.blueprints.dedup();
            subject.grants.sort_by(|one, other| {
                (&one.permission, one.role, one.inherited).cmp(&(
                    &other.permission,
                    other.role,
                    other.inherited,
                ))
            });
            subject.grants.dedup_by(|one, other| {
                (&one.permission, one.role) == (&other.permission, other.role)
            });
        }
        subjects
    }

    fn hold(&mut self, resource: Resource, grants: &[Grant]) {
        for grant in grants {
            self.hold_one(resource, grant, None);
        }
    }

    /// Adds an app role that an agent identity inherits. It counts as a grant of the agent identity
    /// (MICROSOFT.md §10.8).
    fn inherit(&mut self, one: &InheritedGrant) {
        let grant = Grant {
            principal: one.principal,
            role: one.role,
            value: one.value.clone(),
        };
        self.hold_one(one.resource, &grant, Some(one.blueprint));
        let blueprint = self
            .list
            .get(&one.blueprint)
            .and_then(Subject::app_id)
            .or_else(|| self.kept.get(&one.blueprint).map(|kept| kept.app_id));
        self.entry(one.principal).blueprints.push(blueprint);
    }

    fn hold_one(&mut self, resource: Resource, grant: &Grant, inherited: Option<ObjectId>) {
        let role = grant.role;
        let named = grant.value.as_deref().filter(|value| !value.is_empty());
        let power = match named {
            Some(value) => (power::find_value(resource, value).is_some()
                || power::looks_like_power(resource, value))
            .then(|| value.to_owned()),
            None => power::find(resource, role).map(|known| known.value.to_owned()),
        };
        let metadata = named.map_or_else(
            || permission::metadata_by_id(resource, role),
            |value| permission::metadata(resource, value),
        );
        let known = power.is_some() || metadata.is_some();
        if let Some(value) = power {
            self.entry(grant.principal).powers.push(HeldPower {
                resource,
                value,
                inherited,
            });
        }
        if let Some(value) = metadata {
            self.entry(grant.principal).metadata.push(value);
        }
        let (permission, coverage, unnamed) = match meaning(resource, grant) {
            Meaning::Elsewhere => return,
            Meaning::Unnamed { .. } if known => return,
            Meaning::Mailbox {
                permission,
                coverage,
            } => (permission, coverage, None),
            Meaning::Unnamed { permission } => {
                let part = Part::AppRole { resource, role };
                let why = Why::NotUnderstood;
                let unnamed = Rc::new(Gap { part, why });
                (permission, Coverage::Beyond, Some(unnamed))
            }
        };
        self.entry(grant.principal).grants.push(Held {
            role,
            permission,
            coverage,
            unnamed,
            inherited,
        });
    }

    fn entry(&mut self, object: ObjectId) -> &mut Subject<'a> {
        let (unread, kept) = (&self.unread, &self.kept);
        self.list
            .entry(object)
            .or_insert_with(|| match kept.get(&object) {
                Some(principal) => Subject::new(object, Some(*principal)),
                None => Self::stranger(object, unread.as_ref()),
            })
    }

    /// A principal of which only the object id is known.
    fn stranger(object: ObjectId, unread: Option<&Rc<Gap>>) -> Subject<'a> {
        Subject {
            doubt: Some(unread.cloned().unwrap_or_else(|| {
                Rc::new(Gap {
                    part: Part::Principal { object },
                    why: Why::Missing,
                })
            })),
            perhaps_gone: unread.is_none(),
            ..Subject::new(object, None)
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.list.values()
    }

    pub fn get(&self, object: ObjectId) -> Option<&Subject<'a>> {
        self.list.get(&object)
    }

    /// A principal that nothing names. None: all principals were read, so there is none with this
    /// id.
    pub fn unlisted(&self, object: ObjectId) -> Option<Subject<'a>> {
        (self.partial || self.unread.is_some())
            .then(|| Self::stranger(object, self.unread.as_ref()))
    }

    pub const fn unread(&self) -> Option<&Rc<Gap>> {
        self.unread.as_ref()
    }

    /// Why an application may inherit something unseen. None: it cannot.
    pub fn inherited_unread_for(&self, subject: &Subject<'_>) -> Option<&Rc<Gap>> {
        self.inherited_unread
            .as_ref()
            .filter(|_| subject.may_inherit())
    }

    /// Why an application that is not listed may inherit something unseen. None: it cannot.
    pub fn inherited_unread(&self) -> Option<&Rc<Gap>> {
        let anybody =
            self.partial || self.unread.is_some() || self.list.values().any(Subject::may_inherit);
        self.inherited_unread.as_ref().filter(|_| anybody)
    }

    pub fn grants_unread(&self) -> &[(Resource, Rc<Gap>)] {
        &self.grants_unread
    }
}
