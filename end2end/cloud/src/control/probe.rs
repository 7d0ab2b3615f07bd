//! Asks what an application may do in a mailbox, for the protocols that are not simulated: EWS,
//! IMAP, POP, SMTP, the retired Outlook API, and Graph's calls that Postern has no use for.

use serde_json::{Map, Value};

use super::Refusal;
use super::fields::{Fields, resource};
use crate::entra::token;
use crate::http_parts::Call;
use crate::world::World;
use crate::world::enforcement::{Caller, application_may};
use crate::world::powers;

/// `POST /_cloud/probe` with the application's token for the `resource` (`graph` or `exchange`) as
/// bearer: whether it may use each of `permissions` in each of `mailboxes` (ids or addresses), and
/// beside `may` what [`powers::report`] says.
///
/// # Errors
///
/// When the token is none of an application, or a mailbox does not exist.
pub fn probe(world: &mut World, call: &Call, body: &Value) -> Result<Value, Refusal> {
    let fields = Fields::read(body, &["resource", "permissions", "mailboxes"])?;
    let resource = resource(fields.text("resource"))?;
    let claims = token::verify_access(world, call, resource)?;
    if claims.delegated {
        return Err("a person's token: only applications are asked about".to_owned());
    }
    let tenant = world
        .tenants
        .get(claims.tenant)
        .ok_or("the tenant is gone")?;
    if !tenant.exchange.licensed {
        return Err("the tenant has no mailboxes".to_owned());
    }
    let mut mailboxes = Vec::new();
    for key in fields.texts("mailboxes").unwrap_or_default() {
        let found = tenant
            .user(&key)
            .filter(|user| user.mailbox.is_some())
            .map(|user| user.id)
            .ok_or_else(|| format!("there is no mailbox \"{key}\""))?;
        mailboxes.push((key, found));
    }
    let caller = Caller {
        tenant: claims.tenant,
        app_id: claims.app_id,
        object: claims.object,
        roles: &claims.roles,
    };
    let permissions = fields.texts("permissions").unwrap_or_default();
    let mut report = powers::report(world, claims.tenant, claims.object, &mailboxes);
    let mut answers = Map::new();
    for (key, mailbox) in mailboxes {
        let may: Map<String, Value> = permissions
            .iter()
            .map(|permission| {
                let may = application_may(world, caller, resource, permission, mailbox).is_ok();
                (permission.clone(), Value::Bool(may))
            })
            .collect();
        answers.insert(key, Value::Object(may));
    }
    if let Some(map) = report.as_object_mut() {
        map.insert("may".to_owned(), Value::Object(answers));
    }
    Ok(report)
}
