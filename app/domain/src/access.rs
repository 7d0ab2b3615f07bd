//! What an application's grants, policies and assignments mean, in one sentence.
//!
//! The rules are MICROSOFT.md §2.4 and §3.5: policies narrow Entra grants only,
//! Exchange's role assignments add to what is left, and what was not read is
//! never called safe.

use serde::{Deserialize, Serialize};

use crate::{
    application::{AccessPolicy, AccessRight, Application, RoleAssignment},
    permission::Coverage,
};

/// What can be said of an application's reach over the whole tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every mailbox.
    Unrestricted,
    /// Every mailbox but those on a block list.
    AllExcept,
    /// A part was not read that could make it worse.
    Unknown,
    /// Some mailboxes only.
    Confined,
    /// It holds permissions but cannot use them: the principal is disabled.
    Disabled,
}

impl Standing {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unrestricted => "unrestricted",
            Self::AllExcept => "all except some",
            Self::Unknown => "unknown",
            Self::Confined => "confined",
            Self::Disabled => "disabled",
        }
    }
}

/// The answer for one application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub standing: Standing,
    pub sentence: String,
}

/// Judges one application.
///
/// `policies` and `assignments` are all of the tenant's, or `None` where they could not be read.
pub fn judge(
    application: &Application,
    policies: Option<&[AccessPolicy]>,
    assignments: Option<&[RoleAssignment]>,
) -> Verdict {
    let can = what_it_can(application);
    if !application.enabled {
        return Verdict {
            standing: Standing::Disabled,
            sentence: format!(
                "Switched off in Entra: it cannot sign in. Switched on, it could {can}."
            ),
        };
    }
    let beyond: Vec<&str> = application
        .grants
        .iter()
        .filter(|grant| grant.reaches_mailboxes() && grant.coverage() == Coverage::Beyond)
        .map(|grant| grant.value.as_str())
        .collect();
    if !beyond.is_empty() {
        return Verdict {
            standing: Standing::Unrestricted,
            sentence: format!(
                "Reaches every mailbox: no access policy governs {}.",
                beyond.join(", ")
            ),
        };
    }
    let holds_grant = application
        .grants
        .iter()
        .any(|grant| grant.reaches_mailboxes());
    let Some(policies) = policies else {
        return unknown("its access policies", &can);
    };
    let mine: Vec<&AccessPolicy> = policies
        .iter()
        .filter(|policy| {
            policy
                .app_id
                .is_none_or(|app_id| app_id == application.app_id)
        })
        .collect();
    let names = |right: AccessRight| -> Vec<&str> {
        mine.iter()
            .filter(|policy| policy.right == right)
            .map(|policy| policy.scope_name.as_str())
            .collect()
    };
    let (allowed, refused) = (
        names(AccessRight::RestrictAccess),
        names(AccessRight::DenyAccess),
    );
    if holds_grant && allowed.is_empty() {
        return if refused.is_empty() {
            Verdict {
                standing: Standing::Unrestricted,
                sentence: format!("Can {can} as anyone in the tenant: nothing restricts it."),
            }
        } else {
            Verdict {
                standing: Standing::AllExcept,
                sentence: format!(
                    "Can {can} as anyone except the members of {}: a block list leaves the rest open.",
                    refused.join(", ")
                ),
            }
        };
    }
    let Some(assignments) = assignments else {
        return unknown("its Exchange role assignments", &can);
    };
    let own: Vec<&RoleAssignment> = assignments
        .iter()
        .filter(|assignment| assignment.assignee == application.object)
        .collect();
    if let Some(open) = own.iter().find(|assignment| assignment.scope.is_none()) {
        return Verdict {
            standing: Standing::Unrestricted,
            sentence: format!(
                "Reaches every mailbox: the Exchange role “{}” is assigned for the whole organisation.",
                open.role
            ),
        };
    }
    let mut parts = Vec::new();
    if holds_grant {
        parts.push(format!("the members of {}", allowed.join(", ")));
    }
    parts.extend(own.iter().filter_map(|assignment| {
        assignment
            .scope
            .as_ref()
            .map(|scope| format!("the scope {scope} (role {})", assignment.role))
    }));
    let except = if refused.is_empty() {
        String::new()
    } else {
        format!(", never for the members of {}", refused.join(", "))
    };
    Verdict {
        standing: Standing::Confined,
        sentence: format!("Can {can} only for {}{except}.", parts.join(" and ")),
    }
}

fn unknown(what: &str, can: &str) -> Verdict {
    Verdict {
        standing: Standing::Unknown,
        sentence: format!(
            "Could not be judged: {what} were not read. Take it that it can {can} as anyone."
        ),
    }
}

/// `send mail and read calendars`.
fn what_it_can(application: &Application) -> String {
    let mut can: Vec<&str> = Vec::new();
    for grant in application
        .grants
        .iter()
        .filter(|grant| grant.reaches_mailboxes())
    {
        if !can.contains(&grant.can()) {
            can.push(grant.can());
        }
    }
    match can.as_slice() {
        [] => "reach mailboxes through Exchange roles".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use uuid::{Uuid, uuid};

    use super::*;
    use crate::{
        application::Grant,
        id::{AppId, AppRoleId, ObjectId},
        permission::Resource,
    };

    const APP: Uuid = uuid!("6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4");
    const PRINCIPAL: Uuid = uuid!("11111111-41f5-4a0e-9c55-0d3be1f7a2d4");

    fn mailer(grants: &[(Resource, &str, Uuid)]) -> Application {
        Application {
            object: ObjectId(PRINCIPAL),
            app_id: AppId(APP),
            name: "Mailer".into(),
            owner_tenant: None,
            publisher: None,
            kind: "Application".into(),
            enabled: true,
            grants: grants
                .iter()
                .map(|(resource, value, id)| Grant {
                    resource: *resource,
                    role: AppRoleId(*id),
                    value: (*value).into(),
                })
                .collect(),
        }
    }

    fn sender() -> Application {
        mailer(&[(
            Resource::Graph,
            "Mail.Send",
            uuid!("b633e1c5-b582-4048-a93e-9f11b44c7e96"),
        )])
    }

    fn policy(right: AccessRight, app: Option<Uuid>) -> AccessPolicy {
        AccessPolicy {
            identity: "x".into(),
            app_id: app.map(AppId),
            right,
            scope_name: "Senders".into(),
            scope_object: None,
            description: String::new(),
            valid: true,
        }
    }

    fn assignment(scope: Option<&str>) -> RoleAssignment {
        RoleAssignment {
            name: "a".into(),
            role: "Application Mail.Send".into(),
            assignee: ObjectId(PRINCIPAL),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn no_policy_means_anyone() {
        let verdict = judge(&sender(), Some(&[]), Some(&[]));
        assert_eq!(verdict.standing, Standing::Unrestricted);
        assert_eq!(
            verdict.sentence,
            "Can send mail as anyone in the tenant: nothing restricts it."
        );
    }

    #[test]
    fn a_policy_of_another_application_changes_nothing() {
        let other = policy(AccessRight::RestrictAccess, Some(PRINCIPAL));
        assert_eq!(
            judge(&sender(), Some(&[other]), Some(&[])).standing,
            Standing::Unrestricted
        );
    }

    #[test]
    fn restrict_confines_and_a_star_counts() {
        for app in [Some(APP), None] {
            let verdict = judge(
                &sender(),
                Some(&[policy(AccessRight::RestrictAccess, app)]),
                Some(&[]),
            );
            assert_eq!(verdict.standing, Standing::Confined);
        }
    }

    #[test]
    fn deny_is_a_block_list_never_an_allow_list() {
        let deny = policy(AccessRight::DenyAccess, Some(APP));
        assert_eq!(
            judge(&sender(), Some(std::slice::from_ref(&deny)), Some(&[])).standing,
            Standing::AllExcept
        );
        let both = [deny, policy(AccessRight::RestrictAccess, Some(APP))];
        assert_eq!(
            judge(&sender(), Some(&both), Some(&[])).standing,
            Standing::Confined
        );
    }

    #[test]
    fn what_was_not_read_is_never_safe() {
        assert_eq!(
            judge(&sender(), None, Some(&[])).standing,
            Standing::Unknown
        );
        let restrict = [policy(AccessRight::RestrictAccess, Some(APP))];
        assert_eq!(
            judge(&sender(), Some(&restrict), None).standing,
            Standing::Unknown
        );
        // But the worst is known without the rest.
        assert_eq!(
            judge(&sender(), Some(&[]), None).standing,
            Standing::Unrestricted
        );
    }

    #[test]
    fn imap_is_past_every_policy() {
        let imap = mailer(&[(
            Resource::Exchange,
            "IMAP.AccessAsApp",
            uuid!("5e5addcd-3e8d-4e90-baf5-964efab2b20a"),
        )]);
        let restrict = [policy(AccessRight::RestrictAccess, Some(APP))];
        assert_eq!(
            judge(&imap, Some(&restrict), Some(&[])).standing,
            Standing::Unrestricted
        );
    }

    #[test]
    fn role_assignments_add_to_what_policies_leave() {
        let restrict = [policy(AccessRight::RestrictAccess, Some(APP))];
        let open = judge(&sender(), Some(&restrict), Some(&[assignment(None)]));
        assert_eq!(open.standing, Standing::Unrestricted);
        let scoped = judge(
            &sender(),
            Some(&restrict),
            Some(&[assignment(Some("Sales"))]),
        );
        assert_eq!(scoped.standing, Standing::Confined);
        assert!(scoped.sentence.contains("Sales"));
        // A scoped assignment beside a grant that nothing narrows helps nothing.
        assert_eq!(
            judge(&sender(), Some(&[]), Some(&[assignment(Some("Sales"))])).standing,
            Standing::Unrestricted
        );
    }

    #[test]
    fn a_disabled_principal_is_said_to_be_disabled() {
        let mut off = sender();
        off.enabled = false;
        assert_eq!(
            judge(&off, Some(&[]), Some(&[])).standing,
            Standing::Disabled
        );
    }
}
