//! Finds the powers that an application holds, and the gaps that may hide one (MICROSOFT.md §10).

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    answer::Note,
    judge::Judge,
    powers::{DirectoryRole, Other, Power, PowerKind, PowerSource},
    reading::Reading,
    reasons::{Gap, Part},
    seen::Seen,
    set::Truth,
    subjects::{HeldPower, Subject},
};
use crate::{
    id::ObjectId,
    permission::{
        Resource,
        other::{OtherRole, other},
        power::{self, Counts},
        role::{self, Directory, Management},
    },
};

/// Roles, ownerships and other grants of the tenant, by their holders.
#[derive(Debug)]
pub(super) struct Around<'a> {
    roles: BTreeMap<ObjectId, Vec<&'a DirectoryRole>>,
    roles_gap: Option<Rc<Gap>>,
    /// Role groups, each with the worst of its roles.
    groups: BTreeMap<ObjectId, Vec<(&'a str, Management)>>,
    groups_gaps: Vec<Rc<Gap>>,
    owned: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    owned_gap: Option<Rc<Gap>>,
    others: BTreeMap<ObjectId, Vec<&'a Other>>,
    others_gap: Option<Rc<Gap>>,
}

/// What was found for one application.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub held: BTreeSet<Power>,
    pub gaps: Vec<Rc<Gap>>,
    pub notes: BTreeSet<Note>,
}

/// The value of this scan, or else the last known value.
fn last<T>(reading: &Reading<Vec<T>>) -> impl Iterator<Item = &T> {
    reading
        .get()
        .ok()
        .or_else(|| reading.kept())
        .into_iter()
        .flatten()
}

impl<'a> Around<'a> {
    pub fn new(seen: &'a Seen) -> Self {
        let gap = |part, why| Rc::new(Gap { part, why });
        let powers = &seen.powers;
        let mut around = Self {
            roles: BTreeMap::new(),
            roles_gap: (powers.directory_roles.get().err())
                .map(|why| gap(Part::DirectoryRoles, why)),
            groups: BTreeMap::new(),
            groups_gaps: Vec::new(),
            owned: BTreeMap::new(),
            owned_gap: (powers.ownerships.get().err()).map(|why| gap(Part::Ownerships, why)),
            others: BTreeMap::new(),
            others_gap: (powers.others.get().err()).map(|why| gap(Part::Others, why)),
        };
        for one in last(&powers.others) {
            around
                .others
                .entry(one.principal)
                .or_default()
                .push(&one.what);
        }
        for role in last(&powers.directory_roles) {
            around.roles.entry(role.principal).or_default().push(role);
        }
        if let Err(why) = powers.role_groups.get()
            && !seen.has_no_exchange()
        {
            around.groups_gaps.push(gap(Part::RoleGroups, why));
        }
        for group in last(&powers.role_groups) {
            let of = |wanted| {
                group
                    .roles
                    .iter()
                    .any(|role| role::management(role) == wanted)
            };
            let worst = if of(Management::Decides) {
                Management::Decides
            } else if of(Management::NotKnown) || group.roles.is_empty() {
                Management::NotKnown
            } else {
                continue;
            };
            for member in last(&group.members) {
                let groups = around.groups.entry(*member).or_default();
                groups.push((group.name.as_str(), worst));
            }
            if let Err(why) = group.members.get() {
                let name = group.name.clone();
                around.groups_gaps.push(gap(Part::RoleGroup { name }, why));
            }
        }
        for one in last(&powers.ownerships) {
            if one.owner != one.owned {
                around.owned.entry(one.owner).or_default().insert(one.owned);
            }
        }
        around
    }

    /// The objects that are named as holders.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.roles
            .keys()
            .chain(self.groups.keys())
            .chain(self.owned.keys())
            .chain(self.others.keys())
            .copied()
    }

    pub fn owned(&self, owner: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.owned.get(&owner).into_iter().flatten().copied()
    }

    /// The gaps that may hide a power of any application.
    pub fn unread(&self) -> impl Iterator<Item = &Rc<Gap>> {
        self.roles_gap
            .iter()
            .chain(&self.owned_gap)
            .chain(&self.others_gap)
    }
}

impl Judge<'_> {
    /// The powers of an application, without those that follow from what it owns.
    pub(super) fn powers(&self, subject: &Subject<'_>) -> Found {
        let mut found = Found::default();
        self.by_permissions(subject, &mut found);
        self.by_directory_roles(subject, &mut found);
        self.by_exchange_roles(subject, &mut found);
        self.by_others(subject, &mut found);
        found.gaps = self.powers_unseen(subject);
        if subject.exists() == Truth::Perhaps {
            found.held = std::mem::take(&mut found.held)
                .into_iter()
                .map(|power| Power {
                    perhaps: true,
                    ..power
                })
                .collect();
        }
        found
    }

    /// The gaps that may hide a power of an application.
    fn powers_unseen(&self, subject: &Subject<'_>) -> Vec<Rc<Gap>> {
        let may_connect = self.connects(subject) > Truth::No;
        let groups = &self.around.groups_gaps;
        self.subjects
            .grants_unread()
            .iter()
            .map(|(_, gap)| gap)
            .chain(self.around.unread())
            .chain(self.subjects.inherited_unread_for(subject))
            .chain(groups.iter().filter(|_| may_connect))
            .chain(
                subject
                    .grants
                    .iter()
                    .filter_map(|held| held.unnamed.as_ref()),
            )
            .cloned()
            .collect()
    }

    /// The gaps that may hide a power of an application that is not listed.
    pub(super) fn unlisted_powers_unseen(&self) -> Vec<Rc<Gap>> {
        self.subjects
            .grants_unread()
            .iter()
            .map(|(_, gap)| gap)
            .chain(self.around.unread())
            .chain(self.subjects.inherited_unread())
            .cloned()
            .collect()
    }

    fn by_permissions(&self, subject: &Subject<'_>, found: &mut Found) {
        for held in &subject.powers {
            let Some(known) = held.known() else {
                if let Some(kind) = power::family(held.resource, &held.value) {
                    found.put(kind, held.source(), Truth::Perhaps);
                }
                continue;
            };
            match known.counts {
                Counts::Alone => found.put(known.kind, held.source(), Truth::Yes),
                Counts::Perhaps => found.put(known.kind, held.source(), Truth::Perhaps),
                // Evaluated together with roles in Exchange, and with what the application owns.
                Counts::WithExchangeRole | Counts::PerhapsWithExchangeRole | Counts::OverOwned => {}
                counts => match self.boundary.moved_by(counts) {
                    Truth::No => {
                        let value = held.value.clone();
                        found.notes.insert(Note::NoBoundaryMoved { value });
                    }
                    moved => found.put(known.kind, held.source(), moved),
                },
            }
        }
    }

    /// What the application holds of other resources than Graph and Exchange. How far that goes
    /// depends on facts that Postern cannot read: a case and a role in Purview, the holder of a
    /// key.
    fn by_others(&self, subject: &Subject<'_>, found: &mut Found) {
        let mut metadata = Vec::new();
        for held in self
            .around
            .others
            .get(&subject.object)
            .into_iter()
            .flatten()
        {
            let (resource, role, value) = match held {
                Other::Keys { count } => {
                    let source = PowerSource::Keys { count: *count };
                    found.put(PowerKind::ActsAsOthers, source, Truth::Perhaps);
                    continue;
                }
                Other::Role {
                    resource,
                    role,
                    value,
                } => (*resource, *role, value),
            };
            let name = || value.clone().unwrap_or_else(|| role.to_string());
            match other(resource, role, value.as_deref()) {
                Some(OtherRole::ReachesMail) => {
                    let value = name();
                    let source = PowerSource::OtherGrant { resource, value };
                    found.put(PowerKind::ReachesElsewhere, source, Truth::Perhaps);
                }
                Some(OtherRole::Metadata) => {
                    metadata.push(format!("{} of {}", name(), resource.name()));
                }
                None => {}
            }
        }
        if !metadata.is_empty() {
            metadata.sort_unstable();
            metadata.dedup();
            found.notes.insert(Note::Metadata { values: metadata });
        }
    }

    fn by_directory_roles(&self, subject: &Subject<'_>, found: &mut Found) {
        for role in self.around.roles.get(&subject.object).into_iter().flatten() {
            let Some((does, name)) = does(role) else {
                continue;
            };
            let source = source(role, &name);
            let whole = if is_whole(role) {
                Truth::Yes
            } else {
                Truth::Perhaps
            };
            match does {
                Directory::Power(kind) => found.put(kind, source, whole),
                Directory::Perhaps(kind) => found.put(kind, source, Truth::Perhaps),
                Directory::Groups => match self.boundary.groups() {
                    Truth::No => {
                        found.notes.insert(Note::NoBoundaryMoved { value: name });
                    }
                    moved => found.put(PowerKind::MovesBoundary, source, moved.min(whole)),
                },
                // Evaluated together with the permission to connect to Exchange.
                Directory::Exchange => {}
            }
        }
    }

    /// Whether the application may connect to Exchange as itself.
    fn connects(&self, subject: &Subject<'_>) -> Truth {
        let counts = |held: &HeldPower| held.known().map(|known| known.counts);
        if subject
            .powers
            .iter()
            .any(|held| counts(held) == Some(Counts::WithExchangeRole))
        {
            Truth::Yes
        } else if subject
            .powers
            .iter()
            .any(|held| counts(held) == Some(Counts::PerhapsWithExchangeRole))
            || self
                .subjects
                .grants_unread()
                .iter()
                .any(|(resource, _)| *resource == Resource::Exchange)
            || self.subjects.inherited_unread_for(subject).is_some()
            || subject.grants.iter().any(|held| {
                held.unnamed.is_some() && held.permission.resource == Resource::Exchange
            })
        {
            Truth::Perhaps
        } else {
            Truth::No
        }
    }

    /// Roles in Exchange count together with the permission to connect to Exchange, and that
    /// permission counts together with a role.
    fn by_exchange_roles(&self, subject: &Subject<'_>, found: &mut Found) {
        let connects = self.connects(subject);
        let mut any = Truth::No;
        let kind = PowerKind::AdministersExchange;
        for role in self.around.roles.get(&subject.object).into_iter().flatten() {
            if role.actions.is_some() || !role::administers_exchange(role.role) {
                continue;
            }
            let Some((_, name)) = does(role) else {
                continue;
            };
            let whole = if is_whole(role) {
                Truth::Yes
            } else {
                Truth::Perhaps
            };
            any = any.max(whole);
            // Without the permission to connect, the other rights of the role remain. How far they
            // go is not documented.
            found.put(
                kind,
                source(role, &name),
                connects.max(Truth::Perhaps).min(whole),
            );
        }
        let certain = |management| match management {
            Management::Decides => Truth::Yes,
            _ => Truth::Perhaps,
        };
        let groups = self
            .around
            .groups
            .get(&subject.object)
            .into_iter()
            .flatten();
        let mut sources: Vec<(PowerSource, String, Truth)> = groups
            .map(|(name, worst)| {
                let name = (*name).to_owned();
                let source = PowerSource::RoleGroup { name: name.clone() };
                (source, name, certain(*worst))
            })
            .collect();
        for ready in &self.assignments.list {
            let of = ready.is_of(subject);
            let role = &ready.assignment.role;
            let management = match role::management(role) {
                // A delegating assignment lets the application give the role to any application,
                // itself included, for everything.
                _ if ready.assignment.delegating => Management::Decides,
                management => management,
            };
            if of == Truth::No
                || !ready.assignment.enabled
                || !matches!(management, Management::Decides | Management::NotKnown)
            {
                continue;
            }
            let source = PowerSource::ManagementRole { role: role.clone() };
            sources.push((source, role.clone(), certain(management).min(of)));
        }
        for (source, name, certain) in sources {
            any = any.max(certain);
            if connects == Truth::No {
                found.notes.insert(Note::ExchangeRoleWithoutUse { name });
            } else {
                found.put(kind, source, certain.min(connects));
            }
        }
        let roles_unread = self.around.roles_gap.is_some()
            || !self.around.groups_gaps.is_empty()
            || self.assignments.unread_for(subject).is_some();
        for held in &subject.powers {
            let counts = held.known().map(|known| known.counts);
            if !matches!(
                counts,
                Some(Counts::WithExchangeRole | Counts::PerhapsWithExchangeRole)
            ) || any > Truth::No
            {
                continue;
            }
            if roles_unread {
                found.put(kind, held.source(), Truth::Perhaps);
            } else {
                let value = held.value.clone();
                found.notes.insert(Note::PowerWithoutUse { value });
            }
        }
    }

    /// The powers that follow from what the application owns. `worth`: whether signing in as an
    /// owned application gives a power or a permission: for certain, perhaps, or not.
    pub(super) fn by_ownership(
        &self,
        subject: &Subject<'_>,
        worth: &dyn Fn(ObjectId) -> Truth,
        found: &mut Found,
    ) {
        let own = |wanted: Counts| {
            let mut own = subject
                .powers
                .iter()
                .filter(move |held| held.known().is_some_and(|known| known.counts == wanted));
            own.next()
        };
        // An owner without the permission is still an owner. It is not documented what that lets an
        // application do (MICROSOFT.md §10.6).
        let may = own(Counts::OverOwned);
        let mut any = false;
        for owned in self.around.owned(subject.object) {
            // It is not known what this object is, so nobody can say that it is worth nothing.
            let strange = self.subjects.unread().is_some()
                && (self.subjects.get(owned)).is_none_or(|subject| subject.principal.is_none());
            let least = if strange { Truth::Perhaps } else { Truth::No };
            let certain = worth(owned).max(least).min(if may.is_some() {
                Truth::Yes
            } else {
                Truth::Perhaps
            });
            if certain == Truth::No {
                continue;
            }
            any = true;
            let name = self
                .subjects
                .get(owned)
                .and_then(|subject| subject.principal)
                .map_or_else(|| owned.to_string(), |principal| principal.name.clone());
            let source = PowerSource::Owner { owned, name };
            let certain = certain.min(if subject.exists() == Truth::Perhaps {
                Truth::Perhaps
            } else {
                Truth::Yes
            });
            found.put(PowerKind::ActsAsOthers, source, certain);
        }
        if let Some(held) = may
            && !any
        {
            if self.around.owned_gap.is_some() {
                found.put(PowerKind::ActsAsOthers, held.source(), Truth::Perhaps);
            } else {
                let value = held.value.clone();
                found.notes.insert(Note::PowerWithoutUse { value });
            }
        }
    }
}

impl Found {
    fn put(&mut self, kind: PowerKind, from: PowerSource, certain: Truth) {
        if certain > Truth::No {
            let perhaps = certain == Truth::Perhaps;
            self.held.insert(Power {
                kind,
                from,
                perhaps,
            });
        }
    }
}

impl HeldPower {
    fn source(&self) -> PowerSource {
        let (resource, value) = (self.resource, self.value.clone());
        match self.inherited {
            Some(blueprint) => PowerSource::Inherited {
                blueprint,
                resource,
                value,
            },
            None => PowerSource::Grant { resource, value },
        }
    }
}

fn does(role: &DirectoryRole) -> Option<(Directory, String)> {
    match &role.actions {
        None => role::directory(role.role, role.name.as_deref()),
        Some(actions) => {
            let name = role.name.clone().unwrap_or_else(|| role.role.to_string());
            role::custom(actions).map(|does| (does, name))
        }
    }
}

/// Whether the role is held for the whole tenant.
fn is_whole(role: &DirectoryRole) -> bool {
    matches!(role.scope.as_str(), "/" | "")
}

fn source(role: &DirectoryRole, name: &str) -> PowerSource {
    PowerSource::DirectoryRole {
        name: name.to_owned(),
        scope: (!is_whole(role)).then(|| role.scope.clone()),
        through: role.through,
    }
}
