//! The answers for the whole tenant.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use uuid::{Uuid, uuid};

use super::{
    answer::{
        Answer, ApplicationReach, AssignmentNode, Extent, GrantFate, Level, Narrowing, Owner,
        PermissionReach, PolicyNode, Reach, Route,
    },
    around::Found,
    gates::Gate,
    judge::{self, Judge},
    lists::Lists,
    members::find_scope,
    permission::Permission,
    policies::Narrowed,
    powers::Powers,
    reasons::{Gap, Part},
    rights::DelegatedGrant,
    roles::Confers,
    seen::{AssignmentScope, Principal, PrincipalKind},
    set::{Span, Truth},
    subjects::Subject,
};
use crate::{
    id::ObjectId,
    permission::{Coverage, Place, Resource},
};

/// The tenants of Microsoft's own applications: that of its services, and the company's.
const MICROSOFT: [Uuid; 2] = [
    uuid!("f8cdef31-a31e-4b4a-93e4-5f571e91255a"),
    uuid!("72f988bf-86f1-41af-91ab-2d7cd011db47"),
];

impl Judge<'_> {
    /// What every application can reach, and why.
    pub fn reach(&self) -> Reach {
        let mut lists = Lists::default();
        let policies = self
            .policies
            .0
            .iter()
            .flatten()
            .map(|ready| PolicyNode {
                identity: ready.policy.identity.clone(),
                app_id: ready.policy.app_id,
                right: ready.policy.right,
                scope: ready.policy.scope_object,
                scope_name: ready.policy.scope_name.clone(),
                valid: ready.policy.valid,
                covers: lists.answer(&ready.covers),
            })
            .collect();
        let assignments = self
            .assignments
            .list
            .iter()
            .map(|ready| AssignmentNode {
                name: ready.assignment.name.clone(),
                role: ready.assignment.role.clone(),
                scope: ready.assignment.scope.clone(),
                exclusive: self.is_exclusive(&ready.assignment.scope),
                enabled: ready.assignment.enabled,
                covers: lists.answer(&ready.reaches),
            })
            .collect();
        let applications = self.applications(&mut lists);
        let unlisted = lists.answer(&self.unlisted());
        let powers_unseen = lists.gaps_of(&self.unlisted_powers_unseen());
        let delegated_unseen: Vec<_> = (self.seen.rights.delegated.get().err())
            .map(|why| {
                let part = Part::Delegated;
                Rc::new(Gap { part, why })
            })
            .into_iter()
            .collect();
        let delegated_unseen = lists.gaps_of(&delegated_unseen);
        let (mailboxes, sets) = lists.sets(&self.index);
        Reach {
            without_exchange: self.seen.has_no_exchange(),
            mailbox_count: if self.index.complete {
                u32::try_from(self.index.len()).ok()
            } else {
                self.seen.has_no_exchange().then_some(0)
            },
            powers_unseen,
            delegated_unseen,
            stray_policies: self.stray_policies(),
            mailboxes,
            sets,
            policies,
            assignments,
            gaps: lists.gaps(),
            applications,
            unlisted,
        }
    }

    fn is_exclusive(&self, scope: &AssignmentScope) -> bool {
        match (scope, self.seen.scopes.get()) {
            (AssignmentScope::Custom { name }, Ok(scopes)) => {
                find_scope(scopes, name).is_some_and(|scope| scope.exclusive)
            }
            _ => false,
        }
    }

    /// The permissions that an application holds, or may hold.
    pub(super) fn permissions(&self, subject: &Subject<'_>) -> BTreeSet<Permission> {
        let granted = subject.grants.iter().map(|held| held.permission.clone());
        let assigned = self
            .assignments
            .list
            .iter()
            .filter(|ready| ready.is_of(subject) > Truth::No)
            .flat_map(|ready| match &ready.confers {
                Confers::Permissions(list) => list.clone(),
                Confers::Anything => Vec::new(),
            });
        granted.chain(assigned).collect()
    }

    /// The applications that hold something, or may hold something.
    fn applications(&self, lists: &mut Lists) -> Vec<ApplicationReach> {
        let mut delegated: BTreeMap<ObjectId, Vec<DelegatedGrant>> = BTreeMap::new();
        for grant in judge::delegated(self.seen) {
            delegated
                .entry(grant.client)
                .or_default()
                .push(grant.clone());
        }
        let strays = self.stray_policies();
        let mut drafts: Vec<(&Subject<'_>, ApplicationReach, Found)> = self
            .subjects
            .iter()
            .map(|subject| {
                let found = self.powers(subject);
                (subject, self.application(subject, lists), found)
            })
            .collect();
        let worth = self.worth(&drafts);
        let of = |owned: ObjectId| worth.get(&owned).copied().unwrap_or(Truth::Perhaps);
        for (subject, application, found) in &mut drafts {
            self.by_ownership(subject, &of, found);
            let mut held = std::mem::take(&mut found.held).into_iter().collect();
            if subject.is_disabled() {
                std::mem::swap(&mut application.powers.dormant, &mut held);
            } else {
                application.powers.gaps = lists.gaps_of(&found.gaps);
            }
            application.powers.held = held;
            application.delegated = delegated.remove(&subject.object).unwrap_or_default();
            application.delegated.sort();
            application.notes = self.notes(subject, application, &found.notes, &strays);
        }
        drafts
            .into_iter()
            .map(|(_, application, _)| application)
            .filter(|one| {
                !one.permissions.is_empty()
                    || one.others != Answer::Nothing
                    || !one.powers.is_none()
                    || !one.delegated.is_empty()
            })
            .collect()
    }

    /// How much a person wins by signing in as each application: a power or a permission for
    /// certain, perhaps, or nothing. What the application itself owns is included.
    fn worth(
        &self,
        drafts: &[(&Subject<'_>, ApplicationReach, Found)],
    ) -> BTreeMap<ObjectId, Truth> {
        let mut worth: BTreeMap<ObjectId, Truth> = drafts
            .iter()
            .map(|(subject, application, found)| {
                let off = subject.is_disabled();
                let certain = found.held.iter().any(|power| !power.perhaps);
                let level = if off {
                    self.level_switched_on(subject)
                } else {
                    application.level()
                };
                let own = match level {
                    _ if certain => Truth::Yes,
                    Level::Unknown => Truth::Perhaps,
                    Level::Nothing if found.held.is_empty() && found.gaps.is_empty() => Truth::No,
                    Level::Nothing => Truth::Perhaps,
                    _ => Truth::Yes,
                };
                // The owner of an application that is switched off may be able to switch it on.
                let most = if off { Truth::Perhaps } else { Truth::Yes };
                (subject.object, own.min(most))
            })
            .collect();
        loop {
            let mut changed = false;
            for (subject, ..) in drafts {
                let most = self
                    .around
                    .owned(subject.object)
                    .map(|owned| worth.get(&owned).copied().unwrap_or(Truth::Perhaps))
                    .max();
                if let (Some(most), Some(own)) = (most, worth.get_mut(&subject.object))
                    && most > *own
                {
                    *own = most;
                    changed = true;
                }
            }
            if !changed {
                return worth;
            }
        }
    }

    /// The level of the permissions of an application that is switched off, as if it were on.
    fn level_switched_on(&self, subject: &Subject<'_>) -> Level {
        let on = subject.principal.map(|principal| Principal {
            enabled: None,
            ..principal.clone()
        });
        let on = Subject {
            principal: on.as_ref(),
            ..subject.clone()
        };
        self.application(&on, &mut Lists::default()).level()
    }

    fn application(&self, subject: &Subject<'_>, lists: &mut Lists) -> ApplicationReach {
        let permissions = self.permissions(subject);
        let others = lists.answer(&self.others(subject));
        let narrowed = self.policies.narrow(subject);
        let governed = |resource: Resource| {
            subject
                .grants
                .iter()
                .any(|held| held.coverage == Coverage::Policy)
                || self
                    .subjects
                    .grants_unread()
                    .iter()
                    .any(|(unread, _)| *unread == resource)
        };
        let listed = !permissions.is_empty() || others != Answer::Nothing;
        let narrowing = (listed && Resource::ALL.into_iter().any(governed)).then(|| Narrowing {
            deny: narrowed.deny.clone(),
            restrict: narrowed.restrict.clone(),
            leaves: lists.answer(&narrowed.leaves),
        });
        let permissions: Vec<PermissionReach> = permissions
            .into_iter()
            .map(|permission| self.one(subject, permission, &narrowed, lists))
            .collect();
        let principal = subject.principal;
        ApplicationReach {
            object: subject.object,
            app_id: subject.app_id(),
            name: principal.map(|principal| principal.name.clone()),
            owner: principal.map_or(Owner::NotTold, owner),
            kind: principal.map(|principal| principal.kind.clone()),
            publisher: principal.and_then(|principal| principal.publisher.clone()),
            enabled: principal.and_then(|principal| principal.enabled),
            narrowing,
            notes: Vec::new(),
            permissions,
            others,
            powers: Powers::default(),
            delegated: Vec::new(),
        }
    }

    /// The answer for a permission: what is left of the routes, in terms of the customer's
    /// mailboxes.
    fn answer(&self, permission: &Permission, span: &Span, lists: &mut Lists) -> Answer {
        match (lists.answer(span), permission.place()) {
            (Answer::ConfinedTo { mailboxes }, Place::Groups | Place::Bookings) => {
                Answer::AllOfKind { mailboxes }
            }
            (Answer::ConfinedTo { mailboxes }, _) if self.gates.is_everybody(&span.lo) => {
                Answer::Everyone { mailboxes }
            }
            // It is known which mailboxes these are, but not whether they are all.
            (Answer::ConfinedTo { mailboxes }, _) => match &self.index.unread {
                None => Answer::ConfinedTo { mailboxes },
                Some(why) => Answer::Unknown {
                    at_least: Extent::Only { mailboxes },
                    at_most: Extent::Only { mailboxes },
                    gaps: lists.gaps_of(&[Rc::new(Gap {
                        part: Part::Mailboxes,
                        why: why.clone(),
                    })]),
                },
            },
            (answer, _) => answer,
        }
    }

    fn one(
        &self,
        subject: &Subject<'_>,
        permission: Permission,
        narrowed: &Narrowed,
        lists: &mut Lists,
    ) -> PermissionReach {
        let mut all = Span::nothing();
        let mut routes = Vec::new();
        for held in &subject.grants {
            let own = held.permission == permission;
            let span = match &held.unnamed {
                Some(gap) if own => Span::unknown(gap),
                Some(gap)
                    if held.permission.resource == permission.resource
                        && !permission.has_certain_id() =>
                {
                    let span = self.gates.of_unnamed(subject, &permission, gap);
                    all.add(&span);
                    routes.push(lists.unseen(gap, &span));
                    continue;
                }
                None if own => self.gates.of_held(subject, held, narrowed),
                _ => continue,
            };
            all.add(&span);
            routes.push(Route::Grant {
                role: held.role,
                fate: match (&held.unnamed, held.coverage) {
                    (Some(_), _) => GrantFate::Unnamed,
                    (None, Coverage::Beyond) => GrantFate::NotGoverned,
                    (None, Coverage::Policy) if self.policies.0.is_err() => {
                        GrantFate::PoliciesNotRead
                    }
                    (None, Coverage::Policy)
                        if narrowed.deny.is_empty() && narrowed.restrict.is_empty() =>
                    {
                        GrantFate::NoPolicy
                    }
                    (None, Coverage::Policy) => GrantFate::Narrowed,
                },
                leaves: lists.answer(&span),
            });
        }
        for (resource, gap) in self.subjects.grants_unread() {
            if *resource == permission.resource {
                let span = self
                    .gates
                    .of_grant(subject, &permission, permission.unseen_coverage(), narrowed)
                    .perhaps(std::slice::from_ref(gap));
                all.add(&span);
                routes.push(lists.unseen(gap, &span));
            }
        }
        if let Some(gap) = self.subjects.inherited_unread_for(subject) {
            all.add(&Span::unknown(gap));
            routes.push(lists.unseen(gap, &Span::unknown(gap)));
        }
        if let Some(gap) = self.assignments.unread_for(subject) {
            all.add(&Span::unknown(gap));
            routes.push(lists.unseen(gap, &Span::unknown(gap)));
        }
        for (ready, position) in self.assignments.list.iter().zip(0_u32..) {
            let certain = ready.is_of(subject).min(ready.holds(&permission));
            if certain == Truth::No {
                continue;
            }
            let span = if !ready.assignment.enabled {
                Span::nothing()
            } else if certain == Truth::Yes {
                ready.reaches.clone()
            } else {
                let doubts: Vec<_> = ready
                    .doubt()
                    .into_iter()
                    .chain(&ready.role_gap)
                    .cloned()
                    .collect();
                ready.reaches.perhaps(&doubts)
            };
            all.add(&span);
            routes.push(Route::Assignment {
                assignment: position,
                leaves: lists.answer(&span),
            });
        }
        if subject.exists() == Truth::Perhaps {
            all = all.perhaps(subject.doubt.as_slice());
        }
        let gate = (permission == Permission::EWS).then(|| self.gates.ews(subject));
        if let Some(Gate::Unknown(gap)) = &gate {
            all = all.perhaps(std::slice::from_ref(gap));
        }
        let answer = self.answer(&permission, &all, lists);
        let off = subject.is_disabled() || matches!(gate, Some(Gate::Closed(_)));
        let (answer, once_enabled) = if off {
            (Answer::Nothing, Some(answer))
        } else {
            (answer, None)
        };
        PermissionReach {
            permission,
            answer,
            once_enabled,
            routes,
        }
    }
}

pub(super) fn owner(principal: &Principal) -> Owner {
    match (&principal.kind, principal.owner_tenant) {
        (PrincipalKind::ManagedIdentity, _) => Owner::ManagedIdentity,
        (_, Some(tenant)) if MICROSOFT.contains(&tenant.0) => Owner::Microsoft,
        (_, Some(tenant)) => Owner::Tenant { tenant },
        (_, None) => Owner::NotTold,
    }
}
