//! `GET /_cloud/state`: what the tenants hold, for tests that count.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Refusal;
use crate::books::to_value;
use crate::world::World;
use crate::world::exchange::AssignmentScope;
use crate::world::tenant::{Change, Tenant};

/// All tenants that were made, or one tenant in full.
pub fn show(world: &mut World, tenant: Option<&str>) -> Result<Value, Refusal> {
    let now = world.dice.now();
    let ids = match tenant {
        Some(text) => {
            let id = world
                .tenants
                .resolve(text)
                .ok_or_else(|| format!("there is no tenant \"{text}\""))?;
            world.tenants.get(id);
            vec![id]
        }
        None => world.tenants.ids(),
    };
    let tenants: Vec<Value> = ids
        .iter()
        .filter_map(|id| match world.tenants.made(*id) {
            Some(tenant) => {
                let mut shown = full(tenant, now);
                if let Some(map) = shown.as_object_mut() {
                    let changes = world.journal.of(*id);
                    map.insert("changes".to_owned(), to_value(&changes));
                }
                Some(shown)
            }
            None => world.tenants.summary(*id).map(|summary| {
                json!({
                    "id": summary.id, "name": summary.name, "domain": summary.domain,
                    "made": false,
                })
            }),
        })
        .collect();
    Ok(json!({
        "now": now,
        "speed": world.dice.clock.speed(),
        "seed": world.seed.to_string(),
        "seed_number": world.seed_number,
        "partner_tenant": world.partner,
        "tenants": tenants,
        "relationships": world.relationships.iter().map(|relationship| json!({
            "id": relationship.id,
            "partner": relationship.partner,
            "customer": relationship.customer,
            "roles": relationship.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
            "status": relationship.status,
        })).collect::<Vec<_>>(),
    }))
}

/// The address of a member, or its id.
fn called(tenant: &Tenant, id: Uuid) -> String {
    tenant
        .recipient_by_id(id)
        .map_or_else(|| id.to_string(), |recipient| recipient.smtp().to_owned())
}

fn full(tenant: &Tenant, now: crate::clock::Time) -> Value {
    let groups: Vec<Value> = tenant
        .groups
        .values()
        .map(|group| {
            let members: Vec<String> = group
                .members
                .iter()
                .filter(|entry| entry.removed.is_none())
                .map(|entry| called(tenant, entry.member))
                .collect();
            let seen: Vec<String> = tenant
                .members_seen(group, now, |change: &Change| change.exchange)
                .map(|id| called(tenant, id))
                .collect();
            json!({
                "id": group.id,
                "guid": group.guid,
                "name": group.name,
                "display_name": group.display_name,
                "description": group.description,
                "mail": group.smtp,
                "kind": group.kind.details(),
                "hidden": group.hidden,
                "require_sender_authentication": group.require_sender_authentication,
                "owners": group.owners,
                "members": members,
                "members_seen_by_exchange": seen,
                "created": group.created,
                "in_exchange": group.in_exchange,
                "in_graph": group.in_graph,
                "seen_by_exchange": group.in_exchange <= now,
                "seen_by_graph": group.in_graph <= now,
            })
        })
        .collect();
    let policies: Vec<Value> = tenant
        .exchange
        .policies
        .iter()
        .map(|policy| {
            json!({
                "identity": policy.identity(tenant.id),
                "app_id": policy.app_id,
                "right": policy.right(),
                "description": policy.description,
                "scope": policy.scope.id,
                "scope_name": policy.scope.display_name,
                "created": policy.created,
                "configured": policy.configured(now),
                "in_force": policy.in_force(now),
                "enforced_from": policy.enforced,
                "removed": policy.removed.map(|(at, _)| at),
                "enforced_until": policy.removed.map(|(_, until)| until),
            })
        })
        .collect();
    let principal = |id: &Uuid| {
        tenant
            .principals
            .get(id)
            .map_or_else(|| id.to_string(), |found| found.display_name.clone())
    };
    let assignments: Vec<Value> = tenant
        .assignments
        .iter()
        .filter(|entry| entry.live())
        .map(|entry| {
            let resource = tenant.principals.get(&entry.resource);
            json!({
                "id": entry.id,
                "application": principal(&entry.principal),
                "app_id": tenant.principals.get(&entry.principal).map(|found| found.app_id),
                "principal": entry.principal,
                "resource": principal(&entry.resource),
                "role": resource
                    .and_then(|found| found.resource)
                    .and_then(|resource| resource.role_value(entry.role)),
                "listed": entry.listed(now),
            })
        })
        .collect();
    let consents: Vec<Value> = tenant
        .scope_grants
        .iter()
        .map(|grant| {
            json!({
                "application": principal(&grant.client),
                "app_id": tenant.principals.get(&grant.client).map(|found| found.app_id),
                "resource": grant.resource.display_name(),
                "user": grant.principal.map(|id| called(tenant, id)),
                "scopes": grant.scopes.iter().map(|(scope, _)| scope).collect::<Vec<_>>(),
                "honoured": grant.scopes.iter().all(|(_, since)| *since <= now),
            })
        })
        .collect();
    let role_assignments: Vec<Value> = tenant
        .exchange
        .role_assignments
        .iter()
        .map(|assignment| {
            json!({
                "id": assignment.guid,
                "name": assignment.name,
                "role": assignment.role,
                "application": principal(&assignment.assignee),
                "assignee": assignment.assignee,
                "delegating": tenant.exchange.delegates(assignment),
                "scope": match &assignment.scope {
                    AssignmentScope::Organisation => json!("organization"),
                    AssignmentScope::Custom(name) => json!({"scope": name}),
                    AssignmentScope::Group(id) => json!({"group": id}),
                    AssignmentScope::AdministrativeUnit(id) => json!({"unit": id}),
                },
            })
        })
        .collect();
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "initial_domain": tenant.initial_domain,
        "note": tenant.note,
        "made": true,
        "users": tenant.users.len(),
        "mailboxes": tenant.users.values().filter(|user| user.mailbox.is_some()).count(),
        "service_principals": tenant.principals.len(),
        "exchange_licensed": tenant.exchange.licensed,
        "dehydrated": tenant.exchange.is_dehydrated(now),
        "units": tenant.units.values().map(|unit| json!({
            "id": unit.id, "name": unit.name,
            "members": unit.members.iter().map(|id| called(tenant, *id)).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "directory_roles": tenant.role_grants().iter().map(|grant| json!({
            "id": grant.id(), "principal": grant.principal, "role": grant.role, "scope": grant.scope,
        })).collect::<Vec<_>>(),
        "conditional_access": tenant.access_rules.iter().map(|rule| json!({
            "id": rule.id, "code": rule.code,
        })).collect::<Vec<_>>(),
        "sign_in_frequency": tenant.sign_in_frequency,
        "groups": groups,
        "policies": policies,
        "assignments": assignments,
        "consents": consents,
        "pointers": tenant.exchange.pointers.iter().map(|pointer| json!({
            "object_id": pointer.object_id, "app_id": pointer.app_id,
            "display_name": pointer.display_name,
        })).collect::<Vec<_>>(),
        "scopes": tenant.exchange.scopes.iter().map(|scope| json!({
            "id": scope.guid, "name": scope.name, "filter": scope.filter, "exclusive": scope.exclusive,
        })).collect::<Vec<_>>(),
        "role_assignments": role_assignments,
        "rights": tenant.exchange.rights.iter().map(|entry| json!({
            "mailbox": called(tenant, entry.mailbox),
            "holder": entry.holder,
            "right": entry.right.name(),
            "deny": entry.deny,
        })).collect::<Vec<_>>(),
        "role_groups": crate::world::role_groups::all(tenant).iter()
            .filter(|group| !group.members.is_empty())
            .map(|group| json!({"name": group.name, "members": group.members}))
            .collect::<Vec<_>>(),
    })
}
