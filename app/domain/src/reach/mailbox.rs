//! The answer for one mailbox: the rules one after the other, as Microsoft states them
//! (MICROSOFT.md §2.4, §3.5). This code is separate from the answer for the whole tenant, which
//! works on sets, so that each can be tested against the other.

use std::{collections::BTreeSet, rc::Rc};

use uuid::Uuid;

use super::{
    answer::Note,
    assignments,
    gates::Gate,
    judge::Judge,
    permission::Permission,
    policies,
    reading::Why,
    reasons::{Access, Because, Gap, May, Part, Verdict},
    set::{Span, Truth},
    subjects::Subject,
};
use crate::{
    application::AccessRight,
    id::{AppRoleId, ObjectId},
    permission::{Coverage, Place},
};

/// The mailbox of the question.
struct Spot {
    position: Option<u32>,
    /// Set where the mailbox is not in the list of mailboxes, so its memberships are not known.
    unlisted: Option<Rc<Gap>>,
}

impl Spot {
    fn is_in(&self, span: &Span) -> Truth {
        match self.unlisted {
            Some(_) if span.lo.is_everything() => Truth::Yes,
            Some(_) => Truth::Perhaps,
            None => span.holds(self.position),
        }
    }

    /// Why [`Spot::is_in`] is not certain.
    fn doubts<'a>(&'a self, span: &'a Span) -> impl Iterator<Item = Because> + 'a {
        self.unlisted.iter().chain(&span.gaps).map(not_known)
    }
}

fn not_known(gap: &Rc<Gap>) -> Because {
    Because::NotKnown {
        gap: Gap::clone(gap),
    }
}

/// Reasons, by the verdict that they support.
#[derive(Default)]
struct Findings {
    allowed: BTreeSet<Because>,
    unknown: BTreeSet<Because>,
    refused: BTreeSet<Because>,
}

impl Findings {
    fn put(&mut self, truth: Truth, reasons: impl IntoIterator<Item = Because>) {
        match truth {
            Truth::Yes => self.allowed.extend(reasons),
            Truth::Perhaps => self.unknown.extend(reasons),
            Truth::No => self.refused.extend(reasons),
        }
    }
}

impl Judge<'_> {
    /// Whether an application may use a permission on a mailbox, and why.
    pub fn may(&self, application: ObjectId, permission: &Permission, mailbox: ObjectId) -> May {
        let stranger;
        let subject = match self.subjects.get(application) {
            Some(subject) => subject,
            None => match self.subjects.unlisted(application) {
                Some(unlisted) => {
                    stranger = unlisted;
                    &stranger
                }
                None => return refused([Because::NoPrincipal]),
            },
        };
        if subject.is_disabled() {
            return refused([Because::Disabled]);
        }
        let place = self.place(mailbox);
        let mut findings = Findings::default();
        let gate = (*permission == Permission::EWS).then(|| self.gates.ews(subject));
        if let Some(Gate::Closed(note)) = &gate {
            return refused([match note {
                Note::EwsOff => Because::EwsOff,
                _ => Because::EwsNotListed,
            }]);
        }
        self.by_entra(subject, permission, &place, &mut findings);
        self.by_exchange(subject, permission, &place, &mut findings);
        if let Some(Gate::Unknown(gap)) = &gate
            && !findings.allowed.is_empty()
        {
            findings.unknown.insert(not_known(gap));
            findings.allowed.clear();
        }
        if !findings.allowed.is_empty() && subject.exists() == Truth::Perhaps {
            findings.unknown.extend(subject.doubt.iter().map(not_known));
            findings.allowed.clear();
        }
        let (verdict, because) = if !findings.allowed.is_empty() {
            (Verdict::Allowed, findings.allowed)
        } else if !findings.unknown.is_empty() {
            (Verdict::Unknown, findings.unknown)
        } else if findings.refused.is_empty() {
            return refused([Because::NotHeld]);
        } else {
            (Verdict::Refused, findings.refused)
        };
        May {
            verdict,
            because: because.into_iter().collect(),
        }
    }

    /// All uses of a permission on a mailbox that are allowed or cannot be ruled out. Allowed ones
    /// come first, then the worst permission.
    pub fn who(&self, mailbox: ObjectId) -> Vec<Access> {
        let place = self.place(mailbox);
        let mut found = Vec::new();
        for subject in self.subjects.iter() {
            for permission in self.permissions(subject) {
                let may = self.may(subject.object, &permission, mailbox);
                if may.verdict != Verdict::Refused {
                    found.push(Access {
                        application: subject.object,
                        permission: Some(permission),
                        may,
                    });
                }
            }
            let others = self.others(subject);
            if place.is_in(&others) > Truth::No && !others.is_exact() {
                found.push(Access {
                    application: subject.object,
                    permission: None,
                    may: May {
                        verdict: Verdict::Unknown,
                        because: place
                            .doubts(&others)
                            .collect::<BTreeSet<_>>()
                            .into_iter()
                            .collect(),
                    },
                });
            }
        }
        found.sort_by(|one, other| {
            let key = |access: &Access| (access.may.verdict, access.permission.is_none());
            key(one)
                .cmp(&key(other))
                .then_with(|| one.permission.cmp(&other.permission))
                .then_with(|| one.application.cmp(&other.application))
        });
        found
    }

    fn place(&self, mailbox: ObjectId) -> Spot {
        let position = self.index.position(mailbox);
        Spot {
            position,
            unlisted: (self.index.complete && position.is_none()).then(|| {
                Rc::new(Gap {
                    part: Part::Mailbox { object: mailbox },
                    why: Why::Missing,
                })
            }),
        }
    }

    /// Grants in Entra, narrowed by policies where policies govern them.
    fn by_entra(
        &self,
        subject: &Subject<'_>,
        permission: &Permission,
        place: &Spot,
        findings: &mut Findings,
    ) {
        for held in &subject.grants {
            if let Some(gap) = &held.unnamed {
                let could_be =
                    held.permission.resource == permission.resource && !permission.has_certain_id();
                if could_be && permission.needs_rights() {
                    // If the unnamed role is this permission, it opens no more than a named grant
                    // would.
                    let (truth, mut reasons) =
                        self.own_mailboxes(subject, permission, place, held.role);
                    if truth > Truth::No {
                        reasons.retain(|reason| matches!(reason, Because::NotKnown { .. }));
                        reasons.push(not_known(gap));
                    }
                    findings.put(truth.min(Truth::Perhaps), reasons);
                } else if could_be || held.permission == *permission {
                    findings.put(Truth::Perhaps, [not_known(gap)]);
                }
            } else if held.permission == *permission {
                let role = held.role;
                match held.coverage {
                    Coverage::Beyond
                        if permission.needs_rights() || permission.place() != Place::Mailboxes =>
                    {
                        let (truth, reasons) = self.own_mailboxes(subject, permission, place, role);
                        findings.put(truth, reasons);
                    }
                    Coverage::Beyond => {
                        findings.put(Truth::Yes, [Because::GrantNotGoverned { role }]);
                    }
                    Coverage::Policy => {
                        let (truth, reasons) = self.policies_allow(subject, place, role);
                        findings.put(truth, reasons);
                    }
                }
            }
        }
        if let Some(gap) = self.subjects.inherited_unread_for(subject) {
            findings.put(Truth::Perhaps, [not_known(gap)]);
        }
        for (resource, gap) in self.subjects.grants_unread() {
            if *resource != permission.resource {
                continue;
            }
            let nobody = AppRoleId(Uuid::nil());
            let (truth, mut reasons) = match permission.unseen_coverage() {
                Coverage::Beyond
                    if permission.needs_rights() || permission.place() != Place::Mailboxes =>
                {
                    self.own_mailboxes(subject, permission, place, nobody)
                }
                Coverage::Beyond => (Truth::Yes, Vec::new()),
                // Refusals by policies name no role, and the reasons that do are removed below.
                Coverage::Policy => self.policies_allow(subject, place, nobody),
            };
            if truth > Truth::No {
                reasons.retain(|reason| matches!(reason, Because::NotKnown { .. }));
                reasons.push(not_known(gap));
            }
            findings.put(truth.min(Truth::Perhaps), reasons);
        }
    }

    /// What a grant with mailboxes of its own opens: those on which Exchange gives the service
    /// principal rights, or those of a kind.
    fn own_mailboxes(
        &self,
        subject: &Subject<'_>,
        permission: &Permission,
        place: &Spot,
        role: AppRoleId,
    ) -> (Truth, Vec<Because>) {
        let by_kind = self.gates.of_place(permission);
        let of_kind = by_kind.is_some();
        let span = by_kind.unwrap_or_else(|| self.gates.by_rights(subject, permission));
        let inside = place.is_in(&span);
        let reasons = match (inside, of_kind) {
            (Truth::Yes, true) => vec![Because::GrantForKind { role }],
            (Truth::Yes, false) => vec![Because::GrantWithRight { role }],
            (Truth::No, true) => vec![Because::OtherKind { role }],
            (Truth::No, false) => vec![Because::NoRight { role }],
            (Truth::Perhaps, _) => place.doubts(&span).collect(),
        };
        (inside, reasons)
    }

    /// Exchange's roles, each with its scope.
    fn by_exchange(
        &self,
        subject: &Subject<'_>,
        permission: &Permission,
        place: &Spot,
        findings: &mut Findings,
    ) {
        if let Some(gap) = self.assignments.unread_for(subject) {
            findings.put(Truth::Perhaps, [not_known(gap)]);
        }
        for ready in &self.assignments.list {
            let ready: &assignments::Ready<'_> = ready;
            let holds = ready.is_of(subject).min(ready.holds(permission));
            if holds == Truth::No {
                continue;
            }
            let assignment = ready.assignment.name.clone();
            if !ready.assignment.enabled {
                findings.put(Truth::No, [Because::AssignmentDisabled { assignment }]);
                continue;
            }
            let inside = place.is_in(&ready.reaches);
            match holds.min(inside) {
                Truth::Yes => findings.put(Truth::Yes, [Because::Assignment { assignment }]),
                Truth::No => findings.put(Truth::No, [Because::OutsideScope { assignment }]),
                Truth::Perhaps => {
                    if inside == Truth::Perhaps {
                        findings.put(Truth::Perhaps, place.doubts(&ready.reaches));
                    }
                    if ready.is_of(subject) == Truth::Perhaps {
                        findings.put(Truth::Perhaps, ready.doubt().map(not_known));
                    }
                    findings.put(Truth::Perhaps, ready.role_gap.as_ref().map(not_known));
                }
            }
        }
    }

    /// What policies decide on a governed grant for one mailbox, in Microsoft's order: a DenyAccess
    /// policy that matches; a RestrictAccess policy that matches; RestrictAccess policies of which
    /// none matches; no policy.
    fn policies_allow(
        &self,
        subject: &Subject<'_>,
        place: &Spot,
        role: AppRoleId,
    ) -> (Truth, Vec<Because>) {
        let policies = match &self.policies.0 {
            Ok(policies) => policies,
            Err(gap) => return (Truth::Perhaps, vec![not_known(gap)]),
        };
        let mut missing = Vec::new();
        let mut denied = Truth::No;
        let mut restricted = Truth::No;
        let mut in_one = Truth::No;
        let mut in_each = Truth::Yes;
        let (mut matching, mut outside) = (Vec::new(), Vec::new());
        for ready in policies {
            let ready: &policies::Ready<'_> = ready;
            let applies = ready.applies(subject);
            if applies == Truth::No {
                continue;
            }
            let inside = place.is_in(&ready.covers);
            let identity = || ready.policy.identity.clone();
            if applies == Truth::Perhaps {
                missing.extend(ready.doubts(subject).iter().map(not_known));
            }
            if inside == Truth::Perhaps {
                missing.extend(place.doubts(&ready.covers));
            }
            match (ready.policy.right, applies.min(inside)) {
                (AccessRight::DenyAccess, Truth::Yes) => {
                    let policy = identity();
                    return (Truth::No, vec![Because::DeniedByPolicy { policy }]);
                }
                (AccessRight::DenyAccess, matches) => denied = denied.max(matches),
                (AccessRight::RestrictAccess, matches) => {
                    restricted = restricted.max(applies);
                    in_one = in_one.max(matches);
                    in_each = in_each.min(inside);
                    if inside == Truth::Yes {
                        matching.push(Because::GrantInPolicy {
                            role,
                            policy: identity(),
                        });
                    } else {
                        outside.push(identity());
                    }
                }
            }
        }
        let (allowed, reasons) = if restricted == Truth::No {
            (Truth::Yes, vec![Because::GrantUnrestricted { role }])
        } else if in_one == Truth::Yes || in_each == Truth::Yes {
            // The mailbox is in a RestrictAccess policy that is in force, or in each one that may
            // be in force.
            (Truth::Yes, matching)
        } else if restricted == Truth::Perhaps || in_one == Truth::Perhaps {
            (Truth::Perhaps, missing.clone())
        } else {
            (
                Truth::No,
                vec![Because::OutsidePolicies { policies: outside }],
            )
        };
        if allowed > Truth::No && denied == Truth::Perhaps {
            return (Truth::Perhaps, missing);
        }
        (allowed, reasons)
    }
}

fn refused(because: impl IntoIterator<Item = Because>) -> May {
    May {
        verdict: Verdict::Refused,
        because: because.into_iter().collect(),
    }
}
