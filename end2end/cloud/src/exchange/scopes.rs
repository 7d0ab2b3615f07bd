//! Management scopes (MICROSOFT.md §3.2).

use serde_json::{Map, Value, json};

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::groups::parse_filter;
use super::rows::Row;
use crate::journal::{Deed, Thing};
use crate::world::exchange::{AssignmentScope, ManagementScope};
use crate::world::tenant::Tenant;

fn row(tenant: &Tenant, scope: &ManagementScope) -> Map<String, Value> {
    Row::default()
        .text("Identity", &scope.name)
        .text("Id", &scope.name)
        .text("Name", &scope.name)
        .guid("Guid", scope.guid)
        .text("DistinguishedName", tenant.distinguished_name(&scope.name))
        .text("ScopeRestrictionType", "RecipientScope")
        .flag("Exclusive", scope.exclusive)
        .text("RecipientRoot", "")
        .text("RecipientFilter", &scope.filter)
        .text("ServerFilter", "")
        .text("DatabaseFilter", "")
        .date("WhenCreated", scope.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

fn find(run: &Run<'_>, identity: &str) -> Option<usize> {
    run.tenant.exchange.scopes.iter().position(|scope| {
        scope.name.eq_ignore_ascii_case(identity)
            || scope.guid.to_string().eq_ignore_ascii_case(identity)
            || run
                .tenant
                .distinguished_name(&scope.name)
                .eq_ignore_ascii_case(identity)
    })
}

fn in_use(tenant: &Tenant, name: &str) -> bool {
    tenant.exchange.role_assignments.iter().any(|assignment| {
        matches!(&assignment.scope, AssignmentScope::Custom(used) if used.eq_ignore_ascii_case(name))
    })
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    if let Some(identity) = run.args.text("Identity").map(str::to_owned) {
        let found = found(run, &identity)
            .and_then(|index| run.tenant.exchange.scopes.get(index))
            .map(|scope| row(run.tenant, scope));
        return match found {
            Some(row) => Ok(Output::Rows(vec![row])),
            None => Err(run.not_found(&identity)),
        };
    }
    let orphans = run.args.flag("Orphan") == Some(true);
    let exclusive = run.args.flag("Exclusive");
    let rows = run
        .tenant
        .exchange
        .scopes
        .iter()
        .filter(|scope| run.finds(scope.guid))
        .filter(|scope| !orphans || !in_use(run.tenant, &scope.name))
        .filter(|scope| exclusive.is_none_or(|wanted| wanted == scope.exclusive))
        .map(|scope| row(run.tenant, scope))
        .collect();
    Ok(Output::Rows(rows))
}

/// The same, when it is old enough for other cmdlets to find it.
fn found(run: &Run<'_>, identity: &str) -> Option<usize> {
    find(run, identity).filter(|index| {
        run.tenant
            .exchange
            .scopes
            .get(*index)
            .is_some_and(|scope| run.finds(scope.guid))
    })
}

/// A filter as Exchange stores it: normalised.
fn normalised(text: &str) -> Result<String, CmdletError> {
    Ok(parse_filter(Some(text))?.map_or_else(String::new, |filter| filter.normalised()))
}

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let name = run.args.text("Name").unwrap_or_default().to_owned();
    if name.is_empty() || name.chars().count() > 64 {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Data.DataValidationException",
            "The name must have 1 to 64 characters.",
        ));
    }
    let filter = normalised(
        run.args
            .text("RecipientRestrictionFilter")
            .unwrap_or_default(),
    )?;
    if find(run, &name).is_some() {
        let (forest, dn) = (run.tenant.forest(), run.tenant.distinguished_name(&name));
        return Err(CmdletError::already_exists(run.dice, &forest, &dn));
    }
    let scope = ManagementScope {
        guid: run.dice.guid(),
        name,
        filter,
        exclusive: run.args.flag("Exclusive") == Some(true),
        created: now,
    };
    let out = row(run.tenant, &scope);
    run.changed(
        Deed::Created,
        Thing::Scope,
        scope.guid,
        &scope.name,
        json!({"filter": scope.filter, "exclusive": scope.exclusive}),
    );
    run.appears_later(scope.guid);
    run.tenant.exchange.scopes.push(scope);
    Ok(Output::Rows(vec![out]))
}

/// Changes every assignment that uses the scope at once, and says nothing.
pub fn set(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let name = run.args.text("Name").map(str::to_owned);
    let filter = match run.args.text("RecipientRestrictionFilter") {
        Some(text) => Some(normalised(text)?),
        None => None,
    };
    let Some(index) = found(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    let exchange = &mut run.tenant.exchange;
    let Some(scope) = exchange.scopes.get_mut(index) else {
        return Ok(Output::Nothing);
    };
    if let Some(filter) = filter {
        scope.filter = filter;
    }
    let guid = scope.guid;
    if let Some(name) = name {
        let old = std::mem::replace(&mut scope.name, name.clone());
        for assignment in &mut exchange.role_assignments {
            if matches!(&assignment.scope, AssignmentScope::Custom(used) if *used == old) {
                assignment.scope = AssignmentScope::Custom(name.clone());
            }
        }
    }
    let sent = run.sent();
    run.changed(Deed::Changed, Thing::Scope, guid, identity, sent);
    Ok(Output::Nothing)
}

pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let Some(index) = found(run, &identity) else {
        return Err(run.not_found(&identity));
    };
    let name = run
        .tenant
        .exchange
        .scopes
        .get(index)
        .map(|scope| scope.name.clone())
        .unwrap_or_default();
    if in_use(run.tenant, &name) {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.RbacTasks.ManagementScopeInUseException",
            format!(
                "The management scope \"{name}\" can't be removed because it's associated with one or more management role assignments."
            ),
        ));
    }
    let scope = run.tenant.exchange.scopes.remove(index);
    run.changed(Deed::Removed, Thing::Scope, scope.guid, name, json!({}));
    Ok(Output::Nothing)
}
