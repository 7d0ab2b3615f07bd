//! Microsoft Graph: the calls that an MSP's portal needs (MICROSOFT.md §5, §7).

pub mod absent;
pub mod agents;
pub mod answers;
pub mod applications;
pub mod assignments;
pub mod batch;
pub mod credentials;
pub mod directory;
pub mod entities;
pub mod errors;
pub mod filter;
pub mod mail_body;
pub mod odata;
pub mod partner;
pub mod properties;
pub mod roles;
pub mod routes;
pub mod send_mail;
pub mod throttle;
pub mod units;

use axum::http::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::books::Host;
use crate::entra::token::{self, Claims};
use crate::faults::Target;
use crate::http_parts::{Call, Reply};
use crate::journal::{Actor, Change, Deed, Thing};
use crate::permissions::Resource;
use crate::world::World;
use crate::world::directory::HiddenMembers;
use crate::world::tenant::Tenant;
use errors::GraphError;
use throttle::{Limits, Verdict};

/// A call on its way to its handler.
#[derive(Debug)]
pub struct Context<'a> {
    pub world: &'a mut World,
    pub call: &'a Call,
    pub claims: Claims,
    /// The values of the route's `{…}`.
    pub keys: Vec<String>,
    pub version: &'static str,
    /// As in the answer's header and in the log.
    pub request_id: &'a str,
    pub operation: String,
}

impl Context<'_> {
    pub fn key(&self, index: usize) -> &str {
        self.keys.get(index).map_or("", String::as_str)
    }

    /// Notes a change for the journal.
    pub fn changed(
        &mut self,
        deed: Deed,
        thing: Thing,
        object: impl ToString,
        name: impl Into<String>,
        detail: Value,
    ) {
        let by = Actor {
            host: "graph",
            operation: self.operation.clone(),
            app_id: Some(self.claims.app_id),
            user: self.claims.upn.clone(),
            request_id: self.request_id.to_owned(),
            client_request_id: self.call.client_request_id().map(str::to_owned),
        };
        let change = Change::new(deed, thing, object, name, detail);
        let now = self.world.dice.now();
        self.world
            .journal
            .note(now, self.claims.tenant, &by, vec![change]);
    }

    /// The tenant of the token; another one's while a fault shows that to who only reads.
    pub fn tenant(&mut self) -> Result<&mut Tenant, GraphError> {
        let shown = match self.world.misroute {
            Some(other) if self.call.method == Method::GET => other,
            _ => self.claims.tenant,
        };
        self.world
            .tenants
            .get(shown)
            .ok_or_else(|| GraphError::token("The tenant of the token does not exist."))
    }

    /// Whether hidden members are kept from the caller: without the permission the list is empty,
    /// or refused, as the tenant's switch says, because nobody knows (MICROSOFT.md §7.5).
    pub fn keeps_hidden_members(&mut self) -> Result<bool, GraphError> {
        const SEES: &str = "Member.Read.Hidden";
        if self.claims.has_role(SEES) || self.claims.has_scope(SEES) {
            return Ok(false);
        }
        match self.tenant()?.directory.hidden_members {
            HiddenMembers::Empty => Ok(true),
            HiddenMembers::Refused => Err(GraphError::denied()),
        }
    }

    /// Whether the caller may read people, groups and applications. Who may not gets of them no
    /// more than type and id (MICROSOFT.md §7.5).
    pub fn may_read_directory(&self) -> bool {
        let known = [
            "Directory.Read.All",
            "Directory.ReadWrite.All",
            "Directory.AccessAsUser.All",
            "Application.Read.All",
            "Application.ReadWrite.All",
        ];
        known.iter().any(|permission| match self.claims.delegated {
            true => self.claims.has_scope(permission),
            false => self.claims.has_role(permission),
        })
    }

    /// Whether the token's person (not an application) holds one of the roles that allow a change
    /// of grants on Graph, and of directory roles.
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

    /// The same for grants on a resource: on any but Graph more roles will do (MICROSOFT.md §12.1).
    pub fn may_change_grants_on(&self, resource: Option<Resource>) -> bool {
        use crate::permissions::DirectoryRole as Role;
        self.may_change_grants()
            || (resource != Some(Resource::Graph)
                && self.claims.directory_roles().any(|role| {
                    matches!(
                        role,
                        Role::ApplicationAdministrator
                            | Role::CloudApplicationAdministrator
                            | Role::DirectoryWriters
                            | Role::HybridIdentityAdministrator
                            | Role::IdentityGovernanceAdministrator
                            | Role::UserAdministrator
                            | Role::DirectorySynchronizationAccounts
                    )
                }))
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
        mailbox: mailbox_of(call),
    }
}

/// The mailbox that an Outlook request names, in lower case.
pub fn mailbox_of(call: &Call) -> Option<String> {
    let (route, keys) = routes::find(call)?;
    let named = keys.first().map_or("me", String::as_str).to_lowercase();
    route.outlook.then_some(named)
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
    let reply = match answer(world, call, &request_id) {
        Ok(reply) => reply,
        Err(error) => error.reply(&request_id, &client_request_id),
    };
    let reply = answers::dress(reply, call, &world.base);
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

fn answer(world: &mut World, call: &Call, request_id: &str) -> Result<Reply, GraphError> {
    let claims = token::verify_access(world, call, Resource::Graph).map_err(GraphError::token)?;
    let version = if call.segment(0) == "beta" {
        "beta"
    } else {
        "v1.0"
    };
    let found = match absent::is_function(call) {
        true => None,
        false => routes::find(call),
    };
    let Some((route, keys)) = found else {
        return Err(unknown_route(call));
    };
    answers::check_content_type(call, route)?;
    if !route.permits(&claims) {
        return Err(if route.outlook {
            GraphError::access("Access is denied. Check credentials and try again.")
        } else {
            GraphError::denied()
        });
    }
    let units = route.units(call);
    let share = match throttled(world, call, &claims, units) {
        Verdict::Passed(share) => share,
        Verdict::Refused {
            seconds,
            scope,
            information,
        } => {
            let id = world.dice.guid().to_string();
            let client = call.client_request_id().unwrap_or(&id).to_owned();
            return Ok(GraphError::throttled(seconds)
                .reply(&id, &client)
                .header("x-ms-throttle-scope", &scope)
                .header("x-ms-throttle-information", information));
        }
    };
    let mut context = Context {
        world,
        call,
        claims,
        keys,
        version,
        request_id,
        operation: route.name(),
    };
    // Calls that read no collection and no object take no query options.
    if context.call.method != Method::GET || route.outlook {
        odata::check_options(&context, &["$format"])?;
    }
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

/// Takes the request's units, and its turn among the changes, from the limits (§7.3).
fn throttled(world: &mut World, call: &Call, claims: &Claims, units: u64) -> Verdict {
    let delays = &world.dice.delays;
    let (set, writes) = (delays.graph_units_per_10s, delays.graph_writes_per_150s);
    let people = world
        .tenants
        .get(claims.tenant)
        .map_or(0, |tenant| tenant.users.len());
    let limits = Limits {
        units: if set == 0 {
            throttle::units_by_size(people)
        } else {
            set
        },
        writes,
    };
    let write = call.method != Method::GET && !call.path.ends_with("/$batch");
    world
        .throttle
        .take(claims.app_id, claims.tenant, units, write, &limits)
}

fn unknown_route(call: &Call) -> GraphError {
    if let Some(refusal) = absent::refusal(call, &routes::segments(call)) {
        return refusal;
    }
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
