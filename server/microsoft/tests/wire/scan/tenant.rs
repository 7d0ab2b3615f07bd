//! A tenant with something of everything, and what a test wants of a scan of it.

use std::collections::HashMap;

use domain::{
    id::ObjectId,
    permission::Resource,
    reach::{Assignment, AssignmentScope, PartResult, ScanPart, Why},
};
use microsoft::Scan;
use serde_json::{Value, json};
use wiremock::{
    Mock, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::support::{TENANT, World, invoke_path, rows, uuid};

pub const MAIL_SEND: &str = "b633e1c5-b582-4048-a93e-9f11b44c7e96";
pub const GRAPH: u32 = 100;
pub const EXCHANGE: u32 = 200;
pub const MAILER: u32 = 1;
pub const SCANNER: u32 = 2;
pub const GROUP: u32 = 30;
pub const SENDERS: u32 = 31;
pub const UNIT: u32 = 40;
pub const RECEPTION: u32 = 50;
pub const SALES: u32 = 51;

/// What the tenant answers: Graph by the path in a batch, Exchange by the cmdlet.
pub struct Tenant {
    pub graph: HashMap<String, (u16, Value)>,
    pub cmdlets: HashMap<&'static str, ResponseTemplate>,
    /// The same for a cmdlet with this value of this parameter.
    pub when: Vec<(&'static str, &'static str, String, ResponseTemplate)>,
    /// What Exchange's batch answers to a cmdlet with this identity; without any there is no batch.
    pub batched: Vec<(&'static str, String, Value)>,
    /// The list of administrative units, where it is another than usual.
    pub units: Option<ResponseTemplate>,
    /// Refuses a `$select` with this property, as a Graph that does not have it.
    pub lacks: Option<&'static str>,
}

pub fn principal_path(resource: Resource) -> String {
    format!("/servicePrincipals(appId='{}')", resource.app_id())
}

pub fn list(values: Value) -> (u16, Value) {
    (200, json!({ "value": values }))
}

pub fn object(number: u32) -> ObjectId {
    ObjectId(uuid(number))
}

pub fn held(principal: u32, role: &str, resource: u32) -> Value {
    json!({"id": "x", "appRoleId": role, "principalId": uuid(principal),
        "principalType": "ServicePrincipal", "principalDisplayName": "P",
        "resourceId": uuid(resource), "resourceDisplayName": "R"})
}

pub fn row(name: &str, role: &str, kind: &str, scope: &str) -> Value {
    json!({"Identity": name, "Name": name, "Role": role, "RoleAssignee": uuid(SCANNER),
        "RoleAssigneeName": uuid(SCANNER), "RoleAssigneeType": "ServicePrincipal",
        "RecipientWriteScope": kind, "CustomResourceScope": scope,
        "CustomRecipientWriteScope": scope, "Enabled": true})
}

pub const ROLES: &str = "/roleManagement/directory/roleAssignments";
pub const DELEGATED: &str = "/oauth2PermissionGrants";
pub const AGENTS: &str = "/servicePrincipals/microsoft.graph.agentIdentity";

pub fn registration(number: u32) -> String {
    format!("/applications(appId='{}')", uuid(number + 500))
}

pub fn federated(number: u32) -> String {
    format!("{}/federatedIdentityCredentials", registration(number))
}

pub fn principal(number: u32) -> String {
    format!("/servicePrincipals/{}", uuid(number))
}

/// A service principal that nobody owns.
pub fn an_application(number: u32, name: &str) -> Value {
    json!({"id": uuid(number), "appId": uuid(number + 500), "displayName": name,
        "appOwnerOrganizationId": uuid(800), "servicePrincipalType": "Application",
        "accountEnabled": true, "keyCredentials": [], "passwordCredentials": [], "owners": []})
}

pub fn owner(kind: &str, number: u32) -> Value {
    json!({"@odata.type": format!("#microsoft.graph.{kind}"), "id": uuid(number),
        "displayName": format!("Owner {number}")})
}

/// A group as `Get-Recipient` shows it.
pub fn a_group(number: u32, name: &str) -> Value {
    json!({"Identity": name, "Name": name, "DisplayName": name, "Guid": uuid(number + 1000),
        "ExternalDirectoryObjectId": uuid(number)})
}

pub fn user(number: u32) -> Value {
    json!({"@odata.type": "#microsoft.graph.user", "id": uuid(number)})
}

impl Tenant {
    /// One application with a grant that a policy narrows, one with roles of every scope.
    pub fn new() -> Self {
        let mut graph = HashMap::new();
        for (resource, object) in [(Resource::Graph, GRAPH), (Resource::Exchange, EXCHANGE)] {
            let at = principal_path(resource);
            let roles = json!([{"id": MAIL_SEND, "value": "Mail.Send"},
                {"id": uuid(900), "value": "User.Read.All"}]);
            let body = json!({"id": uuid(object), "appId": resource.app_id(), "appRoles": roles});
            graph.insert(at.clone(), (200, body));
            graph.insert(format!("{at}/appRoleAssignedTo"), list(json!([])));
        }
        let at = format!("{}/appRoleAssignedTo", principal_path(Resource::Graph));
        let elsewhere = held(3, &uuid(900).to_string(), GRAPH);
        graph.insert(at, list(json!([held(MAILER, MAIL_SEND, GRAPH), elsewhere])));
        for (number, name, owner) in [
            (MAILER, "Mailer", uuid(800).to_string()),
            (SCANNER, "Scanner", TENANT.to_owned()),
        ] {
            graph.insert(
                format!("/servicePrincipals/{}", uuid(number)),
                (200, json!({"id": uuid(number), "appId": uuid(number + 500), "displayName": name,
                    "appOwnerOrganizationId": owner, "publisherName": "Somebody",
                    "servicePrincipalType": "Application", "accountEnabled": true,
                    "verifiedPublisher": {"displayName": "Somebody Ltd"},
                    "createdDateTime": "2024-03-01T08:00:00Z", "notes": "ask Ida", "owners": [],
                    "keyCredentials": [{"displayName": "CN=mail", "endDateTime": "2027-01-01T00:00:00Z"}],
                    "passwordCredentials": []})),
            );
        }
        graph.insert(
            registration(SCANNER),
            (200, json!({"id": uuid(700), "appId": uuid(SCANNER + 500), "keyCredentials": [], "owners": [],
                "passwordCredentials": [{"displayName": "2025", "endDateTime": "2026-12-24T00:00:00Z"}]})),
        );
        for (number, name) in [(GROUP, "board"), (SENDERS, "senders")] {
            let at = format!("/groups/{}", uuid(number));
            graph.insert(
                at.clone(),
                (
                    200,
                    json!({"id": uuid(number), "displayName": name,
                "mail": format!("{name}@fabrikam.example"), "visibility": null}),
                ),
            );
            let inner = json!({"@odata.type": "#microsoft.graph.group", "id": uuid(39)});
            graph.insert(
                format!("{at}/members"),
                list(json!([user(RECEPTION), inner])),
            );
            let all = json!([user(RECEPTION), inner, user(SALES)]);
            graph.insert(format!("{at}/transitiveMembers"), list(all));
        }
        let at = format!("/directory/administrativeUnits/{}/members", uuid(UNIT));
        graph.insert(at, list(json!([user(SALES)])));
        for at in [ROLES, DELEGATED, AGENTS] {
            graph.insert(at.to_owned(), list(json!([])));
        }
        for number in [MAILER, SCANNER] {
            for what in ["oauth2PermissionGrants", "ownedObjects"] {
                let at = format!("/servicePrincipals/{}/{what}", uuid(number));
                graph.insert(at, list(json!([])));
            }
        }
        graph.insert(federated(SCANNER), list(json!([])));
        Self {
            graph,
            cmdlets: HashMap::from([
                (
                    "Get-ApplicationAccessPolicy",
                    rows(&json!([{
                    "Identity": format!("{TENANT}\\{}:S-1-5;{}", uuid(MAILER + 500), uuid(GROUP)),
                    "AppId": uuid(MAILER + 500), "AccessRight": "RestrictAccess",
                    "ScopeName": "Board", "ScopeIdentity": "board",
                    "ScopeIdentityRaw": format!("S-1-5;{}", uuid(GROUP)),
                    "Description": " ", "IsValid": true}])),
                ),
                (
                    "Get-ManagementRoleAssignment",
                    rows(&json!([
                    row("all", "Application Mail.Read", "Organization", ""),
                    row("custom", "Application Mail.Send", "CustomRecipientScope", "Front"),
                    row("group", "Application Mail.Send", "Group", "Senders"),
                    row("unit", "Application Mail.Send", "AdministrativeUnit", "Shop"),
                    row("odd", "Application Mail.Send", "MyGal", ""),
                    {"Name": "admins", "Role": "Role Management", "RoleAssignee": "Organization Management",
                        "RoleAssigneeName": "Organization Management", "RoleAssigneeType": "RoleGroup",
                        "RecipientWriteScope": "Organization", "Enabled": true}])),
                ),
                (
                    "Get-ServicePrincipal",
                    rows(&json!([{"Identity": uuid(SCANNER), "Name": "Scanner",
                    "DisplayName": "Scanner", "ObjectId": uuid(SCANNER), "AppId": uuid(SCANNER + 500)}])),
                ),
                (
                    "Get-Mailbox",
                    rows(&json!([
                    {"DisplayName": "Reception", "PrimarySmtpAddress": "reception@fabrikam.example",
                        "ExternalDirectoryObjectId": uuid(RECEPTION)},
                    {"DisplayName": "Sales", "PrimarySmtpAddress": "sales@fabrikam.example",
                        "ExternalDirectoryObjectId": uuid(SALES)},
                    {"DisplayName": "Discovery", "PrimarySmtpAddress": "d@fabrikam.example",
                        "ExternalDirectoryObjectId": ""}])),
                ),
                (
                    "Get-ManagementScope",
                    rows(&json!([
                    {"Name": "front", "ScopeRestrictionType": "RecipientScope", "Exclusive": false,
                        "RecipientRoot": "", "RecipientFilter": "Title -eq 'Front'"},
                    {"Name": "Unused", "ScopeRestrictionType": "RecipientScope", "Exclusive": false,
                        "RecipientRoot": "", "RecipientFilter": "Title -eq 'x'"}])),
                ),
                (
                    "Get-Recipient",
                    rows(&json!([{"ExternalDirectoryObjectId": uuid(RECEPTION)}])),
                ),
                ("Get-RoleGroupMember", rows(&json!([]))),
            ]),
            when: vec![
                (
                    "Get-Mailbox",
                    "GroupMailbox",
                    "true".to_owned(),
                    rows(&json!([])),
                ),
                (
                    "Get-Recipient",
                    "Filter",
                    "Name -eq 'Senders'".to_owned(),
                    rows(&json!([a_group(SENDERS, "Senders")])),
                ),
            ],
            batched: Vec::new(),
            units: None,
            lacks: None,
        }
    }

    pub fn cmdlet(mut self, name: &'static str, answer: ResponseTemplate) -> Self {
        self.cmdlets.insert(name, answer);
        self
    }

    pub fn graph(mut self, at: impl Into<String>, status: u16, body: Value) -> Self {
        self.graph.insert(at.into(), (status, body));
        self
    }

    /// Before what was said for this parameter until now.
    pub fn when(
        mut self,
        cmdlet: &'static str,
        parameter: &'static str,
        value: impl ToString,
        answer: ResponseTemplate,
    ) -> Self {
        let one = (cmdlet, parameter, value.to_string(), answer);
        self.when.insert(0, one);
        self
    }

    pub fn batched(mut self, cmdlet: &'static str, identity: impl ToString, answer: Value) -> Self {
        self.batched.push((cmdlet, identity.to_string(), answer));
        self
    }

    pub async fn on(self, world: &World) {
        let Self {
            graph,
            cmdlets,
            when,
            batched,
            units,
            lacks,
        } = self;
        if !batched.is_empty() {
            Mock::given(method("POST"))
                .and(path(format!("/adminapi/beta/{TENANT}/$batch")))
                .respond_with(move |request: &Request| {
                    let body: Value = request.body_json().unwrap();
                    let answer = |item: &Value| {
                        let input = &item["body"]["CmdletInput"];
                        let known = batched.iter().find(|(cmdlet, identity, _)| {
                            input["CmdletName"] == *cmdlet
                                && input["Parameters"]["Identity"] == identity.as_str()
                        });
                        let rows = known.map_or_else(|| json!([]), |(.., rows)| rows.clone());
                        json!({"id": item["id"], "status": 200, "body": {"value": rows}})
                    };
                    let all: Vec<Value> = body["requests"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(answer)
                        .collect();
                    ResponseTemplate::new(200).set_body_json(json!({ "responses": all }))
                })
                .mount(&world.server)
                .await;
        }
        world
            .on(
                "GET",
                "/v1.0/directory/administrativeUnits",
                units.unwrap_or_else(|| ResponseTemplate::new(200).set_body_json(json!({"value": [
                    {"id": uuid(UNIT), "displayName": "Shop"},
                    {"id": uuid(41), "displayName": "Twin"}, {"id": uuid(42), "displayName": "Twin"}]}))),
            )
            .await;
        Mock::given(method("POST"))
            .and(path("/v1.0/$batch"))
            .respond_with(move |request: &Request| {
                let body: Value = request.body_json().unwrap();
                let answer = |item: &Value| {
                    let url = item["url"].as_str().unwrap();
                    let at = url.split('?').next().unwrap();
                    let lacking = lacks.is_some_and(|property| url.contains(property));
                    let (status, body) = if lacking {
                        (400, json!({"error": {"code": "BadRequest", "message": "Could not find a property"}}))
                    } else {
                        graph.get(at).cloned().unwrap_or((404, json!({"error":
                            {"code": "Request_ResourceNotFound", "message": "gone"}})))
                    };
                    json!({"id": item["id"], "status": status, "headers": {}, "body": body})
                };
                let responses: Vec<Value> = body["requests"].as_array().unwrap().iter().map(answer).collect();
                ResponseTemplate::new(200).set_body_json(json!({ "responses": responses }))
            })
            .mount(&world.server)
            .await;
        Mock::given(method("POST"))
            .and(path(invoke_path()))
            .respond_with(move |request: &Request| {
                let body: Value = request.body_json().unwrap();
                let input = &body["CmdletInput"];
                let name = input["CmdletName"].as_str().unwrap();
                let given = |parameter: &str| match &input["Parameters"][parameter] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                when.iter()
                    .find(|(cmdlet, parameter, value, _)| {
                        *cmdlet == name && given(parameter) == *value
                    })
                    .map_or_else(|| cmdlets[name].clone(), |(.., answer)| answer.clone())
            })
            .mount(&world.server)
            .await;
    }

    /// The same, for one application.
    pub async fn scan_application(self, number: u32) -> (World, Scan) {
        let world = World::new().await;
        let customer = world.customer().await;
        self.on(&world).await;
        let scan = customer.scan_application(object(number)).await;
        (world, scan)
    }

    pub async fn scan(self) -> (World, Scan) {
        let world = World::new().await;
        let customer = world.customer().await;
        self.on(&world).await;
        let scan = customer.scan().await;
        (world, scan)
    }
}

/// Whoever consented has no role in Exchange (MICROSOFT.md §1.4).
pub fn no_role() -> ResponseTemplate {
    ResponseTemplate::new(403).set_body_bytes(vec![0; 4_000])
}

pub fn result(scan: &Scan, part: ScanPart) -> &PartResult {
    &scan
        .parts
        .iter()
        .find(|read| read.part == part)
        .unwrap()
        .result
}

pub fn why(scan: &Scan, part: ScanPart) -> &Why {
    match result(scan, part) {
        PartResult::Unread { why, .. } => why,
        read => panic!("{part:?} is {read:?}"),
    }
}

pub fn scope_of<'a>(scan: &'a Scan, name: &str) -> &'a AssignmentScope {
    let assignments: &Vec<Assignment> = scan.seen.assignments.get().unwrap();
    &assignments
        .iter()
        .find(|one| one.name == name)
        .unwrap()
        .scope
}

pub const EXCHANGE_PARTS: [ScanPart; 4] = [
    ScanPart::Policies,
    ScanPart::Assignments,
    ScanPart::Pointers,
    ScanPart::Mailboxes,
];
