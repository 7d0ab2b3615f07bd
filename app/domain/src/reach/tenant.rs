//! The answer for the whole tenant.

use std::collections::BTreeSet;

use uuid::{Uuid, uuid};

use super::{
    answer::{
        Answer, ApplicationReach, AssignmentNode, GrantFate, Level, Narrowing, Note, Owner,
        PermissionReach, PolicyNode, Reach, Route,
    },
    judge::Judge,
    lists::Lists,
    members::find_scope,
    permission::Permission,
    policies::Narrowed,
    powers::Powers,
    roles::Confers,
    seen::{AssignmentScope, Principal, PrincipalKind},
    set::{Span, Truth},
    subjects::Subject,
};
use crate::permission::{Coverage, Resource};

/// The tenants of Microsoft's own applications: services, and the company itself.
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
        let applications = self
            .subjects
            .iter()
            .filter_map(|subject| self.application(subject, &mut lists))
            .collect();
        let unlisted = lists.answer(&self.unlisted());
        let (mailboxes, sets) = lists.sets(&self.index);
        Reach {
            without_exchange: self.seen.has_no_exchange(),
            mailbox_count: if self.index.complete {
                u32::try_from(self.index.len()).ok()
            } else {
                self.seen.has_no_exchange().then_some(0)
            },
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

    /// The permissions that an application is known to hold, or may.
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

    fn application(&self, subject: &Subject<'_>, lists: &mut Lists) -> Option<ApplicationReach> {
        let permissions = self.permissions(subject);
        let others = lists.answer(&self.others(subject));
        if permissions.is_empty() && others == Answer::Nothing {
            return None;
        }
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
        let narrowing = Resource::ALL.into_iter().any(governed).then(|| Narrowing {
            deny: narrowed.deny.clone(),
            restrict: narrowed.restrict.clone(),
            leaves: lists.answer(&narrowed.leaves),
        });
        let permissions: Vec<PermissionReach> = permissions
            .into_iter()
            .map(|permission| self.one(subject, permission, &narrowed, lists))
            .collect();
        let principal = subject.principal;
        Some(ApplicationReach {
            object: subject.object,
            app_id: subject.app_id(),
            name: principal.map(|principal| principal.name.clone()),
            owner: principal.map_or(Owner::NotTold, owner),
            kind: principal.map(|principal| principal.kind.clone()),
            publisher: principal.and_then(|principal| principal.publisher.clone()),
            enabled: principal.and_then(|principal| principal.enabled),
            narrowing,
            notes: self.notes(subject, &permissions),
            permissions,
            others,
            powers: Powers::default(),
            delegated: Vec::new(),
        })
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
                    all.add(&Span::unknown(gap));
                    routes.push(lists.unseen(gap, &Span::unknown(gap)));
                    continue;
                }
                None if own && held.coverage == Coverage::Policy => narrowed.leaves.clone(),
                None if own => Span::everything(),
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
                let span = match permission.unseen_coverage() {
                    Coverage::Policy => narrowed.leaves.perhaps(std::slice::from_ref(gap)),
                    Coverage::Beyond => Span::unknown(gap),
                };
                all.add(&span);
                routes.push(lists.unseen(gap, &span));
            }
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
        let answer = lists.answer(&all);
        let (answer, once_enabled) = if subject.is_disabled() {
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

    fn notes(&self, subject: &Subject<'_>, permissions: &[PermissionReach]) -> Vec<Note> {
        let mut notes = BTreeSet::new();
        if subject.is_disabled() {
            notes.insert(Note::Disabled);
        }
        match subject.principal {
            Some(principal) => {
                if principal.enabled.is_none() {
                    notes.insert(Note::EnabledNotTold);
                }
                if owner(principal) == Owner::Microsoft {
                    notes.insert(Note::FirstParty);
                }
            }
            None if subject.perhaps_gone => {
                notes.insert(Note::NotAmongPrincipals);
            }
            None => {}
        }
        for object in self.assignments.wrong_pointers(subject) {
            notes.insert(Note::WrongPointer { object });
        }
        // As it is, or as it is going to be when somebody switches the principal on.
        let level =
            |one: &PermissionReach| one.once_enabled.as_ref().unwrap_or(&one.answer).level();
        for one in permissions {
            let open_grant = one.routes.iter().any(|route| {
                matches!(route, Route::Grant { leaves, .. } if *leaves == Answer::Unrestricted)
            });
            for route in &one.routes {
                let Route::Assignment { assignment, leaves } = route else {
                    continue;
                };
                let scoped = ![Level::Unrestricted, Level::Nothing].contains(&leaves.level());
                if open_grant
                    && scoped
                    && let Some(ready) = self.assignments.list.get(*assignment as usize)
                {
                    notes.insert(Note::ScopeWithoutEffect {
                        assignment: ready.assignment.name.clone(),
                    });
                }
            }
            let permission = &one.permission;
            if permission.is_retired_outlook() {
                notes.insert(Note::OnlyRemovable {
                    value: permission.value.to_string(),
                });
            }
            let is_ews = *permission == Permission::EWS;
            if is_ews && permissions.iter().any(|other| level(other) > level(one)) {
                notes.insert(Note::EwsOpensMore);
            }
        }
        notes.into_iter().collect()
    }
}

fn owner(principal: &Principal) -> Owner {
    match (&principal.kind, principal.owner_tenant) {
        (PrincipalKind::ManagedIdentity, _) => Owner::ManagedIdentity,
        (_, Some(tenant)) if MICROSOFT.contains(&tenant.0) => Owner::Microsoft,
        (_, Some(tenant)) => Owner::Tenant { tenant },
        (_, None) => Owner::NotTold,
    }
}
