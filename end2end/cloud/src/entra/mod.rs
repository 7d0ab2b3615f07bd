//! Entra: sign-in and consent in the browser, tokens for programs (MICROSOFT.md §6).

pub mod admin_consent;
pub mod agents;
pub mod assertion;
pub mod authorize;
pub mod client;
pub mod consent;
pub mod discovery;
pub mod errors;
pub mod grant_types;
pub mod jwt;
pub mod pages;
pub mod scopes;
pub mod sign_in;
pub mod token;
pub mod x509;

use std::collections::HashMap;

use axum::http::Method;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::books::Host;
use crate::faults::Target;
use crate::http_parts::{Call, Reply, first};
use crate::world::{Tenants, World};
use errors::EntraError;
use jwt::KeyRing;
use scopes::Wanted;

/// A person: the tenant and object id of their own account.
pub type Person = (Uuid, Uuid);

/// What Entra remembers between requests.
#[derive(Debug)]
pub struct EntraState {
    pub keys: KeyRing,
    /// Signed-in accounts by the browser's cookie.
    pub sessions: HashMap<String, Vec<Person>>,
    /// Sign-ins under way.
    pub flows: HashMap<String, Flow>,
    pub codes: HashMap<String, Code>,
    pub refresh: HashMap<String, Refresh>,
}

impl EntraState {
    pub fn new(seed: u64) -> Self {
        Self {
            keys: KeyRing::new(seed),
            sessions: HashMap::new(),
            flows: HashMap::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
        }
    }
}

/// Whom an address such as `/organizations/…` lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    Tenant(Uuid),
    Organizations,
    Common,
}

impl Authority {
    /// From the first path segment.
    pub fn resolve(segment: &str, tenants: &Tenants) -> Result<Self, EntraError> {
        match segment.to_ascii_lowercase().as_str() {
            "organizations" => return Ok(Self::Organizations),
            "common" => return Ok(Self::Common),
            "consumers" => return Err(EntraError::not_simulated("personal accounts")),
            _ => {}
        }
        if let Some(id) = tenants.resolve(segment) {
            return Ok(Self::Tenant(id));
        }
        if Uuid::parse_str(segment).is_ok() || segment.contains('.') {
            Err(EntraError::new(
                90002,
                format!(
                    "Tenant '{segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
                ),
            ))
        } else {
            Err(EntraError::new(
                900_023,
                format!(
                    "Specified tenant identifier '{segment}' is neither a valid DNS name, nor a valid external domain."
                ),
            ))
        }
    }
}

/// What a sign-in under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Authorize,
    /// The admin-consent page (§6.2).
    AdminConsent,
}

/// A sign-in under way: the request that started it, and what happened since.
#[derive(Debug, Clone)]
pub struct Flow {
    pub purpose: Purpose,
    /// The first path segment, for the addresses of the forms.
    pub segment: String,
    pub authority: Authority,
    pub client: Uuid,
    pub client_home: Uuid,
    pub redirect_uri: String,
    pub form_post: bool,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub wanted: Wanted,
    pub raw_scope: String,
    pub challenge: Option<String>,
    pub prompt: String,
    pub login_hint: Option<String>,
    pub account: Option<Person>,
    /// Consent was given in this flow.
    pub consented: bool,
    /// Conditional Access rules that the request's claims name (§6.1).
    pub met: Vec<Uuid>,
}

/// An authorization code.
#[derive(Debug, Clone)]
pub struct Code {
    pub flow: Flow,
    pub tenant: Uuid,
    pub person: Person,
    /// Wall clock.
    pub issued: DateTime<Utc>,
    pub redeemed: bool,
}

/// A refresh token: bound to a person and a client, not to a resource or tenant (§6.4).
#[derive(Debug, Clone)]
pub struct Refresh {
    pub client: Uuid,
    pub person: Person,
    /// The tenant of the first token, for requests at `organizations`.
    pub tenant: Uuid,
    pub scope: String,
    /// Wall clock.
    pub issued: DateTime<Utc>,
    pub lifetime: i64,
    /// When the person last signed in, on the wall clock; rotation does not change it.
    pub signed_in: DateTime<Utc>,
    /// Conditional Access rules that this sign-in has met.
    pub met: Vec<Uuid>,
}

/// Names the request for faults and the log.
pub fn target(world: &World, call: &Call) -> Target {
    let tenant = world.tenants.resolve(call.segment(0));
    let (operation, user) = match route(call) {
        Route::Token => {
            let form = call.form();
            let grant = first(&form, "grant_type").unwrap_or("none");
            let person = match grant {
                "refresh_token" => first(&form, "refresh_token")
                    .and_then(|token| world.entra.refresh.get(token))
                    .map(|refresh| refresh.person),
                "authorization_code" => first(&form, "code")
                    .and_then(|code| world.entra.codes.get(code))
                    .map(|code| code.person),
                _ => None,
            };
            let user = match person {
                Some((home, id)) => world
                    .tenants
                    .made(home)
                    .and_then(|tenant| tenant.users.get(&id))
                    .map(|user| user.upn.clone()),
                None => client::presented_id(call, &form).map(|id| id.to_string()),
            };
            (format!("token:{grant}"), user)
        }
        Route::Login => {
            let form = call.form();
            let user = first(&form, "login").map(str::to_owned);
            ("login".to_owned(), user)
        }
        other => (other.name().to_owned(), None),
    };
    Target {
        host: Host::Entra,
        tenant,
        operation,
        user,
        mailbox: None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Authorize,
    Login,
    Pick,
    Consent,
    Token,
    Logout,
    Discovery,
    Keys,
    AdminConsent,
    /// Microsoft has it, the cloud has not.
    Absent,
    Unknown,
}

impl Route {
    fn name(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Login => "login",
            Self::Pick => "pick",
            Self::Consent => "consent",
            Self::Token => "token",
            Self::Logout => "logout",
            Self::Discovery => "discovery",
            Self::Keys => "keys",
            Self::AdminConsent => "adminconsent",
            Self::Absent => "not simulated",
            Self::Unknown => "unknown",
        }
    }
}

/// The path after the tenant.
fn rest_of(call: &Call) -> String {
    let rest: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    rest.join("/")
}

fn route(call: &Call) -> Route {
    let rest: Vec<&str> = call.segments.iter().skip(1).map(String::as_str).collect();
    match rest.as_slice() {
        ["oauth2", "v2.0", "authorize"] => Route::Authorize,
        ["oauth2", "v2.0", "token"] => Route::Token,
        ["oauth2", "v2.0", "logout"] => Route::Logout,
        ["v2.0", ".well-known", "openid-configuration"] => Route::Discovery,
        ["discovery", "v2.0", "keys"] => Route::Keys,
        ["v2.0", "adminconsent"] | ["adminconsent"] => Route::AdminConsent,
        ["login"] => Route::Login,
        ["pick"] => Route::Pick,
        ["consent"] => Route::Consent,
        // The endpoints of v1, device codes, and what libraries ask before they start.
        ["oauth2", "token" | "authorize" | "logout" | "devicecode"]
        | ["oauth2", "v2.0", "devicecode"]
        | [".well-known", "openid-configuration"]
        | ["discovery", "keys" | "instance"]
        | ["userrealm", ..]
        | ["kerberos"] => Route::Absent,
        ["userinfo"] if call.segment(0) == "oidc" => Route::Absent,
        _ => Route::Unknown,
    }
}

/// Whether an error of that request is shown to a person, not to a program.
pub fn is_page(call: &Call) -> bool {
    !matches!(
        route(call),
        Route::Token | Route::Discovery | Route::Keys | Route::Absent
    )
}

/// Answers a request.
pub fn handle(world: &mut World, call: &Call) -> Reply {
    let route = route(call);
    if route == Route::Unknown {
        return Reply::text(404, "There is nothing here.\n");
    }
    if route == Route::Absent {
        return EntraError::not_simulated(&format!("/{{tenant}}/{}", rest_of(call))).reply(
            &world.base,
            &mut world.dice,
            call,
        );
    }
    let authority = match Authority::resolve(call.segment(0), &world.tenants) {
        Ok(authority) => authority,
        Err(error) if is_page(call) => return error.page(&mut world.dice, call),
        Err(error) if route == Route::Discovery => {
            return error.discovery_reply(&world.base, &mut world.dice, call);
        }
        Err(error) => return error.reply(&world.base, &mut world.dice, call),
    };
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match route {
        Route::Authorize if get || post => authorize::start(world, call, authority),
        Route::AdminConsent if get => admin_consent::start(world, call, authority),
        Route::Login if post => sign_in::login(world, call),
        Route::Pick if post => sign_in::pick(world, call),
        Route::Consent if post => consent::decide(world, call),
        Route::Logout if get || post => sign_in::logout(world, call),
        Route::Discovery if get => discovery::document(world, authority),
        Route::Keys if get => discovery::keys(world, authority),
        Route::Token if post => token::answer(world, call, authority),
        Route::Token => EntraError::new(
            900_561,
            "The endpoint only accepts POST requests. Received a GET request.",
        )
        .reply(&world.base, &mut world.dice, call),
        _ => Reply::text(405, "This address does not take that method.\n"),
    }
}
