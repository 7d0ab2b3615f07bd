//! The token endpoint's answers: which claims, for how long (MICROSOFT.md §6.1, §6.3).

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::EntraError;
use super::sign_in::{self, Standing};
use super::{Authority, Person, Refresh, client, consent, grant_types, jwt, scopes};
use crate::clock::{Time, wall_now};
use crate::decisions::HALF_THERE;
use crate::http_parts::{Call, Reply, first};
use crate::permissions::{DEFAULT_WID, OIDC_SCOPES, Resource};
use crate::world::World;

/// `POST /{tenant}/oauth2/v2.0/token`.
pub fn answer(world: &mut World, call: &Call, authority: Authority) -> Reply {
    match grant_types::redeem(world, call, authority) {
        Ok(body) => Reply::json(200, &body)
            .header("Cache-Control", "no-store")
            .header("Pragma", "no-cache"),
        Err(error) => error.reply(&world.base, &mut world.dice, call),
    }
}

/// What a token for a person is made from.
#[derive(Debug)]
pub struct PersonGrant<'a> {
    pub person: Person,
    pub tenant: Uuid,
    pub client: Uuid,
    /// What is asked for now.
    pub wanted: &'a scopes::Wanted,
    /// The OpenID scopes of the first sign-in.
    pub oidc: &'a [&'static str],
    /// The scope parameter to remember with the refresh token.
    pub raw_scope: &'a str,
    pub nonce: Option<&'a str>,
    /// The sign-in that gave the consent: its code carries the consent with it, everybody else
    /// waits until it has spread (§6.5).
    pub fresh_consent: bool,
    /// When the person signed in, on the wall clock.
    pub signed_in: Time,
    /// Conditional Access rules that the sign-in has met.
    pub met: &'a [Uuid],
}

/// Makes access, refresh and ID token for a person.
pub fn for_person(world: &mut World, grant: &PersonGrant<'_>) -> Result<Value, EntraError> {
    let ask = grant.wanted.single()?;
    let standing = sign_in::standing(world, grant.person, grant.tenant)?;
    demands(world, grant)?;
    let scopes = granted_scopes(world, grant, &standing, &ask)?;
    let user = person_facts(world, grant.person)?;
    let (issued, expires, lifetime) = times(world);
    let mut scp: Vec<&str> = scopes.iter().map(String::as_str).collect();
    if ask.resource == Resource::Graph {
        for scope in ["openid", "profile", "email"] {
            if grant.oidc.contains(&scope) {
                scp.push(scope);
            }
        }
    }
    let mut wids: Vec<String> = standing
        .roles
        .iter()
        .map(|role| role.template().to_string())
        .collect();
    wids.push(DEFAULT_WID.to_string());
    let access = json!({
        "aio": world.dice.word(96),
        "rh": format!("1.{}.", world.dice.word(40)),
        "xms_tcdt": tenant_made(world, grant.tenant),
        "aud": ask.resource.identifier(),
        "iss": format!("https://sts.windows.net/{}/", grant.tenant),
        "iat": issued, "nbf": issued, "exp": expires,
        "acr": "1",
        "amr": ["pwd", "mfa"],
        "app_displayname": application_name(world, grant.client),
        "appid": grant.client.to_string(),
        "idtyp": "user",
        "name": user.name,
        "oid": standing.object.to_string(),
        "upn": user.upn,
        "unique_name": user.upn,
        "scp": scp.join(" "),
        "sub": pairwise(grant.person, ask.resource.app_id()),
        "tid": grant.tenant.to_string(),
        "idp": format!("https://sts.windows.net/{}/", grant.person.0),
        "uti": world.dice.word(22),
        "ver": "1.0",
        "wids": wids,
    });
    let access_token = sign_access(world, ask.resource, &access);
    let shown: Vec<String> = scopes
        .iter()
        .map(|scope| {
            if ask.prefixed || ask.resource != Resource::Graph {
                format!("{}/{scope}", ask.resource.identifier())
            } else {
                scope.clone()
            }
        })
        .chain(ask.default_as.clone())
        .chain(
            grant
                .oidc
                .iter()
                .filter(|scope| **scope != "offline_access")
                .map(|scope| (*scope).to_owned()),
        )
        .collect();
    let mut body = json!({
        "token_type": "Bearer",
        "scope": shown.join(" "),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": access_token,
    });
    let Some(map) = body.as_object_mut() else {
        return Ok(body);
    };
    if grant.oidc.contains(&"offline_access") {
        let token = format!("1.{}", world.dice.word(160));
        let lifetime = i64::try_from(world.dice.draw(world.dice.delays.refresh_lifetime))
            .unwrap_or(i64::MAX / 2000);
        world.entra.refresh.insert(
            token.clone(),
            Refresh {
                client: grant.client,
                person: grant.person,
                tenant: grant.tenant,
                scope: grant.raw_scope.to_owned(),
                issued: wall_now(),
                lifetime,
                signed_in: grant.signed_in,
                met: grant.met.to_vec(),
            },
        );
        map.insert("refresh_token".to_owned(), token.into());
    }
    if grant.oidc.contains(&"openid") {
        let id_token = id_token(world, grant, &standing, &user);
        map.insert("id_token".to_owned(), id_token.into());
        map.insert("client_info".to_owned(), client_info(grant.person).into());
    }
    Ok(body)
}

/// What the tenant demands of a sign-in before it gives tokens: Conditional Access, and that it is
/// not too long ago (§6.1: 50076, 53003, 70043 …).
fn demands(world: &mut World, grant: &PersonGrant<'_>) -> Result<(), EntraError> {
    let Some(tenant) = world.tenants.get(grant.tenant) else {
        return Ok(());
    };
    if let Some(rule) = tenant
        .access_rules
        .iter()
        .find(|rule| !rule.can_be_met() || !grant.met.contains(&rule.id))
    {
        return Err(EntraError::demanded(rule.code, rule.id));
    }
    match tenant.sign_in_frequency {
        Some(seconds) if (wall_now() - grant.signed_in).num_seconds() > seconds => {
            Err(EntraError::from_name("AADSTS70043"))
        }
        _ => Ok(()),
    }
}

fn id_token(
    world: &mut World,
    grant: &PersonGrant<'_>,
    standing: &Standing,
    user: &PersonFacts,
) -> String {
    let (issued, expires, _) = times(world);
    let mut claims = json!({
        "aud": grant.client.to_string(),
        "iss": format!("{}/{}/v2.0", world.base, grant.tenant),
        "iat": issued, "nbf": issued, "exp": expires.min(issued + 3600),
        "rh": "0.",
        "sid": pairwise(grant.person, grant.tenant),
        "sub": pairwise(grant.person, grant.client),
        "tid": grant.tenant.to_string(),
        "uti": world.dice.word(22),
        "ver": "2.0",
    });
    if let Some(map) = claims.as_object_mut() {
        if grant.oidc.contains(&"profile") {
            map.insert("oid".to_owned(), standing.object.to_string().into());
            map.insert("name".to_owned(), user.name.clone().into());
            map.insert("preferred_username".to_owned(), user.upn.clone().into());
        }
        if grant.oidc.contains(&"email") && !user.mail.is_empty() {
            map.insert("email".to_owned(), user.mail.clone().into());
        }
        if grant.person.0 != grant.tenant {
            let home = format!("https://sts.windows.net/{}/", grant.person.0);
            map.insert("idp".to_owned(), home.into());
        }
        if let Some(nonce) = grant.nonce {
            map.insert("nonce".to_owned(), nonce.into());
        }
    }
    world.entra.keys.sign(&claims)
}

/// The delegated scopes that the token carries: everything consented for the resource, which must
/// include what is asked for.
fn granted_scopes(
    world: &mut World,
    grant: &PersonGrant<'_>,
    standing: &Standing,
    ask: &scopes::Ask,
) -> Result<Vec<String>, EntraError> {
    let now = world.dice.now();
    let name = application_name(world, grant.client);
    let tenant = world
        .tenants
        .get(grant.tenant)
        .ok_or_else(|| EntraError::from_name("AADSTS90002"))?;
    if tenant.resource_principal(ask.resource).is_none() {
        return Err(consent::lacks_service(ask.resource, &tenant.name));
    }
    let Some(principal) = tenant.principal_by_app(grant.client) else {
        return Err(if standing.delegated {
            EntraError::new(
                90099,
                format!(
                    "The application '{}' ({name}) has not been authorized in the tenant '{}'. Applications must be authorized to access the external tenant before partner delegated administrators can use them. Provide pre-consent or execute the appropriate Partner Center API to authorize the application.",
                    grant.client, grant.tenant
                ),
            )
        } else {
            no_consent(grant.client, &name)
        });
    };
    if !principal.enabled {
        return Err(EntraError::new(
            7_000_112,
            format!("Application '{}'({name}) is disabled.", grant.client),
        ));
    }
    let honoured: Vec<String> = tenant
        .consented(principal.id, ask.resource, standing.object)
        .filter(|(scope, since)| {
            !OIDC_SCOPES.contains(&scope.as_str()) && (grant.fresh_consent || *since <= now)
        })
        .map(|(scope, _)| scope.clone())
        .collect();
    let covered = ask.scopes.iter().all(|scope| honoured.contains(scope));
    let only_sign_in = ask.scopes.is_empty() && !ask.default;
    if !covered || (honoured.is_empty() && !only_sign_in) {
        // A consent on its way looks like none, or like an application half there (§6.5).
        let on_its_way = tenant
            .consented(principal.id, ask.resource, standing.object)
            .any(|(_, since)| *since > now);
        if on_its_way && world.dice.chance(HALF_THERE) {
            return Err(EntraError::from_name("AADSTS650051"));
        }
        return Err(no_consent(grant.client, &name));
    }
    let mut unique = Vec::new();
    for scope in honoured {
        if !unique.contains(&scope) {
            unique.push(scope);
        }
    }
    Ok(unique)
}

fn no_consent(client: Uuid, name: &str) -> EntraError {
    EntraError::new(
        65001,
        format!(
            "The user or administrator has not consented to use the application with ID '{client}' named '{name}'. Send an interactive authorization request for this user and resource."
        ),
    )
}

/// Makes the token of an application for itself.
pub fn for_application(
    world: &mut World,
    tenant_id: Uuid,
    app_id: Uuid,
    resource: Resource,
) -> Result<Value, EntraError> {
    let (issued, expires, lifetime) = times(world);
    let name = application_name(world, app_id);
    let (made, aio, rh) = (
        tenant_made(world, tenant_id),
        world.dice.word(96),
        format!("1.{}.", world.dice.word(40)),
    );
    let tenant = world
        .tenants
        .get(tenant_id)
        .ok_or_else(|| EntraError::from_name("AADSTS90002"))?;
    let principal = tenant
        .principal_by_app(app_id)
        .ok_or_else(|| client::unknown(&app_id.to_string(), &tenant.name))?;
    let name = match name.is_empty() {
        true => principal.display_name.clone(),
        false => name,
    };
    if !principal.enabled {
        return Err(EntraError::new(
            7_000_112,
            format!("Application '{app_id}'({name}) is disabled."),
        ));
    }
    if tenant.resource_principal(resource).is_none() {
        return Err(consent::lacks_service(resource, &tenant.name));
    }
    let roles = tenant.app_roles_of(principal.id, resource);
    let wids: Vec<String> = tenant
        .directory_roles_of(principal.id)
        .into_iter()
        .map(|role| role.template().to_string())
        .chain([DEFAULT_WID.to_string()])
        .collect();
    let mut claims = json!({
        "aio": aio,
        "rh": rh,
        "idp": format!("https://sts.windows.net/{tenant_id}/"),
        "xms_tcdt": made,
        "aud": resource.identifier(),
        "iss": format!("https://sts.windows.net/{tenant_id}/"),
        "iat": issued, "nbf": issued, "exp": expires,
        "app_displayname": name,
        "appid": app_id.to_string(),
        "appidacr": "1",
        "idtyp": "app",
        "oid": principal.id.to_string(),
        "sub": principal.id.to_string(),
        "tid": tenant_id.to_string(),
        "ver": "1.0",
        "wids": wids,
    });
    if let Some(blueprint) = tenant.blueprint_of(principal.id)
        && let Some(map) = claims.as_object_mut()
    {
        // The child is the client; the blueprint is named beside it (§10.8).
        map.insert("appidacr".to_owned(), "2".into());
        map.insert("xms_par_app_azp".to_owned(), blueprint.to_string().into());
        for facets in ["xms_act_fct", "xms_sub_fct"] {
            map.insert(facets.to_owned(), "11".into());
        }
    }
    // Without roles the claim is absent; RBAC for Applications works with such a token (§5).
    if !roles.is_empty()
        && let Some(map) = claims.as_object_mut()
    {
        map.insert("roles".to_owned(), json!(roles));
    }
    if let Some(map) = claims.as_object_mut() {
        map.insert("uti".to_owned(), world.dice.word(22).into());
    }
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": sign_access(world, resource, &claims),
    }))
}

/// When a tenant was made: `xms_tcdt`.
fn tenant_made(world: &mut World, tenant: Uuid) -> Option<i64> {
    let tenant = world.tenants.get(tenant)?;
    Some(tenant.created.timestamp())
}

/// Signs an access token. Graph's has a nonce, with which nobody but Graph can check it: a client
/// that tries fails, as it does at Microsoft.
fn sign_access(world: &mut World, resource: Resource, claims: &Value) -> String {
    let nonce = (resource == Resource::Graph).then(|| world.dice.word(43));
    world.entra.keys.sign_access(claims, nonce.as_deref())
}

/// Issued, expires, and the seconds between.
///
/// On the wall clock, not on the cloud's: the client compares them with its own clock, and a
/// cloud that runs 600 times faster would hand out tokens that expire in six seconds.
fn times(world: &mut World) -> (i64, i64, i64) {
    let issued = wall_now()
        .timestamp()
        .saturating_add(world.dice.delays.token_skew);
    let lifetime =
        i64::try_from(world.dice.draw(world.dice.delays.token_lifetime)).unwrap_or(i64::MAX / 2000);
    (issued, issued.saturating_add(lifetime), lifetime)
}

struct PersonFacts {
    upn: String,
    name: String,
    mail: String,
}

fn person_facts(world: &mut World, (home, id): Person) -> Result<PersonFacts, EntraError> {
    world
        .tenants
        .get(home)
        .and_then(|tenant| tenant.users.get(&id))
        .map(|user| PersonFacts {
            upn: user.upn.clone(),
            name: user.display_name.clone(),
            mail: user
                .mailbox
                .as_ref()
                .map_or_else(String::new, |mailbox| mailbox.smtp.clone()),
        })
        .ok_or_else(|| EntraError::from_name("AADSTS50057"))
}

fn application_name(world: &mut World, app_id: Uuid) -> String {
    client::registration(world, app_id, None)
        .map_or_else(String::new, |(_, application)| application.display_name)
}

/// A subject that differs per audience.
fn pairwise((home, id): Person, audience: Uuid) -> String {
    jwt::sha256_base64(&format!("{home}/{id}/{audience}"))
}

fn client_info((home, id): Person) -> String {
    use base64::Engine;
    let info = json!({"uid": id.to_string(), "utid": home.to_string()});
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(info.to_string())
}

/// The claims of an access token for a resource, checked; the error says why not, in Graph's
/// words.
pub fn verify_access(world: &World, call: &Call, resource: Resource) -> Result<Claims, String> {
    let token = call.bearer().ok_or("Access token is empty.")?;
    let claims = world.entra.keys.verify(token).ok_or_else(|| {
        if token.split('.').count() == 3 {
            "Signature validation failed.".to_owned()
        } else {
            "CompactToken parsing failed with error code: 80049217".to_owned()
        }
    })?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("");
    if text("aud") != resource.identifier() {
        return Err("Access token validation failure. Invalid audience.".to_owned());
    }
    let now = wall_now().timestamp();
    // Five minutes of tolerance, as usual.
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or(0);
    if number("exp") + 300 < now {
        return Err("Lifetime validation failed, the token is expired.".to_owned());
    }
    if number("nbf") > now + 300 {
        return Err("Lifetime validation failed, the token is not yet valid.".to_owned());
    }
    let id = |name: &str| Uuid::parse_str(text(name)).map_err(|_| format!("Invalid {name}."));
    let list = |name: &str| -> Vec<String> {
        claims
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    Ok(Claims {
        tenant: id("tid")?,
        object: id("oid")?,
        app_id: id("appid")?,
        upn: claims.get("upn").and_then(Value::as_str).map(str::to_owned),
        delegated: text("idtyp") == "user",
        scopes: text("scp").split(' ').map(str::to_owned).collect(),
        roles: list("roles"),
        wids: list("wids")
            .iter()
            .filter_map(|wid| Uuid::parse_str(wid).ok())
            .collect(),
    })
}

/// What the APIs need of an access token.
#[derive(Debug, Clone)]
pub struct Claims {
    pub tenant: Uuid,
    pub object: Uuid,
    pub app_id: Uuid,
    pub upn: Option<String>,
    /// On behalf of a person.
    pub delegated: bool,
    pub scopes: Vec<String>,
    pub roles: Vec<String>,
    pub wids: Vec<Uuid>,
}

impl Claims {
    /// The user's name or the application's id, for faults and the log.
    pub fn who(&self) -> String {
        self.upn.clone().unwrap_or_else(|| self.app_id.to_string())
    }

    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|known| known == scope)
    }

    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|known| known == role)
    }

    pub fn directory_roles(&self) -> impl Iterator<Item = crate::permissions::DirectoryRole> + '_ {
        self.wids
            .iter()
            .filter_map(|wid| crate::permissions::DirectoryRole::from_template(*wid))
    }
}

/// The value of a form field that must be there.
pub fn required<'a>(form: &'a [(String, String)], name: &str) -> Result<&'a str, EntraError> {
    first(form, name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| client::missing(name))
}
