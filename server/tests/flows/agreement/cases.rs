//! The kinds of customer that the comparison must have met.

use domain::{
    application::AccessRight,
    id::ObjectId,
    reach::{AssignmentScope, MailboxKind, PrincipalKind, Reading, Seen},
};

fn some<T>(reading: &Reading<Vec<T>>) -> bool {
    reading.get().is_ok_and(|list| !list.is_empty())
}

/// The cases of which a reach is made.
pub const CASES: [&str; 33] = [
    "a grant that no policy narrows",
    "grants on both resources",
    "full_access_as_app",
    "a legacy Outlook permission",
    "IMAP, POP or SMTP",
    "RestrictAccess",
    "DenyAccess",
    "a policy for every application",
    "several RestrictAccess policies of one application",
    "DenyAccess beside RestrictAccess",
    "a policy with a group in its group",
    "a composite role",
    "a role for the whole organisation",
    "a role with a management scope",
    "a role for a group",
    "a role for a group with a group in it",
    "a role for an administrative unit",
    "an exclusive scope",
    "a role that is switched off",
    "a scoped role beside a grant",
    "a principal that is switched off",
    "a managed identity",
    "no Exchange",
    "parts that may not be read",
    "an application of Microsoft's own",
    "a right on a mailbox",
    "EWS is switched off",
    "EWS for a list of applications",
    "a mailbox of a group",
    "a directory role of an application",
    "a role group with an application in it",
    "a grant for whoever signs in",
    "a grant that goes around",
];

/// The cases of which a reach is made, and whether a customer has them.
pub fn cases(seen: &Seen) -> Vec<&'static str> {
    let grants: Vec<_> = [&seen.graph_grants, &seen.exchange_grants]
        .into_iter()
        .filter_map(|list| list.get().ok())
        .flatten()
        .collect();
    let principals = seen.principals.get().map(Vec::as_slice).unwrap_or_default();
    let policies = seen.policies.get().map(Vec::as_slice).unwrap_or_default();
    let assignments = seen
        .assignments
        .get()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let scopes = seen.scopes.get().map(Vec::as_slice).unwrap_or_default();
    let ews = seen.rights.ews.get().ok();
    let on_exchange = |value: &[&str]| {
        seen.exchange_grants.get().is_ok_and(|list| {
            list.iter().any(|grant| {
                grant
                    .value
                    .as_deref()
                    .is_some_and(|held| value.contains(&held))
            })
        })
    };
    let nested = |object: Option<ObjectId>| {
        seen.groups
            .iter()
            .filter(|group| Some(group.object) == object)
            .any(|group| {
                group
                    .direct
                    .get()
                    .is_ok_and(|members| !members.groups.is_empty())
            })
    };
    let of = |right| policies.iter().filter(move |policy| policy.right == right);
    let scope = |fits: &dyn Fn(&AssignmentScope) -> bool| {
        assignments.iter().any(|assignment| fits(&assignment.scope))
    };
    let table: [(&'static str, bool); 32] = [
        (
            "a grant that no policy narrows",
            !grants.is_empty() && policies.is_empty(),
        ),
        (
            "grants on both resources",
            seen.graph_grants.get().is_ok_and(|list| !list.is_empty())
                && seen
                    .exchange_grants
                    .get()
                    .is_ok_and(|list| !list.is_empty()),
        ),
        ("full_access_as_app", on_exchange(&["full_access_as_app"])),
        (
            "a legacy Outlook permission",
            on_exchange(&["Calendars.ReadWrite.All"]),
        ),
        (
            "IMAP, POP or SMTP",
            on_exchange(&["IMAP.AccessAsApp", "POP.AccessAsApp", "SMTP.SendAsApp"]),
        ),
        (
            "RestrictAccess",
            of(AccessRight::RestrictAccess).next().is_some(),
        ),
        ("DenyAccess", of(AccessRight::DenyAccess).next().is_some()),
        (
            "a policy for every application",
            policies.iter().any(|policy| policy.app_id.is_none()),
        ),
        (
            "several RestrictAccess policies of one application",
            of(AccessRight::RestrictAccess).any(|one| {
                of(AccessRight::RestrictAccess)
                    .filter(|other| one.app_id == other.app_id)
                    .count()
                    > 1
            }),
        ),
        (
            "DenyAccess beside RestrictAccess",
            of(AccessRight::DenyAccess)
                .any(|one| of(AccessRight::RestrictAccess).any(|other| one.app_id == other.app_id)),
        ),
        (
            "a policy with a group in its group",
            policies.iter().any(|policy| nested(policy.scope_object)),
        ),
        (
            "a composite role",
            assignments
                .iter()
                .any(|one| one.role.ends_with("Full Access")),
        ),
        (
            "a role for the whole organisation",
            scope(&|scope| *scope == AssignmentScope::Organisation),
        ),
        (
            "a role with a management scope",
            scope(&|scope| matches!(scope, AssignmentScope::Custom { .. })),
        ),
        (
            "a role for a group",
            scope(&|scope| matches!(scope, AssignmentScope::Group { .. })),
        ),
        (
            "a role for a group with a group in it",
            scope(&|scope| match scope {
                AssignmentScope::Group { object, .. } => nested(*object),
                _ => false,
            }),
        ),
        (
            "a role for an administrative unit",
            scope(&|scope| matches!(scope, AssignmentScope::Unit { .. })),
        ),
        (
            "an exclusive scope",
            scopes.iter().any(|scope| scope.exclusive),
        ),
        (
            "a role that is switched off",
            assignments.iter().any(|one| !one.enabled),
        ),
        (
            "a scoped role beside a grant",
            assignments.iter().any(|one| {
                one.scope != AssignmentScope::Organisation
                    && grants
                        .iter()
                        .any(|grant| grant.principal.to_string() == one.assignee)
            }),
        ),
        (
            "a principal that is switched off",
            principals.iter().any(|one| one.enabled == Some(false)),
        ),
        (
            "a managed identity",
            principals
                .iter()
                .any(|one| one.kind == PrincipalKind::ManagedIdentity),
        ),
        ("no Exchange", seen.has_no_exchange()),
        (
            "parts that may not be read",
            !seen.policies.is_read() && !seen.has_no_exchange(),
        ),
        ("a right on a mailbox", some(&seen.rights.mailbox_rights)),
        (
            "EWS is switched off",
            ews.is_some_and(|switch| switch.enabled == Some(false)),
        ),
        (
            "EWS for a list of applications",
            ews.is_some_and(|switch| switch.enabled == Some(true) && switch.allowed.is_some()),
        ),
        (
            "a mailbox of a group",
            seen.special
                .iter()
                .flatten()
                .any(|(_, kind)| *kind == MailboxKind::Group),
        ),
        (
            "a directory role of an application",
            some(&seen.powers.directory_roles),
        ),
        (
            "a role group with an application in it",
            seen.powers
                .role_groups
                .get()
                .is_ok_and(|groups| groups.iter().any(|group| some(&group.members))),
        ),
        ("a grant for whoever signs in", some(&seen.rights.delegated)),
        (
            "a grant that goes around",
            grants.iter().any(|grant| {
                grant
                    .value
                    .as_deref()
                    .is_some_and(|held| held.contains("ReadWrite.All") && held.contains("Role"))
            }),
        ),
    ];
    let first_party = principals.iter().any(|one| {
        one.owner_tenant
            .is_some_and(|owner| owner.0 == cloud::permissions::MICROSOFT_TENANT)
    });
    table
        .into_iter()
        .filter(|(_, here)| *here)
        .map(|(name, _)| name)
        .chain(first_party.then_some("an application of Microsoft's own"))
        .collect()
}
