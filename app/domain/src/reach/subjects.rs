//! The applications that are judged: all that were read, and those that something names.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    permission::{Meaning, Permission, meaning},
    reading::Why,
    reasons::{Gap, Part},
    seen::{Grant, Principal, Seen},
    set::Truth,
};
use crate::{
    id::{AppId, AppRoleId, ObjectId},
    permission::{Coverage, Resource},
};

/// A service principal, with what it holds in Entra.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub object: ObjectId,
    pub principal: Option<&'a Principal>,
    pub grants: Vec<Held>,
    /// What is missing where there is no `principal`.
    pub doubt: Option<Rc<Gap>>,
    /// The principals were read, and it is not among them: deleted, or too new.
    pub perhaps_gone: bool,
}

/// One grant that reaches mailboxes, or may.
#[derive(Debug)]
pub(super) struct Held {
    pub role: AppRoleId,
    pub permission: Permission,
    pub coverage: Coverage,
    /// Set where nobody told what the role is called.
    pub unnamed: Option<Rc<Gap>>,
}

impl Subject<'_> {
    pub fn app_id(&self) -> Option<AppId> {
        self.principal.map(|principal| principal.app_id)
    }

    /// Only when Entra says so: what is not known is taken for switched on.
    pub fn is_disabled(&self) -> bool {
        self.principal
            .is_some_and(|principal| principal.enabled == Some(false))
    }

    pub const fn exists(&self) -> Truth {
        if self.perhaps_gone {
            Truth::Perhaps
        } else {
            Truth::Yes
        }
    }
}

/// All subjects by object id.
#[derive(Debug)]
pub(super) struct Subjects<'a> {
    list: BTreeMap<ObjectId, Subject<'a>>,
    /// Why the principals are not known.
    unread: Option<Rc<Gap>>,
    /// Those that an earlier scan read, where this one could not: what never changes of them.
    kept: BTreeMap<ObjectId, &'a Principal>,
    /// There may be more than are listed.
    partial: bool,
    /// Why the grants of each resource are not known.
    grants_unread: Vec<(Resource, Rc<Gap>)>,
}

impl<'a> Subjects<'a> {
    /// `named`: objects that role assignments name.
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
        };
        match seen.principals.get() {
            Ok(principals) => {
                for principal in principals {
                    let subject = Subject {
                        object: principal.object,
                        principal: Some(principal),
                        grants: Vec::new(),
                        doubt: None,
                        perhaps_gone: false,
                    };
                    subjects.list.insert(principal.object, subject);
                }
            }
            Err(why) => subjects.unread = Some(gap(Part::Principals, why)),
        }
        for resource in Resource::ALL {
            let reading = seen.grants(resource);
            match reading.get() {
                Ok(grants) => subjects.hold(resource, grants),
                // Without Exchange there is no resource whose roles anybody could hold.
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
        for object in named {
            subjects.entry(object);
        }
        for subject in subjects.list.values_mut() {
            subject.grants.sort_by(|one, other| {
                (&one.permission, one.role).cmp(&(&other.permission, other.role))
            });
            subject.grants.dedup_by(|one, other| {
                (&one.permission, one.role) == (&other.permission, other.role)
            });
        }
        subjects
    }

    fn hold(&mut self, resource: Resource, grants: &[Grant]) {
        for grant in grants {
            let role = grant.role;
            let (permission, coverage, unnamed) = match meaning(resource, grant) {
                Meaning::Elsewhere => continue,
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
            });
        }
    }

    fn entry(&mut self, object: ObjectId) -> &mut Subject<'a> {
        let (unread, kept) = (&self.unread, &self.kept);
        self.list
            .entry(object)
            .or_insert_with(|| match kept.get(&object) {
                Some(principal) => Subject {
                    object,
                    principal: Some(*principal),
                    grants: Vec::new(),
                    doubt: None,
                    perhaps_gone: false,
                },
                None => Self::stranger(object, unread.as_ref()),
            })
    }

    /// A principal of which nothing but its object id is known.
    fn stranger(object: ObjectId, unread: Option<&Rc<Gap>>) -> Subject<'a> {
        Subject {
            object,
            principal: None,
            grants: Vec::new(),
            doubt: Some(unread.cloned().unwrap_or_else(|| {
                Rc::new(Gap {
                    part: Part::Principal { object },
                    why: Why::Missing,
                })
            })),
            perhaps_gone: unread.is_none(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Subject<'a>> {
        self.list.values()
    }

    pub fn get(&self, object: ObjectId) -> Option<&Subject<'a>> {
        self.list.get(&object)
    }

    /// A principal that nothing names: nobody when all of them were read.
    pub fn unlisted(&self, object: ObjectId) -> Option<Subject<'a>> {
        (self.partial || self.unread.is_some())
            .then(|| Self::stranger(object, self.unread.as_ref()))
    }

    pub const fn unread(&self) -> Option<&Rc<Gap>> {
        self.unread.as_ref()
    }

    pub fn grants_unread(&self) -> &[(Resource, Rc<Gap>)] {
        &self.grants_unread
    }
}
