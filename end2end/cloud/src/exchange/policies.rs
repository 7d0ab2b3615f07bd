//! Application access policies (MICROSOFT.md §2.4).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use crate::decisions::{POLICY_OVERHEAD, POLICY_SPACE};
use crate::journal::{Deed, Thing};
use crate::world::enforcement::{View, policies_allow};
use crate::world::exchange::{Policy, PolicyScope};
use crate::world::tenant::GroupKind;

const PARAMETER: &str = "Microsoft.Exchange.Management.Tasks.RecipientTaskException";

fn row(tenant: Uuid, policy: &Policy) -> Map<String, Value> {
    Row::default()
        .text("ScopeName", &policy.scope.display_name)
        .text("ScopeIdentity", &policy.scope.name)
        .text("Identity", policy.identity(tenant))
        .text("AppId", &policy.app_id)
        .text("ScopeIdentityRaw", policy.scope_raw())
        .text("Description", &policy.description)
        .text("AccessRight", policy.right())
        .text("ShardType", "All")
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

fn note(run: &mut Run<'_>, deed: Deed, policy: &Policy) {
    let identity = policy.identity(run.tenant.id);
    run.changed(
        deed,
        Thing::Policy,
        identity,
        &policy.scope.display_name,
        json!({
            "app_id": policy.app_id,
            "right": policy.right(),
            "scope": policy.scope.id,
            "description": policy.description,
        }),
    );
}

/// The configured policy of that identity: with or without the organisation before it.
fn find(run: &Run<'_>, identity: &str) -> Option<usize> {
    let now = run.dice.now();
    let tenant = run.tenant.id;
    run.tenant.exchange.policies.iter().position(|policy| {
        let full = policy.identity(tenant);
        let short = full.split_once('\\').map_or("", |(_, rest)| rest);
        policy.configured(now)
            && (full.eq_ignore_ascii_case(identity) || short.eq_ignore_ascii_case(identity))
    })
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let tenant = run.tenant.id;
    if let Some(identity) = run.args.text("Identity").map(str::to_owned) {
        let found = find(run, &identity)
            .and_then(|index| run.tenant.exchange.policies.get(index))
            .map(|policy| row(tenant, policy));
        return match found {
            Some(row) => Ok(Output::Rows(vec![row])),
            None => Err(run.not_found(&identity)),
        };
    }
    let out: Vec<Map<String, Value>> = run
        .tenant
        .exchange
        .policies
        .iter()
        .filter(|policy| policy.configured(now))
        .map(|policy| row(tenant, policy))
        .collect();
    // Nothing to list can be an error (§2.4).
    if out.is_empty() && run.dice.delays.empty_policies_not_found {
        return Err(run.not_found(&format!("{tenant}\\*")));
    }
    Ok(Output::Rows(out))
}

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let deny = run.args.text("AccessRight") == Some("DenyAccess");
    let right = if deny { "DenyAccess" } else { "RestrictAccess" };
    let mut app_ids = Vec::new();
    for text in run.args.texts("AppId").unwrap_or_default() {
        for one in text.split(',').map(str::trim) {
            let id = if one == "*" {
                "*".to_owned()
            } else {
                Uuid::parse_str(one)
                    .map_err(|_| {
                        CmdletError::failed(
                            PARAMETER,
                            format!("The AppId '{one}' isn't valid. An application id is a GUID."),
                        )
                    })?
                    .to_string()
            };
            if !app_ids.contains(&id) {
                app_ids.push(id);
            }
        }
    }
    if app_ids.is_empty() {
        return Err(CmdletError::missing_parameters("AppId"));
    }
    let identity = run
        .args
        .text("PolicyScopeGroupId")
        .unwrap_or_default()
        .to_owned();
    let found = run.tenant.recipient(&identity, now).map(|recipient| {
        (
            recipient.is_security_principal(),
            PolicyScope {
                id: recipient.id(),
                sid: run.tenant.sid(recipient.rid()),
                name: recipient.name(),
                display_name: recipient.display_name().to_owned(),
            },
        )
    });
    // A security group without mail is none of Exchange's recipients, and gets the same answer.
    let plain_group = run.tenant.groups.values().any(|group| {
        group.kind == GroupKind::Security
            && (group.id.to_string().eq_ignore_ascii_case(&identity)
                || group.name.eq_ignore_ascii_case(&identity))
    });
    let scope = match found {
        Some((true, scope)) => scope,
        None if !plain_group => return Err(run.not_found(&identity)),
        Some((false, _)) | None => {
            return Err(CmdletError::failed(
                PARAMETER,
                "The identity of the policy scope is not a security principal.",
            ));
        }
    };
    let mut fresh = Vec::new();
    for app_id in &app_ids {
        let taken = run.tenant.exchange.policies.iter().any(|policy| {
            policy.removed.is_none() && policy.app_id == *app_id && policy.scope.id == scope.id
        });
        if taken {
            let forest = run.tenant.forest();
            let name = format!("{app_id}:{};{}", scope.sid, scope.id);
            return Err(CmdletError::already_exists(run.dice, &forest, &name));
        }
        let description = run
            .args
            .raw_text("Description")
            .filter(|text| !text.is_empty())
            .map_or_else(
                || Policy::default_description(app_id, &scope.sid, scope.id, right),
                str::to_owned,
            );
        let visible = run.dice.later(run.dice.delays.policy_visible);
        let enforced = run.dice.later(run.dice.delays.policy_enforcement);
        fresh.push(Policy {
            app_id: app_id.clone(),
            deny,
            description,
            scope: scope.clone(),
            created: now,
            visible,
            enforced,
            removed: None,
        });
    }
    let used: usize = run
        .tenant
        .exchange
        .policies
        .iter()
        .filter(|policy| policy.removed.is_none())
        .chain(&fresh)
        .map(|policy| POLICY_OVERHEAD + policy.description.chars().count())
        .sum();
    if used > POLICY_SPACE {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Data.Directory.AppAccessPolicySizeLimitExceededException",
            "The total size of App Access Policies exceeded the limit.",
        ));
    }
    let tenant = run.tenant.id;
    let rows = fresh.iter().map(|policy| row(tenant, policy)).collect();
    for policy in &fresh {
        note(run, Deed::Created, policy);
    }
    run.tenant.exchange.policies.extend(fresh);
    Ok(Output::Rows(rows))
}

/// The description is all that can be changed.
pub fn set(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let description = run.args.raw_text("Description").map(str::to_owned);
    let Some(index) = find(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    if let (Some(policy), Some(description)) =
        (run.tenant.exchange.policies.get_mut(index), description)
    {
        policy.description = description;
        let policy = policy.clone();
        note(run, Deed::Changed, &policy);
    }
    Ok(Output::Nothing)
}

pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let until = run.dice.later(run.dice.delays.policy_enforcement);
    let Some(index) = find(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    if let Some(policy) = run.tenant.exchange.policies.get_mut(index) {
        policy.removed = Some((now, until));
        let policy = policy.clone();
        note(run, Deed::Removed, &policy);
    }
    // What was removed long ago and is in force no more need not be kept.
    run.tenant
        .exchange
        .policies
        .retain(|policy| policy.removed.is_none_or(|(_, until)| until > now));
    Ok(Output::Nothing)
}

/// Reads the configuration, at once; what is enforced is another matter.
pub fn test(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let app_id = run.args.text("AppId").unwrap_or_default().to_owned();
    let parsed = Uuid::parse_str(&app_id).map_err(|_| {
        CmdletError::failed(
            PARAMETER,
            format!("The AppId '{app_id}' isn't valid. An application id is a GUID."),
        )
    })?;
    let found = run.tenant.recipient(&identity, now).map(|recipient| {
        (
            recipient.id(),
            recipient.guid(),
            recipient.rid(),
            recipient.alias().to_owned(),
        )
    });
    let Some((id, guid, rid, alias)) = found else {
        return Err(run.not_found(&identity));
    };
    let granted = policies_allow(run.tenant, parsed, id, View::Configured, now);
    let row = Row::default()
        .text("RunspaceId", run.dice.guid().to_string())
        .text("AppId", parsed.to_string())
        .text("Mailbox", alias)
        .text("MailboxId", guid.to_string())
        .text("MailboxSid", run.tenant.sid(rid))
        .any(
            "AccessCheckResult",
            run.tenant.exchange.check_words.granted(granted),
        )
        .done();
    Ok(Output::Rows(vec![row]))
}
