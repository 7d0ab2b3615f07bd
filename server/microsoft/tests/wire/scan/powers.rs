//! What lets an application go around every confinement is read, or said not to be.

use domain::{
    permission::Resource,
    reach::{DelegatedGrant, DirectoryRole, PartResult, Reading, ScanPart, Why},
};
use serde_json::{Value, json};

use super::tenant::*;
use crate::support::{rows, uuid};

const EXCHANGE_ADMINISTRATOR: &str = "29232cdf-9323-42fd-ade2-1d097af3e4de";

fn role(principal: u32, kind: &str, role: &str, scope: &str) -> Value {
    json!({"id": "x", "principalId": uuid(principal), "roleDefinitionId": role,
        "resourceScope": scope, "directoryScopeId": scope,
        "principal": {"@odata.type": format!("#microsoft.graph.{kind}"), "id": uuid(principal)}})
}

#[tokio::test]
async fn reach_r01_grants_that_give_a_power_or_reach_mail_elsewhere_are_kept() {
    let roles = json!([
        {"id": MAIL_SEND, "value": "Mail.Send"},
        {"id": uuid(901), "value": "AppRoleAssignment.ReadWrite.All"},
        {"id": uuid(902), "value": "Group.Read.All"},
        {"id": uuid(903), "value": "User.Read.All"}]);
    let body = json!({"id": uuid(GRAPH), "appId": Resource::Graph.app_id(), "appRoles": roles});
    let at = principal_path(Resource::Graph);
    let held_by = |role: u32| held(MAILER, &uuid(role).to_string(), GRAPH);
    let admin = json!([{"id": uuid(904), "value": "Exchange.ManageAsApp"}]);
    let exchange = principal_path(Resource::Exchange);
    let (_world, scan) = Tenant::new()
        .graph(at.clone(), 200, body)
        .graph(
            format!("{at}/appRoleAssignedTo"),
            200,
            json!({"value": [held_by(901), held_by(902), held_by(903)]}),
        )
        .graph(
            exchange.clone(),
            200,
            json!({"id": uuid(EXCHANGE), "appId": Resource::Exchange.app_id(), "appRoles": admin}),
        )
        .graph(
            format!("{exchange}/appRoleAssignedTo"),
            200,
            json!({"value": [held(7, &uuid(904).to_string(), EXCHANGE)]}),
        )
        .graph(principal(7), 200, an_application(7, "Backup"))
        .scan()
        .await;
    let values = |list: &Reading<Vec<domain::reach::Grant>>| -> Vec<String> {
        let list = list.get().unwrap().iter();
        list.filter_map(|grant| grant.value.clone()).collect()
    };
    assert_eq!(
        values(&scan.seen.graph_grants),
        ["AppRoleAssignment.ReadWrite.All", "Group.Read.All"]
    );
    assert_eq!(values(&scan.seen.exchange_grants), ["Exchange.ManageAsApp"]);
    // Whoever holds nothing else is read as well.
    assert!(scan.details.contains_key(&object(7)));
}

#[tokio::test]
async fn reach_r01_directory_roles_are_read_directly_through_groups_and_with_their_actions() {
    let custom = uuid(950).to_string();
    let list = json!([
        role(60, "user", EXCHANGE_ADMINISTRATOR, "/"),
        role(7, "servicePrincipal", EXCHANGE_ADMINISTRATOR, "/"),
        role(61, "group", &custom, &format!("/{}", uuid(700)))
    ]);
    let members = format!(
        "/groups/{}/transitiveMembers/microsoft.graph.servicePrincipal",
        uuid(61)
    );
    let definition = format!("/roleManagement/directory/roleDefinitions/{custom}");
    let (world, scan) = Tenant::new()
        .graph(ROLES, 200, json!({ "value": list }))
        .graph(members, 200, json!({"value": [{"id": uuid(8)}]}))
        .graph(
            definition,
            200,
            json!({"id": custom, "templateId": custom, "displayName": "Keys", "isBuiltIn": false,
            "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/credentials/update"]}]}),
        )
        .graph(principal(7), 200, an_application(7, "Backup"))
        .graph(principal(8), 200, an_application(8, "Robot"))
        .scan()
        .await;
    assert_eq!(
        scan.seen.powers.directory_roles,
        Reading::read(vec![
            DirectoryRole {
                principal: object(7),
                role: EXCHANGE_ADMINISTRATOR.parse().unwrap(),
                name: Some("Exchange Administrator".into()),
                actions: None,
                scope: "/".into(),
                through: None,
            },
            DirectoryRole {
                principal: object(8),
                role: uuid(950),
                name: Some("Keys".into()),
                actions: Some(vec![
                    "microsoft.directory/applications/credentials/update".into()
                ]),
                scope: format!("/{}", uuid(700)),
                through: Some(object(61)),
            },
        ])
    );
    for number in [7, 8] {
        assert!(scan.details.contains_key(&object(number)), "{number}");
    }
    // One request more, for the group and the role that nobody knows.
    assert_eq!(world.asked("v1.0/$batch").await.len(), 6);
}

#[tokio::test]
async fn reach_r01_a_holder_of_whom_graph_tells_no_kind_is_looked_up() {
    let untold = |number: u32| {
        json!({"id": "x", "principalId": uuid(number), "directoryScopeId": "/",
        "roleDefinitionId": EXCHANGE_ADMINISTRATOR, "principal": null})
    };
    let (_world, scan) = Tenant::new()
        .graph(ROLES, 200, json!({"value": [untold(7), untold(62)]}))
        .graph(principal(7), 200, an_application(7, "Backup"))
        .scan()
        .await;
    let roles = scan.seen.powers.directory_roles.get().unwrap();
    assert_eq!(roles.len(), 1);
    assert_eq!(roles[0].principal, object(7));
}

#[tokio::test]
async fn reach_r01_powers_that_were_not_read_are_not_none() {
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
    let (_world, scan) = Tenant::new()
        .graph(ROLES, 403, denied.clone())
        .graph(DELEGATED, 403, denied.clone())
        .graph(AGENTS, 403, denied)
        .cmdlet("Get-RoleGroupMember", no_role())
        .scan()
        .await;
    let powers = &scan.seen.powers;
    assert!(matches!(
        powers.directory_roles,
        Reading::NotPermitted { .. }
    ));
    assert!(matches!(powers.inherited, Reading::NotPermitted { .. }));
    let groups = powers.role_groups.get().unwrap();
    assert!(matches!(groups[0].members, Reading::NotPermitted { .. }));
    assert!(matches!(
        scan.seen.rights.delegated,
        Reading::NotPermitted { .. }
    ));
    for part in [
        ScanPart::DirectoryRoles,
        ScanPart::Delegated,
        ScanPart::Inherited,
        ScanPart::RoleGroups,
    ] {
        assert!(
            matches!(why(&scan, part), Why::NotPermitted { .. }),
            "{part:?}"
        );
    }
    // The rest is as it was.
    assert!(scan.seen.graph_grants.is_read() && scan.seen.principals.is_read());

    // A group that may hold an administrator.
    let of_group = role(61, "group", EXCHANGE_ADMINISTRATOR, "/");
    let members = format!(
        "/groups/{}/transitiveMembers/microsoft.graph.servicePrincipal",
        uuid(61)
    );
    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
    let (_world, scan) = Tenant::new()
        .graph(ROLES, 200, json!({"value": [of_group]}))
        .graph(members, 403, denied)
        .scan()
        .await;
    let roles = &scan.seen.powers.directory_roles;
    assert!(matches!(roles, Reading::NotPermitted { .. }));
}

#[tokio::test]
async fn reach_r01_members_of_role_groups_are_read_where_the_roles_decide() {
    let given = |group: &str, role: &str, enabled: bool| {
        json!({"Name": format!("{role}-{group}"), "Role": role, "RoleAssignee": group,
            "RoleAssigneeName": group, "RoleAssigneeType": "RoleGroup",
            "RecipientWriteScope": "Organization", "Enabled": enabled})
    };
    let member = |name: String, kind: &str| {
        json!({"Name": name, "Identity": name, "Guid": uuid(333),
            "RecipientType": kind, "RecipientTypeDetails": kind})
    };
    let (world, scan) = Tenant::new()
        .cmdlet(
            "Get-ManagementRoleAssignment",
            rows(&json!([
                given("Organization Management", "Role Management", true),
                given("Organization Management", "Mail Recipients", true),
                given("Organization Management", "Journaling", false),
                given("Help Desk", "fabrikam.example\\User Options", true),
                given(
                    "View-Only Organization Management",
                    "View-Only Configuration",
                    true
                ),
                given("ExchangeServiceAdmins_123", "Role Management", true)
            ])),
        )
        .batched(
            "Get-RoleGroupMember",
            "Organization Management",
            json!([
                member("TenantAdmins_123".into(), "RoleGroup"),
                member(uuid(60).to_string(), "UserMailbox"),
                member(uuid(SCANNER).to_string(), "ServicePrincipal"),
                // Of a kind that nobody knows, with an id for a name.
                member(uuid(9).to_string(), "Something")
            ]),
        )
        .batched(
            "Get-RoleGroupMember",
            "Help Desk",
            json!([member("Scanner".into(), "UserMailbox")]),
        )
        .scan()
        .await;
    let groups = scan.seen.powers.role_groups.get().unwrap();
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Help Desk", "Organization Management"]);
    assert_eq!(groups[1].roles, ["Mail Recipients", "Role Management"]);
    assert_eq!(
        groups[1].members,
        Reading::read(vec![object(SCANNER), object(9)])
    );
    assert_eq!(groups[0].roles, ["User Options"]);
    // A person is no application because of a name.
    assert_eq!(groups[0].members, Reading::read(vec![]));
    // One request for all of them; the roles stand in the list of assignments.
    let batches = world.asked("adminapi/beta").await;
    let batches = batches
        .iter()
        .filter(|one| one.url.path().ends_with("$batch"));
    assert_eq!(batches.count(), 1);
}

#[tokio::test]
async fn reach_r01_direct_and_delegating_management_roles_reach_the_judgement() {
    let assignment = |name: &str, role: &str, kind: &str| {
        let mut row = row(name, role, "Organization", "");
        row["RoleAssignmentDelegationType"] = json!(kind);
        row
    };
    let (_world, scan) = Tenant::new()
        .cmdlet(
            "Get-ManagementRoleAssignment",
            rows(&json!([
                assignment("admin", "Role Management", "Regular"),
                assignment("gives", "Application Mail.Send", "DelegatingOrgWide")
            ])),
        )
        .scan()
        .await;
    let rows = scan.seen.assignments.get().unwrap();
    let of = |name: &str| rows.iter().find(|one| one.name == name).unwrap();
    assert_eq!(of("admin").role, "Role Management");
    assert!(!of("admin").delegating);
    assert!(of("gives").delegating);
}

#[tokio::test]
async fn reach_r05_delegated_permissions_are_folded_for_each_client() {
    let row = |client: u32, person: Option<u32>, resource: u32, scope: &str| {
        let kind = if person.is_some() {
            "Principal"
        } else {
            "AllPrincipals"
        };
        json!({"id": "x", "clientId": uuid(client), "consentType": kind,
            "principalId": person.map(uuid), "resourceId": uuid(resource), "scope": scope})
    };
    let list = json!([
        row(7, None, GRAPH, " openid Mail.ReadWrite Mail.Send.Shared"),
        row(7, Some(60), GRAPH, "Mail.Read User.Read"),
        row(7, Some(61), GRAPH, "Mail.Send"),
        row(7, Some(62), GRAPH, "User.Read"),
        row(8, None, GRAPH, "User.Read openid"),
        row(9, None, EXCHANGE, "Exchange.Manage"),
        row(9, None, 555, "Mail.Read")
    ]);
    let (_world, scan) = Tenant::new()
        .graph(DELEGATED, 200, json!({ "value": list }))
        .graph(principal(7), 200, an_application(7, "Newsletter"))
        .scan()
        .await;
    let one = |client: u32, resource, for_all, people, scopes: &[&str]| DelegatedGrant {
        client: object(client),
        resource,
        for_all,
        people,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    assert_eq!(
        scan.seen.rights.delegated,
        Reading::read(vec![
            one(7, Resource::Graph, false, 2, &["Mail.Read", "Mail.Send"]),
            one(
                7,
                Resource::Graph,
                true,
                0,
                &["Mail.ReadWrite", "Mail.Send.Shared"]
            ),
            one(9, Resource::Exchange, true, 0, &["Exchange.Manage"]),
        ])
    );
    // Who acts for others has a name.
    assert!(scan.details.contains_key(&object(7)));
    assert!(matches!(
        result(&scan, ScanPart::Delegated),
        PartResult::Read { count: 3 }
    ));
}

fn agent(number: u32, blueprint: u32) -> Value {
    json!({"id": uuid(number), "appId": uuid(number + 500),
        "agentIdentityBlueprintId": uuid(blueprint + 500)})
}

fn inheritable(blueprint: u32) -> String {
    format!(
        "{}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
        registration(blueprint)
    )
}

#[tokio::test]
async fn reach_r12_agents_inherit_what_their_blueprint_holds() {
    let blueprint = format!("/servicePrincipals(appId='{}')", uuid(MAILER + 500));
    let kinds = |roles: &str| {
        json!({"value": [{"resourceAppId": Resource::Graph.app_id(),
            "inheritableScopes": {"kind": "noScopes"}, "inheritableRoles": {"kind": roles}}]})
    };
    let tenant = |roles: &str| {
        Tenant::new()
            .graph(
                AGENTS,
                200,
                json!({"value": [agent(7, MAILER), agent(8, 900)]}),
            )
            .graph(blueprint.clone(), 200, json!({"id": uuid(MAILER)}))
            .graph(inheritable(MAILER), 200, kinds(roles))
            .graph(principal(7), 200, an_application(7, "Agent"))
    };
    let (_world, scan) = tenant("allAllowed").scan().await;
    let inherited = scan.seen.powers.inherited.get().unwrap();
    assert_eq!(inherited.len(), 1);
    assert_eq!(inherited[0].principal, object(7));
    assert_eq!(inherited[0].blueprint, object(MAILER));
    assert_eq!(inherited[0].value.as_deref(), Some("Mail.Send"));
    assert!(scan.details.contains_key(&object(7)));

    let (_world, scan) = tenant("noRoles").scan().await;
    assert_eq!(scan.seen.powers.inherited, Reading::read(vec![]));
    let (_world, scan) = tenant("some").scan().await;
    assert!(matches!(scan.seen.powers.inherited, Reading::Failed { .. }));
    // The registration of the blueprint is the vendor's.
    let gone = json!({"error": {"code": "Request_ResourceNotFound", "message": "gone"}});
    let (_world, scan) = tenant("allAllowed")
        .graph(inheritable(MAILER), 404, gone)
        .scan()
        .await;
    assert!(matches!(scan.seen.powers.inherited, Reading::Failed { .. }));
}

#[tokio::test]
async fn reach_r01_of_one_application_its_powers_are_read_too() {
    let owned = format!("{}/ownedObjects", principal(SCANNER));
    let delegated = format!("{}/oauth2PermissionGrants", principal(SCANNER));
    let (_world, scan) = Tenant::new()
        .graph(
            ROLES,
            200,
            json!({"value": [role(SCANNER, "servicePrincipal", EXCHANGE_ADMINISTRATOR, "/")]}),
        )
        .graph(
            owned,
            200,
            json!({"value": [
                {"@odata.type": "#microsoft.graph.application", "id": uuid(701), "appId": uuid(MAILER + 500)},
                {"@odata.type": "#microsoft.graph.group", "id": uuid(GROUP)}]}),
        )
        .graph(
            format!("/servicePrincipals(appId='{}')", uuid(MAILER + 500)),
            200,
            json!({"id": uuid(MAILER)}),
        )
        .graph(
            delegated,
            200,
            json!({"value": [{"clientId": uuid(SCANNER), "consentType": "AllPrincipals",
                "resourceId": uuid(GRAPH), "scope": "Mail.Read"}]}),
        )
        .scan_application(SCANNER)
        .await;
    let powers = &scan.seen.powers;
    assert_eq!(powers.directory_roles.get().unwrap().len(), 1);
    let ownership = powers.ownerships.get().unwrap();
    assert_eq!(ownership.len(), 1);
    assert_eq!(
        (ownership[0].owner, ownership[0].owned),
        (object(SCANNER), object(MAILER))
    );
    // The one that is owned has a name.
    assert_eq!(scan.seen.principals.get().unwrap().len(), 2);
    assert_eq!(scan.seen.rights.delegated.get().unwrap().len(), 1);
    assert!(powers.role_groups.is_read() && powers.inherited.is_read());

    let denied = json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}});
    let owned = format!("{}/ownedObjects", principal(SCANNER));
    let (_world, scan) = Tenant::new()
        .graph(owned, 403, denied)
        .scan_application(SCANNER)
        .await;
    assert!(matches!(
        scan.seen.powers.ownerships,
        Reading::NotPermitted { .. }
    ));
}

#[tokio::test]
async fn reach_r11_roles_of_other_resources_and_keys_of_exchange_are_read() {
    use domain::{
        permission::other::OtherResource,
        reach::{Other, OtherHeld},
    };
    let purview = OtherResource::PurviewEdiscovery;
    let at = format!("/servicePrincipals(appId='{}')", purview.app_id());
    let roles = json!([{"id": uuid(960), "value": "eDiscovery.Download.Read"}]);
    let exchange = principal_path(Resource::Exchange);
    let key = |name: &str, ends: &str| json!({"displayName": name, "endDateTime": ends});
    let (world, scan) = Tenant::new()
        .graph(
            at.clone(),
            200,
            json!({"id": uuid(300), "appId": purview.app_id(), "appRoles": roles}),
        )
        .graph(
            format!("{at}/appRoleAssignedTo"),
            200,
            json!({"value": [held(7, &uuid(960).to_string(), 300)]}),
        )
        .graph(
            exchange,
            200,
            json!({"id": uuid(EXCHANGE), "appId": Resource::Exchange.app_id(), "appRoles": [],
                "keyCredentials": [key("Exchange Server Auth Certificate", "2999-01-01T00:00:00Z"),
                    key("an old one", "2001-01-01T00:00:00Z")],
                "passwordCredentials": []}),
        )
        .graph(principal(7), 200, an_application(7, "Exporter"))
        .graph(
            principal(EXCHANGE),
            200,
            an_application(EXCHANGE, "Office 365 Exchange Online"),
        )
        .scan()
        .await;
    assert_eq!(
        scan.seen.powers.others,
        Reading::read(vec![
            OtherHeld {
                principal: object(7),
                what: Other::Role {
                    resource: purview,
                    role: domain::id::AppRoleId(uuid(960)),
                    value: Some("eDiscovery.Download.Read".into()),
                },
            },
            OtherHeld {
                principal: object(EXCHANGE),
                what: Other::Keys { count: 1 },
            },
        ])
    );
    for number in [7, EXCHANGE] {
        assert!(scan.details.contains_key(&object(number)), "{number}");
    }
    assert!(matches!(
        result(&scan, ScanPart::Others),
        PartResult::Read { count: 2 }
    ));
    // In the requests that are made anyway: the first, and those of the principals.
    assert!(!world.asked("v1.0/$batch").await.is_empty());
}
