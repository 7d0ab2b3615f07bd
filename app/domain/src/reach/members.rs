//! Resolves groups, units and scopes to their mailboxes.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    reading::Why,
    reasons::{Gap, Part},
    seen::{AssignmentScope, Group, ManagementScope, Seen},
    set::{Set, Span},
};
use crate::id::ObjectId;

/// The customer's mailboxes by position. Where the mailboxes were not read, the members of all
/// groups, units and scopes, and mailboxes on which rights were given, take their place.
#[derive(Debug)]
pub(super) struct Index {
    ids: Vec<ObjectId>,
    /// The index holds exactly the customer's mailboxes.
    pub complete: bool,
    /// Why the list was requested and could not be read. Without it nobody can tell some mailboxes
    /// from all.
    pub unread: Option<Why>,
}

impl Index {
    pub fn new(seen: &Seen) -> Self {
        let (mut ids, complete) = match seen.mailboxes.get() {
            Ok(mailboxes) => (mailboxes.clone(), true),
            Err(_) => (everybody(seen), false),
        };
        ids.sort_unstable();
        ids.dedup();
        let unread = seen.mailboxes.get().err();
        Self {
            ids,
            complete,
            unread: unread.filter(|why| *why != Why::NotAsked && !seen.has_no_exchange()),
        }
    }

    pub fn position(&self, object: ObjectId) -> Option<u32> {
        let position = self.ids.binary_search(&object).ok()?;
        u32::try_from(position).ok()
    }

    pub fn object(&self, position: u32) -> Option<ObjectId> {
        self.ids.get(position as usize).copied()
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// All mailboxes of the index.
    pub fn everything(&self) -> Set {
        Set::of((0_u32..).take(self.ids.len()))
    }

    /// The members that are mailboxes. Others are ignored.
    pub fn set(&self, members: &[ObjectId]) -> Set {
        Set::of(members.iter().filter_map(|object| self.position(*object)))
    }
}

fn everybody(seen: &Seen) -> Vec<ObjectId> {
    let mut ids = Vec::new();
    for group in &seen.groups {
        if let Ok(members) = group.direct.get() {
            ids.extend(&members.recipients);
        }
        if let Some(Ok(members)) = group.nested.as_ref().map(|nested| nested.get()) {
            ids.extend(members);
        }
    }
    let rights = &seen.rights.mailbox_rights;
    let rights = rights.get().ok().or_else(|| rights.kept());
    ids.extend(rights.into_iter().flatten().map(|right| right.mailbox));
    let units = seen.units.iter().map(|unit| &unit.members);
    let scopes = seen.scopes.get().map(Vec::as_slice).unwrap_or_default();
    let filters = scopes.iter().map(|scope| &scope.mailboxes);
    for members in units.chain(filters) {
        if let Ok(members) = members.get() {
            ids.extend(members);
        }
    }
    ids
}

/// Resolves memberships, each group once.
#[derive(Debug)]
pub(super) struct Membership<'a> {
    seen: &'a Seen,
    index: &'a Index,
    groups: BTreeMap<ObjectId, &'a Group>,
    nested: BTreeMap<ObjectId, Span>,
}

impl<'a> Membership<'a> {
    pub fn new(seen: &'a Seen, index: &'a Index) -> Self {
        Self {
            seen,
            index,
            groups: seen
                .groups
                .iter()
                .map(|group| (group.object, group))
                .collect(),
            nested: BTreeMap::new(),
        }
    }

    /// The mailboxes of a policy's scope. It is a group, perhaps with the members of its members,
    /// or one mailbox (MICROSOFT.md §2.4).
    pub fn of_policy(&mut self, identity: &str, scope: Option<ObjectId>) -> Span {
        let unknown = |why| {
            let part = Part::PolicyScope {
                identity: identity.to_owned(),
                object: scope,
            };
            Span::unknown(&Rc::new(Gap { part, why }))
        };
        let Some(object) = scope else {
            return unknown(Why::NotUnderstood);
        };
        if self.groups.contains_key(&object) {
            return self.nested(object);
        }
        if self.index.complete && self.index.position(object).is_some() {
            return Span::exact(self.index.set(&[object]));
        }
        unknown(Why::Missing)
    }

    /// The mailboxes of a role assignment's scope (MICROSOFT.md §3.2).
    pub fn of_assignment(&self, scope: &AssignmentScope) -> Span {
        let gap = |part, why| Span::unknown(&Rc::new(Gap { part, why }));
        match scope {
            AssignmentScope::Organisation => Span::everything(),
            AssignmentScope::Custom { name } => self.of_scope(name),
            AssignmentScope::Group {
                object: Some(object),
                ..
            } => self.direct(*object),
            AssignmentScope::Group { object: None, name } => {
                gap(Part::AssignmentScope { text: name.clone() }, Why::Missing)
            }
            AssignmentScope::Unit { object } => {
                let part = Part::Unit { object: *object };
                match self.seen.units.iter().find(|unit| unit.object == *object) {
                    None => gap(part, Why::Missing),
                    Some(unit) => match unit.members.get() {
                        Ok(members) => Span::exact(self.index.set(members)),
                        Err(why) => gap(part, why),
                    },
                }
            }
            AssignmentScope::Other { text } => gap(
                Part::AssignmentScope { text: text.clone() },
                Why::NotUnderstood,
            ),
        }
    }

    fn of_scope(&self, name: &str) -> Span {
        let gap = |part, why| Span::unknown(&Rc::new(Gap { part, why }));
        let scopes = match self.seen.scopes.get() {
            Ok(scopes) => scopes,
            Err(why) => return gap(Part::Scopes, why),
        };
        match find_scope(scopes, name) {
            None => gap(
                Part::Scope {
                    name: name.to_owned(),
                },
                Why::Missing,
            ),
            Some(scope) if scope.exclusive => Span::everything(),
            Some(scope) => match scope.mailboxes.get() {
                Ok(mailboxes) => Span::exact(self.index.set(mailboxes)),
                Err(why) => gap(
                    Part::Filter {
                        scope: scope.name.clone(),
                    },
                    why,
                ),
            },
        }
    }

    /// The direct members of a group.
    fn direct(&self, object: ObjectId) -> Span {
        let unknown = |why| {
            let part = Part::Members { group: object };
            Span::unknown(&Rc::new(Gap { part, why }))
        };
        match self.groups.get(&object) {
            None => unknown(Why::Missing),
            Some(group) => match group.direct.get() {
                Ok(members) => Span::exact(self.index.set(&members.recipients)),
                Err(why) => unknown(why),
            },
        }
    }

    /// The bounds of a group's members: its direct members for certain, and the members of groups
    /// in it, at any depth, perhaps.
    fn nested(&mut self, object: ObjectId) -> Span {
        if let Some(known) = self.nested.get(&object) {
            return known.clone();
        }
        let span = self.follow(object);
        self.nested.insert(object, span.clone());
        span
    }

    fn follow(&self, start: ObjectId) -> Span {
        let mut span = Span::nothing();
        let mut been = BTreeSet::new();
        let mut ahead = vec![start];
        while let Some(object) = ahead.pop() {
            // Groups can contain each other.
            if !been.insert(object) {
                continue;
            }
            let Some(group) = self.groups.get(&object) else {
                span.add(&self.direct(object));
                continue;
            };
            match &group.nested {
                Some(told) => match told.get() {
                    Ok(members) => span.add(&Span::exact(self.index.set(members))),
                    Err(why) => span.add(&Span::unknown(&Rc::new(Gap {
                        part: Part::Members { group: object },
                        why,
                    }))),
                },
                None => {
                    span.add(&self.direct(object));
                    if let Ok(members) = group.direct.get() {
                        ahead.extend(&members.groups);
                    }
                }
            }
        }
        // Nested members count only perhaps: Microsoft's documents say that they count, reports say
        // that they do not.
        let own = self.direct(start);
        if own.is_exact() {
            span.hi = span.hi.union(&own.hi);
            if own.lo != span.hi {
                span.gaps.push(Rc::new(Gap {
                    part: Part::Nested { group: start },
                    why: Why::NotUnderstood,
                }));
            }
        } else {
            span.gaps.extend(own.gaps);
        }
        span.lo = own.lo;
        span
    }
}

/// Finds a management scope by its name. Exchange ignores case there.
pub(super) fn find_scope<'a>(
    scopes: &'a [ManagementScope],
    name: &str,
) -> Option<&'a ManagementScope> {
    scopes
        .iter()
        .find(|scope| scope.name.eq_ignore_ascii_case(name))
}
