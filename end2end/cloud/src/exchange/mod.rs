//! Exchange's admin API: the cmdlets over HTTP (MICROSOFT.md §1, §2, §3).

pub mod access_table;
pub mod batch;
pub mod cmdlet;
pub mod elsewhere;
pub mod errors;
pub mod groups;
pub mod known;
pub mod mailboxes;
pub mod members;
pub mod opath;
pub mod organization;
pub mod paging;
pub mod policies;
pub mod registry;
pub mod rights;
pub mod role_assignments;
pub mod role_groups;
pub mod rows;
pub mod scopes;
pub mod service_principals;
pub mod switches;
pub mod units;

use axum::http::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::books::Host;
use crate::decisions::{EXCHANGE_PAGE, Silence, silence_of};
use crate::entra::token::{self, Claims};
use crate::faults::Target;
use crate::http_parts::{Call, Reply};
use crate::journal::{Actor, Change};
use crate::permissions::Resource;
use crate::world::World;
use cmdlet::{Args, Caller, Cmdlet, Output, Run};
use errors::{CmdletError, Style, nul_reply, unauthorized};
use paging::Page;

/// Names the request for faults and the log.
pub fn target(world: &World, call: &Call) -> Target {
    let claims = token::verify_access(world, call, Resource::Exchange).ok();
    let body = if is_invoke(call) {
        call.json().ok()
    } else {
        None
    };
    let operation = if is_invoke(call) {
        body.as_ref()
            .and_then(|body| {
                let name = body
                    .pointer("/CmdletInput/CmdletName")?
                    .as_str()?
                    .to_owned();
                Some(registry::find(&name).map_or(name, |cmdlet| cmdlet.name.to_owned()))
            })
            .unwrap_or_else(|| "InvokeCommand".to_owned())
    } else {
        format!(
            "{} {}",
            call.method,
            call.segments.last().map_or("", String::as_str)
        )
    };
    // A test of RBAC is of its `Resource`, everything else of its `Identity`.
    let parameter = |name: &str| -> Option<String> {
        let parameters = body.as_ref()?.pointer("/CmdletInput/Parameters")?;
        let (_, value) = parameters
            .as_object()?
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    let mailbox = match operation.as_str() {
        "Test-ServicePrincipalAuthorization" => parameter("Resource"),
        _ => parameter("Identity"),
    };
    Target {
        host: Host::Exchange,
        tenant: world.tenants.resolve(call.segment(2)),
        operation,
        user: claims.as_ref().map(Claims::who),
        mailbox,
    }
}

/// What counts an invocation among those of its tenant.
pub fn concurrency_key(world: &World, call: &Call) -> Option<(Uuid, Uuid, String)> {
    let tenant = world.tenants.resolve(call.segment(2))?;
    Some((Uuid::nil(), tenant, String::new()))
}

fn is_invoke(call: &Call) -> bool {
    call.segments.len() == 4 && call.segment(3) == "InvokeCommand"
}

/// Answers a request, in the order of checks of MICROSOFT.md §8, item 1.
pub fn handle(world: &mut World, call: &Call) -> Reply {
    let request_id = world.dice.guid().to_string();
    answer(world, call, &request_id).header("request-id", &request_id)
}

fn answer(world: &mut World, call: &Call, request_id: &str) -> Reply {
    match (call.segment(1), call.segment(3)) {
        ("beta", "InvokeCommand") if call.segments.len() == 4 => {}
        ("v1.0", "InvokeCommand") => return Reply::empty(405).header("Allow", "GET"),
        ("beta", "$batch") if call.method == Method::POST => return batch::run(world, call),
        _ => return elsewhere::answer(world, call),
    }
    if call.method != Method::POST {
        return Reply::empty(405).header("Allow", "POST");
    }
    let Ok(claims) = token::verify_access(world, call, Resource::Exchange) else {
        return unauthorized();
    };
    let Some(tenant) = world.tenants.resolve(call.segment(2)) else {
        return unauthorized();
    };
    if tenant != claims.tenant {
        return unauthorized();
    }
    let allowed = if claims.delegated {
        claims.has_scope("Exchange.Manage")
    } else {
        claims.has_role("Exchange.ManageAsApp")
    };
    if !allowed {
        return unauthorized();
    }
    let anchor = call.header("x-anchormailbox").map(str::to_owned);
    let caller = caller_of(world, tenant, &claims, anchor.clone());
    let licensed = world
        .tenants
        .get(tenant)
        .is_some_and(|tenant| tenant.exchange.licensed);
    if !licensed || !caller.is_known() {
        return nul_reply(None, false);
    }
    let body = match call.json() {
        Ok(body) => body,
        Err(error) => return malformed(&error.to_string()),
    };
    let (name, parameters) = match read_input(&body) {
        Ok(found) => found,
        Err(why) => return malformed(&why),
    };
    let Some(cmdlet) = registry::find(name) else {
        return match known::cmdlet(name) {
            Some(name) => CmdletError::not_simulated(name).reply(&mut world.dice),
            None => nul_reply(None, false),
        };
    };
    let clixml = call
        .header("x-responseformat")
        .is_some_and(|format| format.eq_ignore_ascii_case("clixml"));
    if clixml {
        return CmdletError::not_simulated("X-ResponseFormat: clixml").reply(&mut world.dice);
    }
    if !caller.has(cmdlet.power) {
        return nul_reply(None, false);
    }
    // A fault can show another tenant's data to whoever only reads.
    let tenant = match world.misroute {
        Some(other) if !cmdlet.writes() => other,
        _ => tenant,
    };
    if let Some(token) = call.query("$skiptoken") {
        let now = world.dice.now();
        let rest = world
            .pages
            .open(token, tenant, &body, anchor.as_deref(), now);
        return match rest {
            Some(rows) => {
                let size = page_size(call, None);
                page(world, call, tenant, &body, rows, size, Vec::new())
            }
            None => expired_page(&mut world.dice),
        };
    }
    let mut changes = Vec::new();
    let outcome = invoke(world, tenant, cmdlet, parameters, &caller, &mut changes);
    if !changes.is_empty() {
        let by = Actor {
            host: "exchange",
            operation: cmdlet.name.to_owned(),
            app_id: Some(claims.app_id),
            user: claims.upn.clone(),
            request_id: request_id.to_owned(),
            client_request_id: call.client_request_id().map(str::to_owned),
        };
        let now = world.dice.now();
        world.journal.note(now, tenant, &by, changes);
    }
    match outcome {
        Ok((Output::Nothing, args, warnings)) => silence(world, tenant, cmdlet, &args, &warnings),
        Ok((Output::Rows(rows), args, warnings)) => {
            let select = select_of(call);
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|row| Value::Object(trim(row, select.as_deref())))
                .collect();
            let limit = match cmdlet.params.iter().any(|param| param.name == "ResultSize") {
                true => Some(args.size("ResultSize").unwrap_or(Some(EXCHANGE_PAGE))),
                false => None,
            };
            let size = page_size(call, limit.flatten());
            let mut warnings = warnings;
            if limit.flatten().is_some_and(|limit| rows.len() > limit) {
                warnings.push(MORE_RESULTS.to_owned());
            }
            page(world, call, tenant, &body, rows, size, warnings)
        }
        Err(error) => error.reply(&mut world.dice),
    }
}

/// What a listing says that is not at its end: cut by its `ResultSize`, or a page with more to come.
const MORE_RESULTS: &str = "There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.";

/// Who calls, with the directory roles of the token that Exchange knows of by now: one that was
/// activated a moment ago is not among them (§1.6).
fn caller_of(world: &mut World, tenant: Uuid, claims: &Claims, anchor: Option<String>) -> Caller {
    let now = world.dice.now();
    let fresh: Vec<_> = world
        .tenants
        .get(tenant)
        .map(|tenant| {
            tenant
                .activations
                .iter()
                .filter(|activation| {
                    activation.object == claims.object && activation.exchange > now
                })
                .map(|activation| activation.role)
                .collect()
        })
        .unwrap_or_default();
    let management_roles = world
        .tenants
        .get(tenant)
        .map(|tenant| crate::world::role_groups::roles_of(tenant, claims.object))
        .unwrap_or_default();
    Caller {
        anchor,
        management_roles,
        object: claims.object,
        app_id: claims.app_id,
        upn: claims.upn.clone(),
        roles: claims
            .directory_roles()
            .filter(|role| !fresh.contains(role))
            .collect(),
    }
}

/// Cmdlet name and parameters; keys must be spelt exactly.
fn read_input(body: &Value) -> Result<(&str, &Map<String, Value>), String> {
    let input = body
        .get("CmdletInput")
        .and_then(Value::as_object)
        .ok_or("The property 'CmdletInput' is missing.")?;
    for key in input.keys() {
        if key != "CmdletName" && key != "Parameters" {
            return Err(format!(
                "The property '{key}' does not exist on type 'Exchange.CmdletInput'."
            ));
        }
    }
    let name = input
        .get("CmdletName")
        .and_then(Value::as_str)
        .ok_or("The property 'CmdletName' is missing.")?;
    let parameters = input
        .get("Parameters")
        .and_then(Value::as_object)
        .ok_or("The property 'Parameters' is missing or null.")?;
    Ok((name, parameters))
}

fn malformed(why: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": {"code": "BadRequest", "message": format!("The request body is not valid: {why}"), "innererror": {"message": why, "type": "Microsoft.OData.ODataException", "stacktrace": ""}}}),
    )
}

fn expired_page(dice: &mut crate::clock::Dice) -> Reply {
    CmdletError {
        status: Some(400),
        exception: "Microsoft.Exchange.Admin.OData.Core.ODataServiceException".to_owned(),
        text: "Expired or Invalid pagination request. Default Expiry time is 00:30:00".to_owned(),
        style: Style::Inner,
    }
    .reply(dice)
}

type Invoked = (Output, Args, Vec<String>);

fn invoke(
    world: &mut World,
    tenant: Uuid,
    cmdlet: &'static Cmdlet,
    parameters: &Map<String, Value>,
    caller: &Caller,
    changes: &mut Vec<Change>,
) -> Result<Invoked, CmdletError> {
    let args = cmdlet::bind(cmdlet, parameters)?;
    if cmdlet.name.starts_with("Remove-")
        && args.flag("Confirm") != Some(false)
        && args.flag("WhatIf") != Some(true)
    {
        // Somebody would have to press a key; nobody is there (§1.2).
        return Err(CmdletError::failed(
            "System.Management.Automation.PSInvalidOperationException",
            format!(
                "{}: a confirmation is required and cannot be asked for. Use -Confirm:$false.",
                cmdlet.name
            ),
        ));
    }
    let World { tenants, dice, .. } = world;
    let Some(tenant) = tenants.get(tenant) else {
        return Err(CmdletError::failed(
            "System.InvalidOperationException",
            "The organization does not exist.",
        ));
    };
    let now = dice.now();
    if crate::decisions::NEEDS_CUSTOMIZATION.contains(&cmdlet.name)
        && tenant.exchange.refuses_configuration(now)
    {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException",
            "The command you tried to run isn't currently allowed in your organization. To run this command, you first need to run the command: Enable-OrganizationCustomization.",
        ));
    }
    if args.flag("WhatIf") == Some(true) {
        return Ok((Output::Nothing, args, Vec::new()));
    }
    // Its maker sees a new group before others do (§2.1).
    let early = tenant.show_new_groups(caller.object, caller.anchor.as_deref(), now);
    let mut run = Run {
        cmdlet: cmdlet.name,
        tenant,
        dice,
        caller,
        args,
        warnings: Vec::new(),
        changes: Vec::new(),
    };
    let outcome = (cmdlet.run)(&mut run);
    // What a cmdlet did before it failed stays done, and is noted.
    changes.append(&mut run.changes);
    let outcome = match outcome {
        Err(error)
            if error.is_not_found()
                && cmdlet.name.starts_with("Get-")
                && run.dice.delays.unknown_identity_lists_all
                && run.args.forget("Identity") =>
        {
            (cmdlet.run)(&mut run)
        }
        other => other,
    };
    run.tenant.hide_new_groups(early);
    outcome.map(|output| (output, run.args, run.warnings))
}

fn page_size(call: &Call, limit: Option<usize>) -> usize {
    let preferred = paging::preferred_size(call.header("prefer"))
        .unwrap_or(EXCHANGE_PAGE)
        .min(EXCHANGE_PAGE);
    limit.map_or(preferred, |limit| limit.min(preferred))
}

fn select_of(call: &Call) -> Option<Vec<String>> {
    call.query("$select").map(|text| {
        text.split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect()
    })
}

/// Keeps the selected properties and their sidecars.
fn trim(row: Map<String, Value>, select: Option<&[String]>) -> Map<String, Value> {
    match select {
        None => row,
        Some(names) => row
            .into_iter()
            .filter(|(key, _)| {
                let bare = key.split('@').next().unwrap_or(key);
                names.iter().any(|name| name.eq_ignore_ascii_case(bare))
            })
            .collect(),
    }
}

fn context_of(world: &World, tenant: Uuid) -> String {
    format!(
        "{}/adminapi/beta/{tenant}/$metadata#Collection(Exchange.GenericHashTable)",
        world.base
    )
}

fn page(
    world: &mut World,
    call: &Call,
    tenant: Uuid,
    body: &Value,
    mut rows: Vec<Value>,
    size: usize,
    warnings: Vec<String>,
) -> Reply {
    let rest = if rows.len() > size {
        rows.split_off(size)
    } else {
        Vec::new()
    };
    let mut warnings = warnings;
    if !rest.is_empty() && !warnings.iter().any(|known| known == MORE_RESULTS) {
        warnings.push(MORE_RESULTS.to_owned());
    }
    // Warnings stand in the body, and once more in a header (§1.3).
    let header = warnings.join("; ");
    let mut out = json!({
        "@odata.context": context_of(world, tenant),
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": warnings,
        "value": rows,
    });
    if !rest.is_empty() {
        let token = world.dice.word(48);
        let now = world.dice.now();
        let seconds = world.dice.draw(world.dice.delays.page_link);
        let seconds = i64::try_from(seconds).unwrap_or(i64::from(u32::MAX));
        let expires = now
            + chrono::TimeDelta::try_seconds(world.dice.clock.at_least_on_wall(seconds))
                .unwrap_or(chrono::TimeDelta::MAX / 4);
        let mut link = format!(
            "{}/adminapi/beta/{tenant}/InvokeCommand?%24skiptoken={token}",
            world.base
        );
        if let Some(select) = call.query("$select") {
            link.push_str(&format!(
                "&%24select={}",
                crate::http_parts::percent_encode(select)
            ));
        }
        world.pages.keep(
            token,
            Page {
                tenant,
                body: body.clone(),
                anchor: call.header("x-anchormailbox").map(str::to_owned),
                rows: rest,
                expires,
            },
            now,
        );
        if let Some(map) = out.as_object_mut() {
            map.insert("@odata.nextLink".to_owned(), link.into());
        }
    }
    let reply = Reply::json(200, &out);
    if header.is_empty() {
        reply
    } else {
        reply.header("X-Warnings", &header)
    }
}

/// The answer of a cmdlet that says nothing.
fn silence(
    world: &World,
    tenant: Uuid,
    cmdlet: &Cmdlet,
    args: &Args,
    warnings: &[String],
) -> Reply {
    let what_if = args.flag("WhatIf") == Some(true);
    match silence_of(cmdlet.name) {
        Silence::NoContent if !what_if && warnings.is_empty() => Reply::empty(204),
        Silence::EmptyBody if !what_if && warnings.is_empty() => Reply::empty(200),
        _ => {
            let mut out = json!({
                "@odata.context": context_of(world, tenant),
                "adminapi.warnings@odata.type": "#Collection(String)",
                "@adminapi.warnings": warnings,
                "value": [],
            });
            if what_if && let Some(map) = out.as_object_mut() {
                map.insert(
                    "@adminapi.confirmationmessage".to_owned(),
                    format!("What if: {}", cmdlet.name).into(),
                );
            }
            Reply::json(200, &out)
        }
    }
}
