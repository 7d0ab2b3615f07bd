//! Microsoft Graph: the calls that an MSP's portal needs (MICROSOFT.md §5, §7).

pub mod applications;
pub mod assignments;
pub mod batch;
pub mod directory;
pub mod entities;
pub mod errors;
pub mod filter;
pub mod odata;
pub mod partner;
pub mod routes;
pub mod send_mail;
pub mod throttle;

use uuid::Uuid;

use crate::books::Host;
use crate::entra::token::{self, Claims};
use crate::faults::Target;
use crate::http_parts::{Call, Reply};
use crate::permissions::Resource;
use crate::world::World;
use crate::world::tenant::Tenant;
use errors::GraphError;
use throttle::Verdict;

/// A call on its way to its handler.
#[derive(Debug)]
pub struct Context<'a> {
    pub world: &'a mut World,
    pub call: &'a Call,
    pub claims: Claims,
    /// The values of the route's `{…}`.
    pub keys: Vec<String>,
    pub version: &'static str,
}

impl Context<'_> {
    pub fn key(&self, index: usize) -> &str {
        self.keys.get(index).map_or("", String::as_str)
    }

    /// The tenant of the token.
    pub fn tenant(&mut self) -> Result<&mut Tenant, GraphError> {
        self.world
            .tenants
            .get(self.claims.tenant)
            .ok_or_else(|| GraphError::token("The tenant of the token does not exist."))
    }

    /// Whether the token's person (not an application) holds one of the roles that allow a change
    /// of grants.
    pub fn may_change_grants(&self) -> bool {
        use crate::permissions::DirectoryRole as Role;
        !self.claims.delegated
            || self.claims.directory_roles().any(|role| {
                matches!(
                    role,
                    Role::GlobalAdministrator | Role::PrivilegedRoleAdministrator
                )
            })
    }
}

/// Names the request for faults and the log.
pub fn target(world: &World, call: &Call) -> Target {
    let claims = token::verify_access(world, call, Resource::Graph).ok();
    let operation = match routes::find(call) {
        Some((route, _)) => route.name(),
        None => format!("{} {}", call.method, call.path),
    };
    Target {
        host: Host::Graph,
        tenant: claims.as_ref().map(|claims| claims.tenant),
        operation,
        user: claims.as_ref().map(Claims::who),
    }
}

/// Application, tenant and mailbox of an Outlook request, which are limited in number.
pub fn outlook_key(world: &World, call: &Call) -> Option<(Uuid, Uuid, String)> {
    let (route, keys) = routes::find(call)?;
    if !route.outlook {
        return None;
    }
    let claims = token::verify_access(world, call, Resource::Graph).ok()?;
    let mailbox = keys.first().map_or("me", String::as_str).to_lowercase();
    Some((claims.app_id, claims.tenant, mailbox))
}

/// Answers a request.
pub fn handle(world: &mut World, call: &Call) -> Reply {
    let request_id = world.dice.guid().to_string();
    let client_request_id = call
        .client_request_id()
        .map_or_else(|| request_id.clone(), str::to_owned);
    let reply = match answer(world, call) {
        Ok(reply) => reply,
        Err(error) => error.reply(&request_id, &client_request_id),
    };
    decorate(reply, &request_id, &client_request_id)
}

/// The headers that every answer of Graph has.
pub fn decorate(reply: Reply, request_id: &str, client_request_id: &str) -> Reply {
    reply
        .header("request-id", request_id)
        .header("client-request-id", client_request_id)
        .header(
            "x-ms-ags-diagnostic",
            "{\"ServerInfo\":{\"DataCenter\":\"North Europe\",\"Slice\":\"E\",\"Ring\":\"5\",\"ScaleUnit\":\"001\",\"RoleInstance\":\"SIMULATED\"}}",
        )
}

fn answer(world: &mut World, call: &Call) -> Result<Reply, GraphError> {
    let claims = token::verify_access(world, call, Resource::Graph).map_err(GraphError::token)?;
    let version = if call.segment(0) == "beta" {
        "beta"
    } else {
        "v1.0"
    };
    let Some((route, keys)) = routes::find(call) else {
        return Err(unknown_route(call));
    };
    if !route.permits(&claims) {
        return Err(if route.outlook {
            GraphError::access("Access is denied. Check credentials and try again.")
        } else {
            GraphError::denied()
        });
    }
    let units = route.units(call);
    let limit = world.dice.delays.graph_units_per_10s;
    let verdict = world
        .throttle
        .take(claims.app_id, claims.tenant, units, limit);
    let share = match verdict {
        Verdict::Passed(share) => share,
        Verdict::Refused(seconds) => {
            let scope = format!(
                "Tenant_Application/ReadWrite/{}/{}",
                claims.app_id, claims.tenant
            );
            let id = world.dice.guid().to_string();
            let client = call.client_request_id().unwrap_or(&id).to_owned();
            return Ok(GraphError::throttled(seconds)
                .reply(&id, &client)
                .header("x-ms-throttle-scope", &scope)
                .header("x-ms-throttle-information", "ResourceUnitLimitExceeded"));
        }
    };
    let mut context = Context {
        world,
        call,
        claims,
        keys,
        version,
    };
    let reply = (route.run)(&mut context)?.header("OData-Version", "4.0");
    let reply = if route.outlook {
        reply
    } else {
        reply.header("x-ms-resource-unit", &units.to_string())
    };
    Ok(if share > 0.8 {
        reply.header("x-ms-throttle-limit-percentage", &format!("{share:.1}"))
    } else {
        reply
    })
}

fn unknown_route(call: &Call) -> GraphError {
    if routes::other_method(call) {
        return GraphError::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        );
    }
    let segment = call.segments.last().map_or("", String::as_str);
    GraphError::new(
        400,
        "BadRequest",
        format!("Resource not found for the segment '{segment}'."),
    )
}
