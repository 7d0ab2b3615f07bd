//! Exchange's role assignments: to whom they belong, which permissions they confer, and which
//! mailboxes they reach (MICROSOFT.md §3).

use std::rc::Rc;

use uuid::Uuid;

use super::{
    members::Membership,
    permission::Permission,
    reading::Why,
    reasons::{Gap, Part},
    roles::{Confers, confers},
    seen::{Assignment, Pointer, Seen},
    set::{Span, Truth},
    subjects::Subject,
};
use crate::id::ObjectId;

/// A role assignment, resolved as far as possible.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub assignment: &'a Assignment,
    pub confers: Confers,
    /// Set where the role may confer any permission, because its meaning is not known.
    pub role_gap: Option<Rc<Gap>>,
    pub reaches: Span,
    belongs: Belongs,
}

/// To whom an assignment belongs.
#[derive(Debug)]
enum Belongs {
    To(ObjectId),
    /// The assignee is the object id or client id of an application, and no pointer says which.
    Perhaps {
        id: Uuid,
        gap: Rc<Gap>,
        /// Whether an equal object id is certain enough. Exchange names assignees by object id and
        /// accepts no pointer to an object that does not exist (§3.2). So it is certain where the
        /// pointers could not be read. It is not certain where they were read and contain none for
        /// this object.
        object_is_enough: bool,
    },
    /// The assignee is a name that no pointer has, or several have.
    Anyone(Rc<Gap>),
}

/// The role assignments of the tenant, ordered by name.
#[derive(Debug)]
pub(super) struct Assignments<'a> {
    pub list: Vec<Ready<'a>>,
    /// Why there may be assignments that are not listed.
    unread: Option<Rc<Gap>>,
    pointers: Option<&'a [Pointer]>,
}

impl<'a> Assignments<'a> {
    pub fn new(seen: &'a Seen, membership: &Membership<'_>) -> Self {
        let pointers = seen.pointers.get().ok().map(Vec::as_slice);
        let mut unread = None;
        let mut list: Vec<&Assignment> = match seen.assignments.get() {
            Ok(assignments) => assignments.iter().collect(),
            Err(_) if seen.has_no_exchange() => Vec::new(),
            Err(why) => {
                let part = Part::Assignments;
                unread = Some(Rc::new(Gap { part, why }));
                seen.assignments.kept().into_iter().flatten().collect()
            }
        };
        list.sort_by(|one, other| {
            (&one.name, &one.role, &one.assignee).cmp(&(&other.name, &other.role, &other.assignee))
        });
        let list = list
            .into_iter()
            .map(|assignment| {
                // A delegating assignment lets the assignee give the role, not use it.
                let confers = if assignment.delegating {
                    Confers::Permissions(Vec::new())
                } else {
                    confers(&assignment.role)
                };
                let role_gap = (confers == Confers::Anything).then(|| {
                    Rc::new(Gap {
                        part: Part::Role {
                            name: assignment.role.clone(),
                        },
                        why: Why::NotUnderstood,
                    })
                });
                Ready {
                    assignment,
                    confers,
                    role_gap,
                    reaches: membership.of_assignment(&assignment.scope),
                    belongs: belongs(seen, pointers, &assignment.assignee),
                }
            })
            .collect();
        Self {
            list,
            unread,
            pointers,
        }
    }

    /// The objects to which assignments belong.
    pub fn objects(&self, seen: &Seen) -> Vec<ObjectId> {
        let known = |id: Uuid| {
            seen.principals.get().is_ok_and(|principals| {
                principals
                    .iter()
                    .any(|principal| principal.object.0 == id || principal.app_id.0 == id)
            })
        };
        self.list
            .iter()
            .filter_map(|ready| match &ready.belongs {
                Belongs::To(object) => Some(*object),
                Belongs::Perhaps { id, .. } if !known(*id) => Some(ObjectId(*id)),
                _ => None,
            })
            .collect()
    }

    /// Why an application may have assignments that were not read. An application without a pointer
    /// can have none (MICROSOFT.md §3.1).
    pub fn unread_for(&self, subject: &Subject<'_>) -> Option<&Rc<Gap>> {
        let gap = self.unread.as_ref()?;
        let pointed = self
            .pointers
            .is_none_or(|pointers| pointers.iter().any(|one| one.object == subject.object));
        pointed.then_some(gap)
    }

    /// Whether there may be assignments that are not listed.
    pub const fn may_be_more(&self) -> bool {
        self.unread.is_some()
    }

    /// Why a principal that was not read may have an assignment. None: it cannot.
    pub fn may_be_anyones(&self) -> Option<&Rc<Gap>> {
        self.unread.as_ref().or_else(|| {
            self.list
                .iter()
                .filter(|ready| {
                    ready.assignment.enabled && ready.confers != Confers::Permissions(Vec::new())
                })
                .find_map(Ready::doubt)
        })
    }

    /// The objects of Exchange's pointers that have this application's client id and another object
    /// id. Roles that are assigned to these objects never work (MICROSOFT.md §5).
    pub fn wrong_pointers(&self, subject: &Subject<'_>) -> Vec<ObjectId> {
        let Some(own) = subject.app_id() else {
            return Vec::new();
        };
        self.pointers
            .into_iter()
            .flatten()
            .filter(|pointer| pointer.app_id == Some(own) && pointer.object != subject.object)
            .map(|pointer| pointer.object)
            .collect()
    }
}

fn belongs(seen: &Seen, pointers: Option<&[Pointer]>, assignee: &str) -> Belongs {
    let gap = |why| {
        let part = Part::Pointer {
            assignee: assignee.to_owned(),
        };
        Rc::new(Gap { part, why })
    };
    let unread = || {
        seen.pointers
            .get()
            .err()
            .map_or_else(|| gap(Why::Missing), gap)
    };
    let id = Uuid::try_parse(assignee.trim()).ok();
    let Some(pointers) = pointers else {
        return match id {
            Some(id) => Belongs::Perhaps {
                id,
                gap: unread(),
                object_is_enough: true,
            },
            None => Belongs::Anyone(unread()),
        };
    };
    if let Some(id) = id {
        let pointer = pointers
            .iter()
            .find(|pointer| pointer.object.0 == id)
            .or_else(|| {
                pointers
                    .iter()
                    .find(|pointer| pointer.app_id.is_some_and(|own| own.0 == id))
            });
        if let Some(pointer) = pointer {
            return Belongs::To(pointer.object);
        }
    }
    let mut named = pointers.iter().filter(|pointer| {
        pointer
            .names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(assignee.trim()))
    });
    match (named.next(), named.next(), id) {
        (Some(pointer), None, _) => Belongs::To(pointer.object),
        (None, _, Some(id)) => Belongs::Perhaps {
            id,
            gap: unread(),
            object_is_enough: false,
        },
        _ => Belongs::Anyone(unread()),
    }
}

impl Ready<'_> {
    /// Whether the assignment belongs to this application.
    pub fn is_of(&self, subject: &Subject<'_>) -> Truth {
        match &self.belongs {
            Belongs::To(object) if *object == subject.object => Truth::Yes,
            Belongs::To(_) => Truth::No,
            Belongs::Perhaps {
                id,
                object_is_enough,
                ..
            } => match subject.app_id() {
                _ if subject.object.0 == *id && *object_is_enough => Truth::Yes,
                _ if subject.object.0 == *id => Truth::Perhaps,
                Some(app_id) if app_id.0 != *id => Truth::No,
                _ => Truth::Perhaps,
            },
            Belongs::Anyone(_) => Truth::Perhaps,
        }
    }

    /// Why [`Ready::is_of`] is not certain.
    pub fn doubt(&self) -> Option<&Rc<Gap>> {
        match &self.belongs {
            Belongs::To(_) => None,
            Belongs::Perhaps { gap, .. } | Belongs::Anyone(gap) => Some(gap),
        }
    }

    /// Whether the assignment confers a permission.
    pub fn holds(&self, permission: &Permission) -> Truth {
        match &self.confers {
            Confers::Anything => Truth::Perhaps,
            confers if confers.holds(permission) => Truth::Yes,
            Confers::Permissions(_) => Truth::No,
        }
    }
}
