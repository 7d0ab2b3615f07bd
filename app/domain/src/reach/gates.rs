//! Decides what does not follow from grants, roles and policies: rights on mailboxes for IMAP, POP
//! and SMTP (MICROSOFT.md §2.6), the organisation's switch for EWS (§2.8), and the kinds of
//! mailboxes.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    answer::Note,
    members::Index,
    permission::Permission,
    policies::Narrowed,
    reading::Why,
    reasons::{Gap, Part},
    rights::MailboxRightKind,
    seen::{MailboxKind, Seen},
    set::{Set, Span},
    subjects::{Held, Subject},
};
use crate::{
    id::ObjectId,
    permission::{Coverage, Place},
};

/// What the switch for EWS means for an application.
#[derive(Debug)]
pub(super) enum Gate {
    Open(Option<Note>),
    /// The application reaches nothing through EWS now, and everything again as soon as somebody
    /// switches EWS on.
    Closed(Note),
    Unknown(Rc<Gap>),
}

/// Rights, switch and kinds, prepared once.
#[derive(Debug)]
pub(super) struct Gates<'a> {
    seen: &'a Seen,
    /// The mailboxes with full access and with the right to send, by holder.
    rights: BTreeMap<ObjectId, (Set, Set)>,
    rights_gap: Option<Rc<Gap>>,
    groups: Span,
    bookings: Span,
    /// Every person's mailbox, or every mailbox where there is no person's. None: the list of
    /// mailboxes is not complete, or there is only one mailbox.
    everyone: Option<Set>,
    /// Every listed mailbox, also those that are no person's.
    all: Set,
}

impl<'a> Gates<'a> {
    pub fn new(seen: &'a Seen, index: &Index) -> Self {
        let gap = |part, why| Rc::new(Gap { part, why });
        let reading = &seen.rights.mailbox_rights;
        let mut lists: BTreeMap<ObjectId, (Vec<ObjectId>, Vec<ObjectId>)> = BTreeMap::new();
        for right in reading
            .get()
            .ok()
            .or_else(|| reading.kept())
            .into_iter()
            .flatten()
        {
            let (full, send) = lists.entry(right.holder).or_default();
            match right.right {
                MailboxRightKind::FullAccess => full.push(right.mailbox),
                MailboxRightKind::SendAs => send.push(right.mailbox),
            }
        }
        let of_kind = |kind| match (&seen.special, index.complete) {
            _ if seen.has_no_exchange() => Span::nothing(),
            (Some(special), true) => {
                let list: Vec<ObjectId> = special
                    .iter()
                    .filter(|(_, own)| *own == kind)
                    .map(|(object, _)| *object)
                    .collect();
                Span::exact(index.set(&list))
            }
            _ => Span::unknown(&gap(
                Part::Kinds,
                seen.mailboxes.get().err().unwrap_or(Why::Missing),
            )),
        };
        let all = index.everything();
        let people = seen.special.as_ref().map_or_else(
            || all.clone(),
            |special| {
                let special: Vec<ObjectId> = special.iter().map(|(object, _)| *object).collect();
                all.minus(&index.set(&special))
            },
        );
        // With no person's mailbox at all, “everybody” means every mailbox. With a single mailbox,
        // an application that is confined to it counts as confined.
        let everyone = if people == Set::nothing() {
            all.clone()
        } else {
            people
        };
        Self {
            seen,
            rights: lists
                .into_iter()
                .map(|(holder, (full, send))| (holder, (index.set(&full), index.set(&send))))
                .collect(),
            rights_gap: reading.get().err().map(|why| gap(Part::MailboxRights, why)),
            groups: of_kind(MailboxKind::Group),
            bookings: of_kind(MailboxKind::Scheduling),
            everyone: (index.complete && index.len() > 1).then_some(everyone),
            all,
        }
    }

    /// Whether a confinement to this set includes everybody at present.
    pub fn is_everybody(&self, set: &Set) -> bool {
        !set.inverted
            && self.everyone.as_ref().is_some_and(|everyone| {
                everyone.minus(set) == Set::nothing()
                    && (everyone.listed().nth(1).is_some() || self.all.minus(set) == Set::nothing())
            })
    }

    /// The mailboxes on which Exchange gives an application the rights that the permission needs.
    pub fn by_rights(&self, subject: &Subject<'_>, permission: &Permission) -> Span {
        if self.seen.has_no_exchange() {
            return Span::nothing();
        }
        let none = (Set::nothing(), Set::nothing());
        let (full, send) = self.rights.get(&subject.object).unwrap_or(&none);
        let (lo, hi) = if permission.is_smtp() {
            (full.intersection(send), full.union(send))
        } else {
            (full.clone(), full.clone())
        };
        if let Some(gap) = &self.rights_gap {
            if self.has_no_pointer(subject) {
                return Span::nothing();
            }
            return Span {
                lo,
                hi: Set::everything(),
                gaps: vec![Rc::clone(gap)],
            };
        }
        let mut gaps = Vec::new();
        if lo != hi {
            let part = Part::SmtpRight;
            let why = Why::NotUnderstood;
            gaps.push(Rc::new(Gap { part, why }));
        }
        Span { lo, hi, gaps }
    }

    /// Whether Exchange has no pointer for the application, so that nobody can have given it a
    /// right.
    pub fn has_no_pointer(&self, subject: &Subject<'_>) -> bool {
        self.seen
            .pointers
            .get()
            .is_ok_and(|pointers| pointers.iter().all(|one| one.object != subject.object))
    }

    /// What the organisation's switch and list for EWS mean for an application.
    pub fn ews(&self, subject: &Subject<'_>) -> Gate {
        let switch = match self.seen.rights.ews.get() {
            Ok(switch) => switch,
            Err(_) if self.seen.has_no_exchange() => return Gate::Open(None),
            Err(why) => {
                let part = Part::Ews;
                return Gate::Unknown(Rc::new(Gap { part, why }));
            }
        };
        match (switch.enabled, &switch.allowed, subject.app_id()) {
            (Some(false), ..) => Gate::Closed(Note::EwsOff),
            (None, ..) => Gate::Open(Some(Note::EwsNotSet)),
            (Some(true), None, _) => Gate::Open(None),
            (Some(true), Some(list), _) if list.is_empty() => Gate::Open(Some(Note::EwsListEmpty)),
            (Some(true), Some(list), Some(own)) if list.contains(&own) => {
                Gate::Open(Some(Note::EwsListed))
            }
            (Some(true), Some(_), Some(_)) => Gate::Closed(Note::EwsNotListed),
            (Some(true), Some(_), None) => {
                Gate::Unknown(subject.doubt.clone().unwrap_or_else(|| {
                    let object = subject.object;
                    Rc::new(Gap {
                        part: Part::Principal { object },
                        why: Why::Missing,
                    })
                }))
            }
        }
    }

    /// The mailboxes of the permission's kind. None: the permission is about all mailboxes.
    pub fn of_place(&self, permission: &Permission) -> Option<Span> {
        match permission.place() {
            Place::Mailboxes => None,
            Place::Groups => Some(self.groups.clone()),
            Place::Bookings => Some(self.bookings.clone()),
            Place::Elsewhere => Some(Span::everything()),
            Place::Unclear => Some(Span::unknown(&Rc::new(Gap {
                part: Part::Elsewhere {
                    value: permission.value.to_string(),
                },
                why: Why::NotUnderstood,
            }))),
        }
    }

    /// What a grant in Entra opens. The same holds for a grant that may exist unseen.
    pub fn of_grant(
        &self,
        subject: &Subject<'_>,
        permission: &Permission,
        coverage: Coverage,
        narrowed: &Narrowed,
    ) -> Span {
        match self.of_place(permission) {
            Some(span) => span,
            None if permission.needs_rights() => self.by_rights(subject, permission),
            None if coverage == Coverage::Policy => narrowed.leaves.clone(),
            None => Span::everything(),
        }
    }

    /// What a grant whose name is not known opens, if it is this permission: no more than a grant
    /// with the name would.
    pub fn of_unnamed(
        &self,
        subject: &Subject<'_>,
        permission: &Permission,
        gap: &Rc<Gap>,
    ) -> Span {
        if permission.needs_rights() {
            self.by_rights(subject, permission)
                .perhaps(std::slice::from_ref(gap))
        } else {
            Span::unknown(gap)
        }
    }

    /// What a grant that is held opens.
    pub fn of_held(&self, subject: &Subject<'_>, held: &Held, narrowed: &Narrowed) -> Span {
        self.of_grant(subject, &held.permission, held.coverage, narrowed)
    }
}
