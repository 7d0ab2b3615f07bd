//! The roles that go around every confinement: directory roles (MICROSOFT.md §10.3) and roles in
//! Exchange (§10.4).

use uuid::{Uuid, uuid};

use crate::reach::PowerKind;

/// What a directory role allows about mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// A power, for certain.
    Power(PowerKind),
    /// Perhaps a power: the role only prepares, or it is not documented how far it goes.
    Perhaps(PowerKind),
    /// The role administers Exchange, together with a permission to connect to Exchange.
    Exchange,
    /// The role changes the members of Microsoft 365 groups and security groups.
    Groups,
}

macro_rules! table {
    ($($id:literal $name:literal $does:expr;)*) => {
        const DIRECTORY: &[(Uuid, &str, Directory)] = &[$((uuid!($id), $name, $does),)*];
    };
}

use Directory::{Exchange, Groups, Perhaps, Power};
use PowerKind::{ActsAsOthers, AdministersExchange, GrantsItself};

table! {
    "62e90394-69f5-4237-9190-012177145e10" "Global Administrator" Power(GrantsItself);
    "29232cdf-9323-42fd-ade2-1d097af3e4de" "Exchange Administrator" Exchange;
    "31392ffb-586c-42d1-9346-e59415a2cc4e" "Exchange Recipient Administrator" Exchange;
    "49eb8f75-97e9-4e37-9b2b-6c3ebfcffa31" "Exchange Backup Administrator" Perhaps(AdministersExchange);
    "1707125e-0aa2-4d4d-8655-a7c786c76a25" "Microsoft 365 Backup Administrator" Perhaps(AdministersExchange);
    "e8611ab8-c189-46e8-94e1-60213ab1f814" "Privileged Role Administrator" Power(GrantsItself);
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3" "Application Administrator" Power(ActsAsOthers);
    "158c047a-c907-4556-b7ef-446551a6b5f7" "Cloud Application Administrator" Power(ActsAsOthers);
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2" "Hybrid Identity Administrator" Power(ActsAsOthers);
    "8329153b-31d0-4727-b945-745eb3bc5f31" "Domain Name Administrator" Power(ActsAsOthers);
    "be2f45a1-457d-42af-a067-6ec1fa63bc45" "External Identity Provider Administrator" Power(ActsAsOthers);
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13" "Privileged Authentication Administrator" Power(ActsAsOthers);
    "c4e39bd9-1100-46d3-8c65-fb160da0071f" "Authentication Administrator" Power(ActsAsOthers);
    "0526716b-113d-4c15-b2c8-68e3c22b9f80" "Authentication Policy Administrator" Perhaps(ActsAsOthers);
    "fe930be7-5e62-47db-91af-98c3a49a38b1" "User Administrator" Power(ActsAsOthers);
    "729827e3-9c14-49f7-bb1b-9608f156bbb8" "Helpdesk Administrator" Power(ActsAsOthers);
    "966707d0-3269-4727-9be2-8c3a10f19b9d" "Password Administrator" Power(ActsAsOthers);
    "fdd7a751-b60b-444a-984c-02652fe8fa1c" "Groups Administrator" Groups;
    "9360feb5-f418-4baa-8175-e2a00bac4301" "Directory Writers" Perhaps(GrantsItself);
    "d29b2b05-8046-44ba-8758-1e26182fcf32" "Directory Synchronization Accounts" Perhaps(ActsAsOthers);
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e" "Identity Governance Administrator" Power(GrantsItself);
    "59d46f88-662b-457b-bceb-5c3809e5908f" "Lifecycle Workflows Administrator" Power(GrantsItself);
    "194ae4cb-b126-40b2-bd5b-6091b380977d" "Security Administrator" Perhaps(AdministersExchange);
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f" "Security Operator" Perhaps(AdministersExchange);
    "17315797-102d-40b4-93e0-432062caca18" "Compliance Administrator" Perhaps(AdministersExchange);
    "e6d1a23a-da11-4be4-9570-befc86d067a7" "Compliance Data Administrator" Perhaps(AdministersExchange);
    "3a2c62db-5318-420d-8d74-23affee5d9d5" "Intune Administrator" Perhaps(ActsAsOthers);
    "4ba39ca4-527c-499a-b93d-d9b492c50246" "Partner Tier1 Support" Power(ActsAsOthers);
    "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8" "Partner Tier2 Support" Power(ActsAsOthers);
    "db506228-d27e-4b7d-95e5-295956d6615f" "Agent ID Administrator" Power(ActsAsOthers);
}

/// Global Administrator, which includes the rights of Exchange's administrator.
const GLOBAL: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");

/// Words in role names. A role that Microsoft adds later and whose name has one of them may be a
/// power.
const FAMILIES: [&str; 9] = [
    "exchange",
    "global admin",
    "privileged",
    "authentication",
    "application admin",
    "identity",
    "backup",
    "partner",
    "password",
];

/// What the built-in role with this template id allows, and its name. The table was made from all
/// built-in roles that Microsoft documents. For a role that is not in it, the name decides.
pub fn directory(id: Uuid, name: Option<&str>) -> Option<(Directory, String)> {
    if let Some((_, known, does)) = DIRECTORY.iter().find(|(known, ..)| *known == id) {
        return Some((*does, name.unwrap_or(known).to_owned()));
    }
    let Some(name) = name else {
        return Some((Perhaps(GrantsItself), id.to_string()));
    };
    let lower = name.to_lowercase();
    let looks = FAMILIES.iter().any(|word| lower.contains(word)) && !lower.contains("reader");
    looks.then(|| (Perhaps(GrantsItself), name.to_owned()))
}

/// Whether a built-in role administers Exchange, for an application that may connect to Exchange.
pub fn administers_exchange(id: Uuid) -> bool {
    id == GLOBAL
        || DIRECTORY
            .iter()
            .any(|(known, _, does)| *known == id && *does == Exchange)
}

/// What a custom role allows: the worst of its allowed actions decides (MICROSOFT.md §10.3). A
/// custom role cannot contain rights in Exchange.
pub fn custom(actions: &[String]) -> Option<Directory> {
    let mut found = None;
    for action in actions {
        let action = action.to_lowercase();
        let Some((resource, rest)) = action
            .strip_prefix("microsoft.directory/")
            .and_then(|rest| rest.split_once('/'))
        else {
            // The action covers the whole directory, or belongs to another service.
            if action.starts_with("microsoft.directory/") || action == "*" {
                return Some(Power(GrantsItself));
            }
            continue;
        };
        let resource = resource.split('.').next().unwrap_or(resource);
        let all = rest.ends_with("alltasks") || rest == "allproperties/update" || rest == "*";
        let of_application = ["applications", "serviceprincipals"].contains(&resource);
        let grants = matches!(resource, "oauth2permissiongrants" | "roleassignments")
            && !rest.ends_with("/read")
            || of_application
                && (all
                    || rest.starts_with("managepermissiongrantsfor")
                    || rest.starts_with("approleassign") && !rest.ends_with("/read"));
        let acts = of_application && (rest == "credentials/update" || rest == "owners/update")
            || resource == "domains" && (all || rest == "federation/update")
            || resource == "users" && (all || rest == "password/update");
        let groups = resource.starts_with("groups")
            && (all || rest == "members/update" || rest == "owners/update");
        if grants {
            return Some(Power(GrantsItself));
        }
        if acts {
            found = Some(Power(ActsAsOthers));
        } else if groups && found.is_none() {
            found = Some(Groups);
        }
    }
    found
}

/// What a management role of Exchange allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Management {
    /// The role can change who reaches mail (MICROSOFT.md §10.4).
    Decides,
    /// The role only reads.
    Looks,
    /// An application role, which is no role of an administrator.
    OfApplications,
    /// Somebody made the role, or it is not known what it allows.
    NotKnown,
}

const DECIDE: [&str; 17] = [
    "Role Management",
    "Organization Configuration",
    "Mail Recipients",
    "Mail Recipient Creation",
    "User Options",
    "Recipient Policies",
    "Distribution Groups",
    "Security Group Creation and Membership",
    "Mailbox Search",
    "Mailbox Import Export",
    "Legal Hold",
    "Transport Rules",
    "Journaling",
    "Remote and Accepted Domains",
    "Move Mailboxes",
    "Migration",
    "Reset Password",
];

/// The kind of a management role, by its name in any case.
pub fn management(role: &str) -> Management {
    let role = role.trim();
    if DECIDE.iter().any(|name| name.eq_ignore_ascii_case(role)) {
        return Management::Decides;
    }
    let lower = role.to_lowercase();
    if lower.starts_with("application ") {
        Management::OfApplications
    } else if lower.starts_with("view-only") || lower == "message tracking" {
        Management::Looks
    } else {
        Management::NotKnown
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reach_r01_knows_roles_by_id_and_new_ones_by_their_family() {
        let of = |id, name| directory(id, name).map(|(does, _)| does);
        assert_eq!(of(GLOBAL, None), Some(Power(GrantsItself)));
        assert_eq!(
            of(
                uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de"),
                Some("Exchange Service Administrator")
            ),
            Some(Exchange)
        );
        let new = Uuid::from_u128(77);
        assert_eq!(of(new, Some("Reports Reader")), None);
        assert_eq!(
            of(new, Some("Exchange Something Administrator")),
            Some(Perhaps(GrantsItself))
        );
        assert_eq!(of(new, None), Some(Perhaps(GrantsItself)));
        assert!(administers_exchange(GLOBAL));
    }

    #[test]
    fn reach_r01_custom_roles_are_judged_by_their_actions() {
        let of = |action: &str| custom(&[action.to_owned()]);
        for action in [
            "microsoft.directory/servicePrincipals/appRoleAssignedTo/update",
            "microsoft.directory/servicePrincipals/managePermissionGrantsForAll.some-policy",
            "microsoft.directory/oAuth2PermissionGrants/allProperties/update",
            "microsoft.directory/roleAssignments/allProperties/allTasks",
        ] {
            assert_eq!(of(action), Some(Power(GrantsItself)), "{action}");
        }
        for action in [
            "microsoft.directory/applications/credentials/update",
            "microsoft.directory/applications.myOrganization/credentials/update",
            "microsoft.directory/servicePrincipals/owners/update",
            "microsoft.directory/domains/federation/update",
        ] {
            assert_eq!(of(action), Some(Power(ActsAsOthers)), "{action}");
        }
        assert_eq!(
            of("microsoft.directory/groups.unified/members/update"),
            Some(Groups)
        );
        for action in [
            "microsoft.directory/applications/standard/read",
            "microsoft.directory/servicePrincipals/appRoleAssignedTo/read",
            "microsoft.directory/applications/audience/update",
        ] {
            assert_eq!(of(action), None, "{action}");
        }
    }

    #[test]
    fn reach_r01_knows_which_roles_of_exchange_decide() {
        assert_eq!(management("role management"), Management::Decides);
        assert_eq!(management("View-Only Recipients"), Management::Looks);
        assert_eq!(
            management("Application Mail.Send"),
            Management::OfApplications
        );
        assert_eq!(management("Our own role"), Management::NotKnown);
    }
}
