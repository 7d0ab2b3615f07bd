//! Signing in: the form, the account picker, the browser's session, and what comes after.

use uuid::Uuid;

use super::authorize::{deliver, redirect_error};
use super::errors::EntraError;
use super::{Authority, Code, Flow, Person, Purpose, consent, pages};
use crate::clock::wall_now;
use crate::http_parts::{Call, Reply, first};
use crate::permissions::DirectoryRole;
use crate::world::World;
use crate::world::access::AccessRule;

const COOKIE: &str = "cloud_session";
/// Flows and codes beyond this are thrown away: nobody has that many open.
const MOST_OPEN: usize = 10_000;

/// Begins a checked request: a page, or straight on when somebody is signed in already.
pub fn begin(world: &mut World, call: &Call, mut flow: Flow) -> Reply {
    let signed_in = session_accounts(world, call);
    let fitting: Vec<Person> = signed_in
        .into_iter()
        .filter(|person| match &flow.login_hint {
            Some(hint) => {
                account_name(world, *person).is_some_and(|upn| upn.eq_ignore_ascii_case(hint))
            }
            None => true,
        })
        .collect();
    let one = match fitting.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    match (flow.prompt.as_str(), one) {
        ("none", Some(person)) => {
            flow.account = Some(person);
            proceed(world, call, flow)
        }
        ("none", None) => {
            let detail = EntraError::from_name("AADSTS50058");
            redirect_error(world, &flow, "login_required", &detail)
        }
        ("login", _) => show_form(world, flow, None),
        ("select_account", _) if !fitting.is_empty() => show_picker(world, flow, &fitting),
        ("" | "consent", Some(person)) => {
            flow.account = Some(person);
            proceed(world, call, flow)
        }
        ("" | "consent", None) if fitting.len() > 1 => show_picker(world, flow, &fitting),
        _ => show_form(world, flow, None),
    }
}

/// The accounts of the browser's session that still exist.
fn session_accounts(world: &mut World, call: &Call) -> Vec<Person> {
    let known = cookie(call)
        .and_then(|id| world.entra.sessions.get(&id))
        .cloned()
        .unwrap_or_default();
    known
        .into_iter()
        .filter(|person| account_name(world, *person).is_some())
        .collect()
}

fn cookie(call: &Call) -> Option<String> {
    call.headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

/// The account's name, as long as it can sign in.
fn account_name(world: &mut World, (home, id): Person) -> Option<String> {
    world
        .tenants
        .get(home)?
        .users
        .get(&id)
        .filter(|user| user.enabled)
        .map(|user| user.upn.clone())
}

/// Keeps a flow until its page comes back.
pub fn keep(world: &mut World, flow: Flow) -> String {
    let id = world.dice.word(32);
    if world.entra.flows.len() >= MOST_OPEN {
        world.entra.flows.clear();
    }
    world.entra.flows.insert(id.clone(), flow);
    id
}

fn show_form(world: &mut World, flow: Flow, complaint: Option<&str>) -> Reply {
    let app_name = application_name(world, &flow);
    let segment = flow.segment.clone();
    let hint = flow.login_hint.clone().unwrap_or_default();
    let id = keep(world, flow);
    Reply::html(
        200,
        pages::sign_in(&segment, &id, &app_name, &hint, complaint),
    )
}

fn show_picker(world: &mut World, flow: Flow, accounts: &[Person]) -> Reply {
    let named: Vec<(String, String)> = accounts
        .iter()
        .filter_map(|person| {
            account_name(world, *person).map(|upn| (format!("{}.{}", person.0, person.1), upn))
        })
        .collect();
    let app_name = application_name(world, &flow);
    let segment = flow.segment.clone();
    let id = keep(world, flow);
    Reply::html(200, pages::picker(&segment, &id, &app_name, &named))
}

/// The name of the flow's application.
pub fn application_name(world: &mut World, flow: &Flow) -> String {
    world
        .tenants
        .get(flow.client_home)
        .and_then(|tenant| tenant.application_by_app(flow.client))
        .map_or_else(String::new, |application| application.display_name.clone())
}

/// The flow that a form belongs to, taken out of the store.
pub fn flow_of(world: &mut World, form: &[(String, String)]) -> Result<Flow, EntraError> {
    first(form, "flow")
        .and_then(|id| world.entra.flows.remove(id))
        .ok_or_else(|| {
            EntraError::new(
                165_000,
                "Invalid request: the request tokens do not match the user context. Start the sign-in again from the application.",
            )
        })
}

/// `POST /{tenant}/login`: e-mail and password.
pub fn login(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let mut flow = match flow_of(world, &form) {
        Ok(flow) => flow,
        Err(error) => return error.page(&mut world.dice, call),
    };
    let login = first(&form, "login").unwrap_or("").trim().to_owned();
    let password = first(&form, "password").unwrap_or("");
    flow.login_hint = Some(login.clone());
    let Some(home) = world.tenants.of_account(&login) else {
        let text = format!(
            "AADSTS50034: The user account {login} does not exist in any directory here. Check the address and try again."
        );
        return show_form(world, flow, Some(&text));
    };
    let found = world.tenants.get(home).and_then(|tenant| {
        tenant
            .user(&login)
            .filter(|user| user.guest_of.is_none() && !user.password.is_empty())
            .map(|user| (user.id, user.enabled, user.password == password))
    });
    match found {
        None => {
            let text = format!(
                "AADSTS50034: The user account {login} does not exist in the directory. To sign into this application, the account must be added to the directory."
            );
            show_form(world, flow, Some(&text))
        }
        Some((_, _, false)) => show_form(
            world,
            flow,
            Some("AADSTS50126: Error validating credentials due to invalid username or password."),
        ),
        Some((_, false, true)) => EntraError::from_name("AADSTS50057").page(&mut world.dice, call),
        Some((id, true, true)) => {
            let person = (home, id);
            flow.account = Some(person);
            let session = remember(world, call, person);
            proceed(world, call, flow).header(
                "Set-Cookie",
                &format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"),
            )
        }
    }
}

fn remember(world: &mut World, call: &Call, person: Person) -> String {
    let id = cookie(call)
        .filter(|id| world.entra.sessions.contains_key(id))
        .unwrap_or_else(|| world.dice.word(40));
    let accounts = world.entra.sessions.entry(id.clone()).or_default();
    accounts.retain(|known| *known != person);
    accounts.push(person);
    id
}

/// `POST /{tenant}/pick`: one of the signed-in accounts, or another one.
pub fn pick(world: &mut World, call: &Call) -> Reply {
    let form = call.form();
    let mut flow = match flow_of(world, &form) {
        Ok(flow) => flow,
        Err(error) => return error.page(&mut world.dice, call),
    };
    let chosen = first(&form, "account").unwrap_or("");
    let person = session_accounts(world, call)
        .into_iter()
        .find(|(home, id)| format!("{home}.{id}") == chosen);
    match person {
        Some(person) => {
            flow.account = Some(person);
            proceed(world, call, flow)
        }
        None => {
            flow.login_hint = None;
            show_form(world, flow, None)
        }
    }
}

/// `GET|POST /{tenant}/oauth2/v2.0/logout`.
pub fn logout(world: &mut World, call: &Call) -> Reply {
    if let Some(id) = cookie(call) {
        world.entra.sessions.remove(&id);
    }
    let form = call.form();
    let back = call
        .query("post_logout_redirect_uri")
        .or_else(|| first(&form, "post_logout_redirect_uri"))
        // Only what looks like an address of the web: never a script.
        .filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"));
    let reply = match back {
        Some(uri) => Reply::redirect(uri),
        None => Reply::html(200, pages::signed_out()),
    };
    reply.header(
        "Set-Cookie",
        &format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
    )
}

/// Who a person is in the tenant that the flow ends in.
#[derive(Debug, Clone)]
pub struct Standing {
    pub tenant: Uuid,
    /// The object id in tokens of that tenant.
    pub object: Uuid,
    pub roles: Vec<DirectoryRole>,
    /// Through GDAP, without an account there.
    pub delegated: bool,
}

/// Finds out who a person is in a tenant: member, guest, or partner under GDAP. 50020 otherwise.
pub fn standing(world: &mut World, person: Person, tenant: Uuid) -> Result<Standing, EntraError> {
    let (home, id) = person;
    if let Some(object) = world.account_in(home, id, tenant) {
        let roles = world
            .tenants
            .get(tenant)
            .map(|tenant| tenant.directory_roles_of(object))
            .unwrap_or_default();
        return Ok(Standing {
            tenant,
            object,
            roles,
            delegated: false,
        });
    }
    if home != tenant
        && account_name(world, person).is_some()
        && let Some(roles) = world.delegated_roles(home, id, tenant)
    {
        return Ok(Standing {
            tenant,
            object: id,
            roles,
            delegated: true,
        });
    }
    let upn = account_name(world, person).unwrap_or_default();
    if home == tenant {
        return Err(EntraError::from_name("AADSTS50057"));
    }
    let name = world
        .tenants
        .summary(tenant)
        .map_or_else(String::new, |summary| summary.name.clone());
    Err(EntraError::new(
        50020,
        format!(
            "User account '{upn}' from identity provider '{}/{home}/' does not exist in tenant '{name}' and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.",
            world.base
        ),
    ))
}

/// Somebody is signed in: checks, consent, and back to the client.
pub fn proceed(world: &mut World, call: &Call, flow: Flow) -> Reply {
    let Some(person) = flow.account else {
        return show_form(world, flow, None);
    };
    let tenant = match flow.authority {
        Authority::Tenant(id) => id,
        Authority::Organizations | Authority::Common => person.0,
    };
    let standing = match standing(world, person, tenant) {
        Ok(standing) => standing,
        Err(error) => {
            let segment = flow.segment.clone();
            let again = keep(world, flow);
            let retry = Some((segment.as_str(), again.as_str()));
            return error.page_with_retry(&mut world.dice, call, retry);
        }
    };
    let disabled = world
        .tenants
        .get(tenant)
        .and_then(|tenant| tenant.principal_by_app(flow.client))
        .is_some_and(|principal| !principal.enabled);
    if disabled {
        return EntraError::from_name("AADSTS7000112").page(&mut world.dice, call);
    }
    let mut flow = flow;
    if let Some(tenant) = world.tenants.get(tenant) {
        // Whoever signs in here meets what can be met; the rest keeps everybody out.
        if let Some(rule) = tenant.access_rules.iter().find(|rule| !rule.can_be_met()) {
            return EntraError::demanded(rule.code, rule.id).page(&mut world.dice, call);
        }
        let unmet: Vec<AccessRule> = tenant
            .access_rules
            .iter()
            .filter(|rule| !flow.met.contains(&rule.id))
            .cloned()
            .collect();
        // Nobody is asked anything, so nothing new can be met.
        if let (Some(rule), "none") = (unmet.first(), flow.prompt.as_str()) {
            let detail = EntraError::demanded(rule.code, rule.id);
            return redirect_error(world, &flow, "interaction_required", &detail);
        }
        flow.met.extend(unmet.iter().map(|rule| rule.id));
    }
    match consent::needed(world, &flow, &standing) {
        Err(error) => {
            let word = error.error();
            redirect_error(world, &flow, word, &error)
        }
        Ok(Some(_)) if flow.prompt == "none" => {
            let detail = EntraError::from_name("AADSTS65001");
            redirect_error(world, &flow, "consent_required", &detail)
        }
        Ok(Some(request)) => consent::show(world, call, flow, &standing, &request),
        Ok(None) => finish(world, flow, &standing),
    }
}

/// Back to the client: with a code, or with the news that consent was given.
pub fn finish(world: &mut World, flow: Flow, standing: &Standing) -> Reply {
    let state = flow.state.clone();
    if flow.purpose == Purpose::AdminConsent {
        let tenant = standing.tenant.to_string();
        let scope = flow.raw_scope.clone();
        let mut pairs = vec![
            ("admin_consent", "True"),
            ("tenant", tenant.as_str()),
            ("scope", scope.as_str()),
        ];
        if let Some(state) = &state {
            pairs.push(("state", state));
        }
        return deliver(&flow, &pairs);
    }
    let Some(person) = flow.account else {
        return show_form(world, flow, None);
    };
    let code = format!("0.{}", world.dice.word(80));
    let session_state = world.dice.guid().to_string();
    if world.entra.codes.len() >= MOST_OPEN {
        world.entra.codes.clear();
    }
    let mut pairs = vec![("code", code.as_str())];
    if let Some(state) = &state {
        pairs.push(("state", state));
    }
    pairs.push(("session_state", &session_state));
    let reply = deliver(&flow, &pairs);
    world.entra.codes.insert(
        code,
        Code {
            tenant: standing.tenant,
            person,
            issued: wall_now(),
            redeemed: false,
            flow,
        },
    );
    reply
}
