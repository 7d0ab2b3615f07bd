//! Finds the notes on an application: what a person should know beside the answers.

use std::collections::BTreeSet;

use super::{
    answer::{Answer, ApplicationReach, Level, Note, Owner, PermissionReach, Route},
    assignments::Ready,
    boundary::properties,
    gates::Gate,
    judge::Judge,
    members::find_scope,
    permission::Permission,
    seen::{AssignmentScope, Meant, StrayPolicy},
    subjects::Subject,
    tenant::owner,
};
use crate::permission::Place;

impl Judge<'_> {
    pub(super) fn notes(
        &self,
        subject: &Subject<'_>,
        application: &ApplicationReach,
        found: &BTreeSet<Note>,
        strays: &[StrayPolicy],
    ) -> Vec<Note> {
        let mut notes = found.clone();
        about_principal(subject, &mut notes);
        if !application.powers.dormant.is_empty() {
            notes.insert(Note::PowersOnceEnabled);
        }
        if !subject.metadata.is_empty() {
            let values = subject.metadata.iter().map(|one| (*one).to_owned());
            notes.insert(Note::Metadata {
                values: values.collect(),
            });
        }
        for object in self.assignments.wrong_pointers(subject) {
            notes.insert(Note::WrongPointer { object });
        }
        for stray in strays {
            let own = match stray.meant {
                Some(Meant::Principal { object }) => object == subject.object,
                Some(Meant::Registration { app_id }) => subject.app_id() == Some(app_id),
                None => false,
            };
            if own {
                notes.insert(Note::PolicyNamesObject {
                    policy: stray.identity.clone(),
                });
            }
        }
        for held in &subject.grants {
            if let Some(blueprint) = held.inherited {
                let value = held.permission.value.to_string();
                notes.insert(Note::Inherits { blueprint, value });
            }
        }
        for one in &application.permissions {
            self.about_permission(subject, one, &application.permissions, &mut notes);
        }
        notes.into_iter().collect()
    }

    fn about_permission(
        &self,
        subject: &Subject<'_>,
        one: &PermissionReach,
        all: &[PermissionReach],
        notes: &mut BTreeSet<Note>,
    ) {
        let permission = &one.permission;
        let value = || permission.value.to_string();
        let grant = one
            .routes
            .iter()
            .any(|route| matches!(route, Route::Grant { .. }));
        let open_grant = one.routes.iter().any(
            |route| matches!(route, Route::Grant { leaves, .. } if *leaves == Answer::Unrestricted),
        );
        for route in &one.routes {
            let Route::Assignment { assignment, leaves } = route else {
                continue;
            };
            let Some(ready) = self.assignments.list.get(*assignment as usize) else {
                continue;
            };
            let scoped = ![Level::Unrestricted, Level::Nothing].contains(&leaves.level());
            if open_grant && scoped {
                notes.insert(Note::ScopeWithoutEffect {
                    assignment: ready.assignment.name.clone(),
                });
            }
            self.about_scope(ready, notes);
        }
        if permission.is_retired_outlook() && permission.place() == Place::Mailboxes {
            notes.insert(Note::OnlyRemovable { value: value() });
        }
        if permission.needs_rights() && grant {
            notes.insert(if self.gates.has_no_pointer(subject) {
                Note::NoPointer { value: value() }
            } else {
                Note::ByMailboxRights { value: value() }
            });
        }
        if matches!(
            one.once_enabled.as_ref().unwrap_or(&one.answer),
            Answer::Everyone { .. }
        ) {
            notes.insert(Note::Everybody { value: value() });
        }
        if *permission == Permission::EWS {
            match self.gates.ews(subject) {
                Gate::Open(note) => notes.extend(note),
                Gate::Closed(note) => {
                    notes.insert(note);
                }
                Gate::Unknown(_) => {}
            }
            // The present level, or the level after somebody has switched the permission on.
            let level =
                |one: &PermissionReach| one.once_enabled.as_ref().unwrap_or(&one.answer).level();
            let more = |other: &&PermissionReach| other.permission.weight().counts();
            if all
                .iter()
                .filter(more)
                .any(|other| level(other) > level(one))
            {
                notes.insert(Note::EwsOpensMore);
            }
        }
    }

    /// Notes whether the scope of an assignment grows by itself, or matches nobody.
    fn about_scope(&self, ready: &Ready<'_>, notes: &mut BTreeSet<Note>) {
        let assignment = || ready.assignment.name.clone();
        let grows = match &ready.assignment.scope {
            AssignmentScope::Custom { name } => {
                let Some(scope) = self
                    .seen
                    .scopes
                    .get()
                    .ok()
                    .and_then(|scopes| find_scope(scopes, name))
                    .filter(|scope| !scope.exclusive)
                else {
                    return;
                };
                let properties = properties(&scope.filter);
                if scope.mailboxes.get().is_ok_and(Vec::is_empty) {
                    notes.insert(Note::ScopeMatchesNobody {
                        assignment: assignment(),
                        by_place: properties.iter().any(|one| one == "memberofgroup"),
                    });
                    return;
                }
                // These scopes do not grow by themselves: a filter that names mailboxes one by one,
                // and the members of a group. Somebody has to change them.
                let fixed = [
                    "guid",
                    "exchangeguid",
                    "externaldirectoryobjectid",
                    "userprincipalname",
                    "memberofgroup",
                ];
                properties.iter().any(|one| !fixed.contains(&one.as_str()))
            }
            AssignmentScope::Unit { object } => {
                (self.seen.units.iter()).any(|unit| unit.object == *object && unit.rule.is_some())
            }
            AssignmentScope::Group { object, .. } => (self.seen.groups.iter())
                .any(|group| Some(group.object) == *object && group.rule.is_some()),
            AssignmentScope::Organisation | AssignmentScope::Other { .. } => false,
        };
        if grows {
            notes.insert(Note::Grows {
                assignment: assignment(),
            });
        }
    }

    /// The policies whose application id is no client id of the tenant.
    pub(super) fn stray_policies(&self) -> Vec<StrayPolicy> {
        let mut strays = match (&self.seen.stray_policies, self.seen.principals.get()) {
            (Some(told), _) => told.clone(),
            (None, Ok(principals)) if self.seen.all_principals => {
                let policies = self.policies.0.iter().flatten();
                policies
                    .filter_map(|ready| {
                        let app_id = ready.policy.app_id?;
                        if principals.iter().any(|one| one.app_id == app_id) {
                            return None;
                        }
                        let meant = principals
                            .iter()
                            .find(|one| one.object.0 == app_id.0)
                            .map(|one| Meant::Principal { object: one.object });
                        Some(StrayPolicy {
                            identity: ready.policy.identity.clone(),
                            app_id,
                            meant,
                        })
                    })
                    .collect()
            }
            _ => Vec::new(),
        };
        strays.sort();
        strays.dedup();
        strays
    }
}

fn about_principal(subject: &Subject<'_>, notes: &mut BTreeSet<Note>) {
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
}
