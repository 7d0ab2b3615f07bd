//! The table of Graph's calls: pattern, permissions, cost, handler.

use super::Context;
use super::errors::GraphError;
use super::{
    agents, applications, assignments, batch, credentials, directory, partner, roles, send_mail,
    units,
};
use crate::entra::token::Claims;
use crate::http_parts::{Call, Reply};

/// One call.
#[derive(Debug)]
pub struct Route {
    pub method: &'static str,
    /// Segments after the version; `{…}` takes anything.
    pub pattern: &'static str,
    /// Any one of these permissions, delegated or of the application, is enough; empty = any
    /// token.
    pub permissions: &'static [&'static str],
    /// Resource units before `$select` and `$top` (MICROSOFT.md §7.3).
    pub cost: u64,
    /// Served by Outlook, which has limits of its own.
    pub outlook: bool,
    pub run: fn(&mut Context<'_>) -> Result<Reply, GraphError>,
}

impl Route {
    /// As in the log: `GET /users/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }

    pub fn permits(&self, claims: &Claims) -> bool {
        self.permissions.is_empty()
            || self.permissions.iter().any(|permission| {
                if claims.delegated {
                    claims.has_scope(permission)
                } else {
                    claims.has_role(permission)
                }
            })
    }

    /// Whether it reads a collection of the directory.
    fn is_collection(&self) -> bool {
        self.method == "GET"
            && !self.outlook
            && self.pattern != "/me"
            && !self.pattern.ends_with('}')
    }

    pub fn units(&self, call: &Call) -> u64 {
        let select = u64::from(call.query("$select").is_some());
        let small = call
            .query("$top")
            .and_then(|top| top.parse::<u64>().ok())
            .is_some_and(|top| top < 20);
        let expand = u64::from(call.query("$expand").is_some());
        (self.cost + expand)
            .saturating_sub(select)
            .saturating_sub(u64::from(small))
            .max(1)
    }
}

const APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const GRANTS: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const USERS: &[&str] = &[
    "User.Read.All",
    "User.ReadBasic.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const GROUPS: &[&str] = &[
    "Group.Read.All",
    "GroupMember.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const ORGANISATION: &[&str] = &[
    "Organization.Read.All",
    "User.Read",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const DOMAINS: &[&str] = &[
    "Domain.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const DIRECTORY: &[&str] = &[
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const ME: &[&str] = &["User.Read", "User.Read.All", "Directory.Read.All"];
const MY_ROLES: &[&str] = &[
    "User.Read",
    "Directory.Read.All",
    "GroupMember.Read.All",
    "RoleManagement.Read.Directory",
];
const RELATIONSHIPS: &[&str] = &[
    "DelegatedAdminRelationship.Read.All",
    "DelegatedAdminRelationship.ReadWrite.All",
];
const CONSENTS: &[&str] = &[
    "Directory.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.ReadWrite.All",
];

/// Federated credentials: no right to read the directory is enough (MICROSOFT.md §10.6).
const CREDENTIALS: &[&str] = &["Application.Read.All", "Application.ReadWrite.All"];
const AGENTS: &[&str] = &[
    "AgentIdentity.Read.All",
    "AgentIdentity.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const BLUEPRINTS: &[&str] = &[
    "AgentIdentityBlueprint.Read.All",
    "AgentIdentityBlueprint.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const INHERITABLE: &[&str] = &[
    "AgentIdentityBlueprint.Read.All",
    "AgentIdentityBlueprint.ReadWrite.All",
    "Application.Read.All",
];
const CREDENTIALS_WRITE: &[&str] = &["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"];
const ROLES: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];
const SETTING_ROLES: &[&str] = &["RoleManagement.ReadWrite.Directory"];
const UNITS: &[&str] = &[
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
];

type Run = fn(&mut Context<'_>) -> Result<Reply, GraphError>;

const fn get(
    pattern: &'static str,
    permissions: &'static [&'static str],
    cost: u64,
    run: Run,
) -> Route {
    Route {
        method: "GET",
        pattern,
        permissions,
        cost,
        outlook: false,
        run,
    }
}

const fn write(
    method: &'static str,
    pattern: &'static str,
    permissions: &'static [&'static str],
    run: Run,
) -> Route {
    Route {
        method,
        pattern,
        permissions,
        cost: 1,
        outlook: false,
        run,
    }
}

const fn outlook(
    method: &'static str,
    pattern: &'static str,
    permissions: &'static [&'static str],
    run: Run,
) -> Route {
    Route {
        method,
        pattern,
        permissions,
        cost: 1,
        outlook: true,
        run,
    }
}

static ROUTES: &[Route] = &[
    write("POST", "/$batch", &[], batch::run),
    get("/organization", ORGANISATION, 1, directory::organization),
    get(
        "/organization/{id}",
        ORGANISATION,
        1,
        directory::organization_by_id,
    ),
    get("/domains", DOMAINS, 1, directory::domains),
    get(
        "/subscribedSkus",
        ORGANISATION,
        1,
        directory::subscribed_skus,
    ),
    get("/me", ME, 1, directory::me),
    get(
        "/me/transitiveMemberOf",
        MY_ROLES,
        1,
        directory::my_memberships,
    ),
    get("/me/memberOf", MY_ROLES, 1, directory::my_memberships),
    get(
        "/me/transitiveMemberOf/microsoft.graph.directoryRole",
        MY_ROLES,
        1,
        directory::my_roles,
    ),
    get(
        "/me/memberOf/microsoft.graph.directoryRole",
        MY_ROLES,
        1,
        directory::my_roles,
    ),
    outlook("POST", "/me/sendMail", &["Mail.Send"], send_mail::as_me),
    get("/users", USERS, 2, directory::users),
    get("/users/{id}", USERS, 1, directory::user),
    get(
        "/users/{id}/memberOf",
        DIRECTORY,
        1,
        directory::user_direct_memberships,
    ),
    get(
        "/users/{id}/transitiveMemberOf",
        DIRECTORY,
        1,
        directory::user_memberships,
    ),
    // No permission is asked for here of Outlook's: RBAC for Applications works without any role in
    // the token.
    outlook(
        "GET",
        "/users/{id}/mailboxSettings",
        &[],
        send_mail::mailbox_settings,
    ),
    outlook(
        "GET",
        "/users/{id}/mailboxSettings/userPurpose",
        &[],
        send_mail::user_purpose,
    ),
    outlook("GET", "/users/{id}/messages", &[], send_mail::messages),
    outlook("GET", "/users/{id}/events", &[], send_mail::events),
    outlook("GET", "/users/{id}/contacts", &[], send_mail::contacts),
    outlook("POST", "/users/{id}/sendMail", &[], send_mail::as_user),
    get("/groups", GROUPS, 1, directory::groups),
    get("/groups/{id}", GROUPS, 1, directory::group),
    get("/groups/{id}/members", GROUPS, 3, directory::group_members),
    get(
        "/groups/{id}/transitiveMembers",
        GROUPS,
        5,
        directory::group_members_nested,
    ),
    get(
        "/groups/{id}/members/microsoft.graph.servicePrincipal",
        GROUPS,
        3,
        directory::group_principals,
    ),
    get(
        "/groups/{id}/transitiveMembers/microsoft.graph.servicePrincipal",
        GROUPS,
        5,
        directory::group_principals_nested,
    ),
    get("/groups/{id}/owners", GROUPS, 1, directory::group_owners),
    get("/directory/administrativeUnits", UNITS, 1, units::all),
    get("/directory/administrativeUnits/{id}", UNITS, 1, units::one),
    get(
        "/directory/administrativeUnits/{id}/members",
        UNITS,
        3,
        units::members,
    ),
    get(
        "/roleManagement/directory/roleAssignments",
        ROLES,
        1,
        roles::assignments,
    ),
    get(
        "/roleManagement/directory/roleAssignments/{id}",
        ROLES,
        1,
        roles::assignment,
    ),
    write(
        "POST",
        "/roleManagement/directory/roleAssignments",
        SETTING_ROLES,
        roles::assign,
    ),
    write(
        "DELETE",
        "/roleManagement/directory/roleAssignments/{id}",
        SETTING_ROLES,
        roles::unassign,
    ),
    get(
        "/roleManagement/directory/transitiveRoleAssignments",
        ROLES,
        1,
        roles::transitive,
    ),
    get(
        "/roleManagement/directory/roleDefinitions",
        ROLES,
        1,
        roles::definitions,
    ),
    get(
        "/roleManagement/directory/roleDefinitions/{id}",
        ROLES,
        1,
        roles::definition,
    ),
    // Types stand where a key could: before the routes with keys.
    get(
        "/servicePrincipals/microsoft.graph.agentIdentity",
        AGENTS,
        1,
        agents::agents,
    ),
    get(
        "/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal",
        BLUEPRINTS,
        1,
        agents::blueprint_principals,
    ),
    get(
        "/servicePrincipals/microsoft.graph.agentIdentity/{id}",
        AGENTS,
        1,
        agents::agent,
    ),
    get(
        "/servicePrincipals/{id}/microsoft.graph.agentIdentity",
        AGENTS,
        1,
        agents::agent,
    ),
    get(
        "/servicePrincipals/microsoft.graph.agentIdentity/{id}/inheritedAppRoleAssignments",
        APPLICATIONS,
        1,
        agents::inherited_roles,
    ),
    get(
        "/servicePrincipals/microsoft.graph.agentIdentity/{id}/inheritedOauth2PermissionGrants",
        APPLICATIONS,
        1,
        agents::inherited_consents,
    ),
    get(
        "/applications/microsoft.graph.agentIdentityBlueprint",
        BLUEPRINTS,
        1,
        agents::blueprints,
    ),
    get(
        "/applications/{id}/microsoft.graph.agentIdentityBlueprint/inheritablePermissions",
        INHERITABLE,
        1,
        agents::inheritable,
    ),
    get(
        "/applications/microsoft.graph.agentIdentityBlueprint/{id}/inheritablePermissions",
        INHERITABLE,
        1,
        agents::inheritable,
    ),
    get(
        "/servicePrincipals",
        APPLICATIONS,
        1,
        applications::principals,
    ),
    get(
        "/servicePrincipals/{id}",
        APPLICATIONS,
        1,
        applications::principal,
    ),
    get(
        "/servicePrincipals/{id}/owners",
        APPLICATIONS,
        1,
        applications::principal_owners,
    ),
    get(
        "/servicePrincipals/{id}/ownedObjects",
        APPLICATIONS,
        1,
        applications::owned_objects,
    ),
    get(
        "/servicePrincipals/{id}/transitiveMemberOf/microsoft.graph.directoryRole",
        APPLICATIONS,
        1,
        roles::of_principal,
    ),
    get(
        "/servicePrincipals/{id}/memberOf/microsoft.graph.directoryRole",
        APPLICATIONS,
        1,
        roles::of_principal_itself,
    ),
    write(
        "POST",
        "/servicePrincipals/{id}/addPassword",
        CREDENTIALS_WRITE,
        credentials::add_to_principal,
    ),
    get(
        "/servicePrincipals/{id}/appRoleAssignments",
        APPLICATIONS,
        2,
        assignments::held,
    ),
    get(
        "/servicePrincipals/{id}/appRoleAssignments/{id}",
        APPLICATIONS,
        1,
        assignments::one,
    ),
    get(
        "/servicePrincipals/{id}/appRoleAssignedTo",
        APPLICATIONS,
        2,
        assignments::given,
    ),
    get(
        "/servicePrincipals/{id}/oauth2PermissionGrants",
        CONSENTS,
        2,
        assignments::consents_of,
    ),
    write(
        "POST",
        "/servicePrincipals/{id}/appRoleAssignments",
        GRANTS,
        assignments::add,
    ),
    write(
        "POST",
        "/servicePrincipals/{id}/appRoleAssignedTo",
        GRANTS,
        assignments::add,
    ),
    write(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignments/{id}",
        GRANTS,
        assignments::remove,
    ),
    write(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignedTo/{id}",
        GRANTS,
        assignments::remove,
    ),
    get("/applications", APPLICATIONS, 2, applications::applications),
    get(
        "/applications/{id}",
        APPLICATIONS,
        1,
        applications::application,
    ),
    get(
        "/applications/{id}/owners",
        APPLICATIONS,
        1,
        applications::application_owners,
    ),
    get(
        "/applications/{id}/federatedIdentityCredentials",
        CREDENTIALS,
        1,
        credentials::federated,
    ),
    get(
        "/applications/{id}/federatedIdentityCredentials/{id}",
        CREDENTIALS,
        1,
        credentials::federated_one,
    ),
    write(
        "POST",
        "/applications/{id}/addPassword",
        CREDENTIALS_WRITE,
        credentials::add_to_application,
    ),
    get(
        "/oauth2PermissionGrants",
        CONSENTS,
        2,
        assignments::consents,
    ),
    get(
        "/tenantRelationships/delegatedAdminRelationships",
        RELATIONSHIPS,
        1,
        partner::relationships,
    ),
    get(
        "/tenantRelationships/delegatedAdminRelationships/{id}",
        RELATIONSHIPS,
        1,
        partner::relationship,
    ),
    get(
        "/tenantRelationships/delegatedAdminRelationships/{id}/accessAssignments",
        RELATIONSHIPS,
        1,
        partner::access_assignments,
    ),
    get(
        "/tenantRelationships/delegatedAdminCustomers",
        RELATIONSHIPS,
        1,
        partner::customers,
    ),
    get("/contracts", DIRECTORY, 3, partner::contracts),
];

/// The path after the version, with `name('key')` and `name(appId='key')` taken apart.
pub fn segments(call: &Call) -> Vec<String> {
    let mut out = Vec::new();
    for segment in call.segments.iter().skip(1) {
        match segment.split_once('(') {
            Some((name, rest)) if rest.ends_with(')') && !name.is_empty() => {
                out.push(name.to_owned());
                let key = rest.strip_suffix(')').unwrap_or(rest);
                // A plain key loses its quotes; a named one stays as it is.
                out.push(match key.strip_prefix('\'') {
                    Some(bare) => bare.trim_end_matches('\'').replace("''", "'"),
                    None => key.to_owned(),
                });
            }
            _ => out.push(segment.clone()),
        }
    }
    out
}

fn keys_of(route: &Route, segments: &[String]) -> Option<Vec<String>> {
    let pattern: Vec<&str> = route.pattern.trim_start_matches('/').split('/').collect();
    if pattern.len() != segments.len() {
        return None;
    }
    let mut keys = Vec::new();
    for (part, segment) in pattern.iter().zip(segments) {
        // `$count`, `$ref` and the like are no keys.
        if part.starts_with('{') && !segment.starts_with('$') {
            keys.push(segment.clone());
        } else if !part.eq_ignore_ascii_case(segment) {
            return None;
        }
    }
    Some(keys)
}

/// The route of a call, and its keys.
pub fn find(call: &Call) -> Option<(&'static Route, Vec<String>)> {
    let segments = segments(call);
    let exact = find_among(call, &segments, |_| true);
    exact.or_else(|| {
        let ending = ending_of(&segments);
        let rest = segments.get(..segments.len() - ending.length)?;
        (ending.length > 0)
            .then(|| find_among(call, rest, Route::is_collection))
            .flatten()
    })
}

fn find_among(
    call: &Call,
    segments: &[String],
    fits: impl Fn(&Route) -> bool,
) -> Option<(&'static Route, Vec<String>)> {
    ROUTES
        .iter()
        .filter(|route| route.method == call.method.as_str() && fits(route))
        .find_map(|route| keys_of(route, segments).map(|keys| (route, keys)))
}

/// What can follow a collection: a type that its rows are narrowed to, and `$count`.
#[derive(Debug, Default)]
pub struct Ending {
    pub count: bool,
    /// The type without its name space.
    pub cast: Option<String>,
    length: usize,
}

fn ending_of(segments: &[String]) -> Ending {
    let mut ending = Ending::default();
    let mut rest = segments.iter().rev().peekable();
    if rest.next_if(|last| *last == "$count").is_some() {
        ending.count = true;
        ending.length += 1;
    }
    let cast = rest.peek().and_then(|last| {
        last.strip_prefix("microsoft.graph.")
            .or_else(|| last.strip_prefix("graph."))
    });
    if let Some(cast) = cast {
        ending.cast = Some(cast.to_owned());
        ending.length += 1;
    }
    ending
}

/// See [`Ending`].
pub fn ending(call: &Call) -> Ending {
    ending_of(&segments(call))
}

/// Whether the address exists with another method.
pub fn other_method(call: &Call) -> bool {
    let segments = segments(call);
    ROUTES
        .iter()
        .any(|route| keys_of(route, &segments).is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Method};

    fn route(method: Method, target: &str) -> Option<(String, Vec<String>)> {
        let call = Call::new(method, target, HeaderMap::new(), Bytes::new());
        find(&call).map(|(route, keys)| (route.name(), keys))
    }

    #[test]
    fn keys_come_in_three_forms() {
        let (name, keys) = route(Method::GET, "/v1.0/users/a@b.example").unwrap();
        assert_eq!(
            (name.as_str(), keys),
            ("GET /users/{id}", vec!["a@b.example".to_owned()])
        );
        let (_, keys) = route(Method::GET, "/v1.0/users('o''neil@b.example')").unwrap();
        assert_eq!(keys, ["o'neil@b.example"]);
        let (name, keys) = route(
            Method::GET,
            "/v1.0/servicePrincipals(appId='x')/appRoleAssignedTo",
        )
        .unwrap();
        assert_eq!(name, "GET /servicePrincipals/{id}/appRoleAssignedTo");
        assert_eq!(keys, ["appId='x'"]);
        assert!(route(Method::PUT, "/v1.0/users").is_none());
    }
}
