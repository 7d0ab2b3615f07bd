//! Organisation, people and groups.

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::GraphError;
use super::odata::{self, Shape, TOP};
use super::{Context, entities};
use crate::clock::iso;
use crate::http_parts::Reply;
use crate::world::tenant::{Change, Group, Tenant, User};

const USERS: Shape = Shape {
    name: "users",
    default: &[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ],
    filterable: &[
        "id",
        "displayName",
        "givenName",
        "surname",
        "mail",
        "mailNickname",
        "userPrincipalName",
        "accountEnabled",
        "userType",
        "proxyAddresses",
        "city",
        "companyName",
        "country",
        "createdDateTime",
        "department",
        "employeeId",
        "jobTitle",
        "officeLocation",
        "onPremisesSyncEnabled",
        "otherMails",
        "state",
        "usageLocation",
    ],
    searchable: &["displayName", "mail", "userPrincipalName"],
    top: TOP,
};

const GROUPS: Shape = Shape {
    name: "groups",
    default: &[],
    filterable: &[
        "id",
        "displayName",
        "mail",
        "mailNickname",
        "mailEnabled",
        "securityEnabled",
        "proxyAddresses",
        "groupTypes",
        "createdDateTime",
        "description",
        "onPremisesSyncEnabled",
        "visibility",
    ],
    searchable: &["displayName", "mail"],
    top: TOP,
};

const MEMBERS: Shape = Shape {
    name: "directoryObjects",
    default: &[],
    filterable: &["id", "displayName", "mail"],
    searchable: &["displayName"],
    top: TOP,
};

const PLAIN: Shape = Shape {
    name: "organization",
    default: &[],
    filterable: &["id", "skuPartNumber"],
    searchable: &[],
    top: TOP,
};

fn graph_side(change: &Change) -> crate::clock::Time {
    change.graph
}

fn organisation(context: &mut Context<'_>) -> Result<Value, GraphError> {
    let tenant = context.tenant()?;
    let exchange = tenant.exchange.licensed;
    let mut domains = vec![json!({
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": true,
        "isInitial": false,
        "name": tenant.domain,
        "type": "Managed",
    })];
    domains.push(json!({
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": false,
        "isInitial": true,
        "name": tenant.initial_domain,
        "type": "Managed",
    }));
    let plans = if exchange {
        json!([{"service": "exchange", "capabilityStatus": "Enabled", "servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0"}])
    } else {
        json!([])
    };
    Ok(json!({
        "id": tenant.id,
        "displayName": tenant.name,
        "countryLetterCode": tenant.country,
        "createdDateTime": iso(tenant.created),
        "tenantType": "AAD",
        "verifiedDomains": domains,
        "assignedPlans": plans,
        "technicalNotificationMails": [],
    }))
}

pub fn organization(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let row = organisation(context)?;
    odata::list(context, vec![row], &PLAIN)
}

pub fn organization_by_id(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    if context.key(0) != context.claims.tenant.to_string() {
        return Err(GraphError::not_found(context.key(0)));
    }
    let row = organisation(context)?;
    odata::entity(context, row, &PLAIN)
}

pub fn domains(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = [(&tenant.domain, false), (&tenant.initial_domain, true)]
        .map(|(name, initial)| {
            json!({
                "id": name,
                "authenticationType": "Managed",
                "isAdminManaged": true,
                "isDefault": !initial,
                "isInitial": initial,
                "isRoot": true,
                "isVerified": true,
                "supportedServices": ["Email"],
            })
        })
        .to_vec();
    let shape = Shape {
        name: "domains",
        ..PLAIN
    };
    odata::list(context, rows, &shape)
}

pub fn subscribed_skus(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let people = tenant
        .users
        .values()
        .filter(|user| user.enabled && user.mailbox.is_some())
        .count();
    let (sku, number, plan) = if tenant.exchange.licensed {
        (
            "3b555118-da6a-4418-894f-7df1e2096870",
            "O365_BUSINESS_ESSENTIALS",
            json!([{"servicePlanId": "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "servicePlanName": "EXCHANGE_S_STANDARD", "provisioningStatus": "Success", "appliesTo": "User"}]),
        )
    } else {
        (
            "078d2b04-f1bd-4111-bbd4-b4b1b354cef4",
            "AAD_PREMIUM",
            json!([{"servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "servicePlanName": "AAD_PREMIUM", "provisioningStatus": "Success", "appliesTo": "User"}]),
        )
    };
    let rows = vec![json!({
        "id": format!("{}_{sku}", tenant.id),
        "skuId": sku,
        "skuPartNumber": number,
        "accountId": tenant.id,
        "accountName": tenant.initial_domain.split('.').next(),
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": people,
        "prepaidUnits": {"enabled": people + 5, "suspended": 0, "warning": 0},
        "servicePlans": plan,
    })];
    let shape = Shape {
        name: "subscribedSkus",
        ..PLAIN
    };
    odata::list(context, rows, &shape)
}

/// The person of the token; not found for applications and for partners under GDAP.
fn myself(context: &mut Context<'_>) -> Result<User, GraphError> {
    if !context.claims.delegated {
        return Err(GraphError::new(
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow.",
        ));
    }
    let id = context.claims.object;
    context
        .tenant()?
        .users
        .get(&id)
        .cloned()
        .ok_or_else(|| GraphError::not_found(&id.to_string()))
}

pub fn me(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = myself(context)?;
    odata::entity(context, entities::user(&user), &USERS)
}

fn memberships(context: &mut Context<'_>, user: &User) -> Result<Vec<Value>, GraphError> {
    let now = context.world.dice.now();
    let tenant = context.tenant()?;
    let mut rows: Vec<Value> = tenant
        .directory_roles_of(user.id)
        .into_iter()
        .map(|role| entities::directory_role(tenant, role))
        .collect();
    for group in tenant.groups.values().filter(|group| group.in_graph <= now) {
        let inside =
            tenant.contains_nested(group.id, user.id, &|entry| entry.seen(now, graph_side));
        if inside && let Some(row) = entities::member(tenant, group.id) {
            rows.push(row);
        }
    }
    Ok(rows)
}

pub fn my_memberships(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = myself(context)?;
    let rows = memberships(context, &user)?;
    odata::list(context, rows, &MEMBERS)
}

pub fn my_roles(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = myself(context)?;
    let tenant = context.tenant()?;
    let rows = tenant
        .directory_roles_of(user.id)
        .into_iter()
        .map(|role| entities::directory_role(tenant, role))
        .collect();
    odata::list(context, rows, &MEMBERS)
}

/// The directory's user of the route's key.
fn user_of(context: &mut Context<'_>) -> Result<User, GraphError> {
    let key = context.key(0).to_owned();
    context
        .tenant()?
        .user(&key)
        .filter(|user| is_directory_user(user))
        .cloned()
        .ok_or_else(|| GraphError::not_found(&key))
}

fn is_directory_user(user: &User) -> bool {
    user.mailbox
        .as_ref()
        .is_none_or(|mailbox| mailbox.kind.is_directory_user())
}

pub fn users(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let rows = context
        .tenant()?
        .users
        .values()
        .filter(|user| is_directory_user(user))
        .map(entities::user)
        .collect();
    odata::list(context, rows, &USERS)
}

pub fn user(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = user_of(context)?;
    odata::entity(context, entities::user(&user), &USERS)
}

/// The groups that have the user as a member themselves, and the user's directory roles.
pub fn user_direct_memberships(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = user_of(context)?;
    let now = context.world.dice.now();
    let direct: Vec<String> = context
        .tenant()?
        .groups
        .values()
        .filter(|group| {
            let members = &group.members;
            members
                .iter()
                .any(|entry| entry.member == user.id && entry.seen(now, graph_side))
        })
        .map(|group| group.id.to_string())
        .collect();
    let rows = memberships(context, &user)?
        .into_iter()
        .filter(|row| {
            let id = row.get("id").and_then(Value::as_str).unwrap_or("");
            row.get("groupTypes").is_none() || direct.iter().any(|known| known == id)
        })
        .collect();
    odata::list(context, rows, &MEMBERS)
}

pub fn user_memberships(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let user = user_of(context)?;
    let rows = memberships(context, &user)?;
    odata::list(context, rows, &MEMBERS)
}

fn group_of(context: &mut Context<'_>) -> Result<Group, GraphError> {
    let now = context.world.dice.now();
    let key = context.key(0).to_owned();
    let id = Uuid::parse_str(&key)
        .map_err(|_| GraphError::bad(format!("Invalid object identifier '{key}'.")))?;
    context
        .tenant()?
        .groups
        .get(&id)
        .filter(|group| group.in_graph <= now)
        .cloned()
        .ok_or_else(|| GraphError::not_found(&key))
}

pub fn groups(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let rows = context
        .tenant()?
        .groups
        .values()
        .filter(|group| group.in_graph <= now)
        .map(entities::group)
        .collect();
    odata::list(context, rows, &GROUPS)
}

pub fn group(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let group = group_of(context)?;
    odata::entity(context, entities::group(&group), &GROUPS)
}

pub fn group_members(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let group = group_of(context)?;
    let hidden = entities::hides_members(&group) && context.keeps_hidden_members()?;
    let version = context.version;
    let tenant = context.tenant()?;
    let rows = tenant
        .members_seen(&group, now, graph_side)
        .filter(|id| !hidden && shows(tenant, version, *id))
        .filter_map(|id| entities::member(tenant, id))
        .collect();
    odata::list(context, rows, &MEMBERS)
}

pub fn group_members_nested(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let group = group_of(context)?;
    let hidden = entities::hides_members(&group) && context.keeps_hidden_members()?;
    let version = context.version;
    let tenant = context.tenant()?;
    let rows = tenant
        .people_nested(group.id, &|entry| entry.seen(now, graph_side))
        .into_iter()
        .filter(|id| !hidden && shows(tenant, version, *id))
        .filter_map(|id| entities::member(tenant, id))
        .collect();
    odata::list(context, rows, &MEMBERS)
}

/// Whether a listing of a group's members shows that object. v1.0 leaves service principals out
/// unless they are asked for by their type (`decisions`).
fn shows(tenant: &Tenant, version: &str, member: Uuid) -> bool {
    version == "beta" || !tenant.principals.contains_key(&member)
}

pub fn group_principals(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let group = group_of(context)?;
    let hidden = entities::hides_members(&group) && context.keeps_hidden_members()?;
    let tenant = context.tenant()?;
    let ids = tenant.members_seen(&group, now, graph_side);
    let ids = ids.filter(|_| !hidden).collect();
    list_principals(context, ids)
}

pub fn group_principals_nested(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let now = context.world.dice.now();
    let group = group_of(context)?;
    let hidden = entities::hides_members(&group) && context.keeps_hidden_members()?;
    let tenant = context.tenant()?;
    let ids = tenant.people_nested(group.id, &|entry| entry.seen(now, graph_side));
    let ids = ids.into_iter().filter(|_| !hidden).collect();
    list_principals(context, ids)
}

fn list_principals(context: &mut Context<'_>, ids: Vec<Uuid>) -> Result<Reply, GraphError> {
    let tenant = context.tenant()?;
    let rows = ids
        .into_iter()
        .filter(|id| tenant.principals.contains_key(id))
        .filter_map(|id| entities::member(tenant, id))
        .collect();
    odata::list(context, rows, &super::applications::PRINCIPALS)
}

pub fn group_owners(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let group = group_of(context)?;
    let tenant = context.tenant()?;
    let rows = group
        .owners
        .iter()
        .filter_map(|id| entities::member(tenant, *id))
        .collect();
    odata::list(context, rows, &MEMBERS)
}
