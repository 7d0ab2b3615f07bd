//! `GET /_cloud/accounts`: who can sign in, and the secrets of applications. Everything here is
//! made up, so nothing of it is secret.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::seed::names;
use crate::world::World;

/// Beyond that many tenants only those are listed that were made already, and the first few.
const MOST_MADE: usize = 60;

/// All accounts with a password, and all applications with a secret, per tenant that knows them.
pub fn show(world: &mut World) -> Value {
    let ids = world.tenants.ids();
    let all = ids.len() <= MOST_MADE;
    let mut accounts = Vec::new();
    let mut applications = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if all || index < MOST_MADE || *id == world.partner {
            world.tenants.get(*id);
        }
        of_tenant(world, *id, &mut accounts, &mut applications);
    }
    let postern = world.partner;
    let client_id = names::postern_app_id(world.seed_number);
    let secret = world
        .tenants
        .get(postern)
        .and_then(|tenant| tenant.application_by_app(client_id))
        .and_then(|application| application.secrets.first())
        .map(|secret| secret.value.clone());
    json!({
        "postern": {"client_id": client_id, "client_secret": secret},
        "partner_tenant": postern,
        "accounts": accounts,
        "applications": applications,
        "complete": all,
    })
}

/// All tenants by domain, those included that nobody has needed yet.
pub fn tenants(world: &World) -> Value {
    let mut all: Vec<_> = world.tenants.summaries().collect();
    all.sort_by(|one, other| one.domain.cmp(&other.domain));
    let all: Vec<Value> = all
        .into_iter()
        .map(|one| json!({"tenant_id": one.id, "domain": one.domain, "name": one.name}))
        .collect();
    json!({"tenants": all})
}

fn of_tenant(world: &World, id: Uuid, accounts: &mut Vec<Value>, applications: &mut Vec<Value>) {
    let Some(tenant) = world.tenants.made(id) else {
        return;
    };
    for user in tenant.users.values() {
        // Everybody has the password; the list names those who have a part to play.
        let part = names::part_of(&user.upn);
        if user.password.is_empty() || (user.roles.is_empty() && part.is_none()) {
            continue;
        }
        accounts.push(json!({
            "upn": user.upn,
            "password": user.password,
            "tenant_id": tenant.id,
            "tenant": tenant.name,
            "name": user.display_name,
            "roles": user.roles.iter().map(|role| role.name()).collect::<Vec<_>>(),
            "note": part.map_or_else(|| tenant.note.clone(), str::to_owned),
        }));
    }
    for principal in tenant.principals.values() {
        let Some(home) = principal.owner_tenant else {
            continue;
        };
        let Some(application) = world
            .tenants
            .made(home)
            .and_then(|home| home.application_by_app(principal.app_id))
        else {
            continue;
        };
        let Some(secret) = application.secrets.first() else {
            continue;
        };
        applications.push(json!({
            "tenant_id": tenant.id,
            "tenant": tenant.name,
            "name": application.display_name,
            "app_id": application.app_id,
            "object_id": principal.id,
            "secret": secret.value,
            "note": application.note,
        }));
    }
}
