//! Role groups and who is in them (MICROSOFT.md §2.7, §10.4).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use super::{rows, service_principals};
use crate::decisions::PRINCIPAL_RECIPIENT_TYPE;
use crate::journal::{Deed, Thing};
use crate::world::role_groups::{
    self, CustomRoleGroup, MANAGEMENT_ROLES, RoleGroup, RoleGroupMember,
};
use crate::world::tenant::Tenant;

/// What `Members` calls somebody: names only (§10.4).
fn name_of(tenant: &Tenant, member: Uuid) -> String {
    tenant
        .recipient_by_id(member)
        .map_or_else(|| member.to_string(), |found| found.name())
}

fn row(tenant: &Tenant, group: &RoleGroup) -> Map<String, Value> {
    let members = group
        .linked
        .iter()
        .cloned()
        .chain(group.members.iter().map(|id| name_of(tenant, *id)))
        .collect();
    Row::default()
        .text("Identity", &group.name)
        .text("Id", &group.name)
        .text("Name", &group.name)
        .text("DisplayName", "")
        .text("Description", &group.description)
        .guid("Guid", group.guid)
        .text("DistinguishedName", tenant.distinguished_name(&group.name))
        .list("ManagedBy", vec!["Organization Management".to_owned()])
        .list("RoleAssignments", group.assignments())
        .list("Roles", group.roles.clone())
        .list("Members", members)
        // The same for those that somebody made (§10.4).
        .text(
            "RoleGroupType",
            if group.partner {
                "PartnerLinked"
            } else {
                "Standard"
            },
        )
        .text("LinkedGroup", "")
        .list("Capabilities", Vec::new())
        .date("WhenCreated", group.created)
        .flag("IsValid", true)
        .text("ObjectState", "Unchanged")
        .done()
}

fn find(tenant: &Tenant, identity: &str) -> Option<RoleGroup> {
    role_groups::all(tenant).into_iter().find(|group| {
        group.name.eq_ignore_ascii_case(identity)
            || group.guid.to_string().eq_ignore_ascii_case(identity)
            || tenant
                .distinguished_name(&group.name)
                .eq_ignore_ascii_case(identity)
    })
}

/// The role group of `Identity`, or that it was not found.
fn wanted(run: &mut Run<'_>) -> Result<RoleGroup, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    find(run.tenant, &identity).ok_or_else(|| run.not_found(&identity))
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    if run.args.text("Identity").is_some() {
        let group = wanted(run)?;
        return Ok(Output::Rows(vec![row(run.tenant, &group)]));
    }
    // Partners' groups are hidden unless they are asked for (§2.7).
    let partners = run.args.flag("ShowPartnerLinked") == Some(true);
    let rows = role_groups::all(run.tenant)
        .iter()
        .filter(|group| partners || !group.partner)
        .map(|group| row(run.tenant, group))
        .collect();
    Ok(Output::Rows(rows))
}

/// A service principal's row is named by its object id in Entra (§10.4).
fn principal_row(tenant: &Tenant, object: Uuid) -> Option<Map<String, Value>> {
    let index = service_principals::find(tenant, &object.to_string())?;
    let pointer = tenant.exchange.pointers.get(index)?;
    let row = Row::default()
        .text("Identity", pointer.object_id.to_string())
        .text("Id", pointer.object_id.to_string())
        .text("Name", pointer.object_id.to_string())
        .text("Alias", "")
        .text("DisplayName", &pointer.display_name)
        .text(
            "DistinguishedName",
            tenant.distinguished_name(&pointer.object_id.to_string()),
        )
        .guid("Guid", pointer.id)
        .text("ExternalDirectoryObjectId", "")
        .text("PrimarySmtpAddress", "")
        .text("RecipientType", PRINCIPAL_RECIPIENT_TYPE)
        .text("RecipientTypeDetails", PRINCIPAL_RECIPIENT_TYPE)
        .flag("IsValid", true)
        .text("ObjectState", "Changed")
        .done();
    Some(row)
}

fn linked_row(tenant: &Tenant, name: &str) -> Map<String, Value> {
    Row::default()
        .text("Identity", name)
        .text("Id", name)
        .text("Name", name)
        .text("Alias", "")
        .text("DisplayName", name)
        .text("DistinguishedName", tenant.distinguished_name(name))
        .guid("Guid", Uuid::new_v5(&tenant.id, name.as_bytes()))
        .text("ExternalDirectoryObjectId", "")
        .text("PrimarySmtpAddress", "")
        .text("RecipientType", "Group")
        .text("RecipientTypeDetails", "RoleGroup")
        .flag("IsValid", true)
        .text("ObjectState", "Changed")
        .done()
}

/// Somebody of the directory without an address.
fn plain_row(tenant: &Tenant, id: Uuid) -> Option<Map<String, Value>> {
    let user = tenant.users.get(&id)?;
    let row = Row::default()
        .text("Identity", user.id.to_string())
        .text("Id", user.id.to_string())
        .text("Name", user.id.to_string())
        .text("Alias", "")
        .text("DisplayName", &user.display_name)
        .text("ExternalDirectoryObjectId", user.id.to_string())
        .text("PrimarySmtpAddress", "")
        .text("RecipientType", "User")
        .text("RecipientTypeDetails", "User")
        .flag("IsValid", true)
        .text("ObjectState", "Changed")
        .done();
    Some(row)
}

pub fn members(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let group = wanted(run)?;
    let tenant = &run.tenant;
    let linked = group.linked.iter().map(|name| linked_row(tenant, name));
    let others = group.members.iter().filter_map(|id| {
        principal_row(tenant, *id)
            .or_else(|| {
                tenant
                    .recipient_by_id(*id)
                    .map(|found| rows::recipient(tenant, &found))
            })
            .or_else(|| plain_row(tenant, *id))
    });
    Ok(Output::Rows(linked.chain(others).collect()))
}

/// Who `Member` is: a service principal by its pointer, a person, or a security group.
fn candidate(run: &mut Run<'_>, identity: &str) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let tenant = &run.tenant;
    let pointer = service_principals::find(tenant, identity)
        .and_then(|index| tenant.exchange.pointers.get(index))
        .map(|pointer| pointer.object_id);
    let found = pointer
        .or_else(|| {
            tenant
                .recipient(identity, now)
                .filter(|found| found.is_security_principal())
                .map(|found| found.id())
        })
        .or_else(|| tenant.user(identity).map(|user| user.id));
    found.ok_or_else(|| run.not_found(identity))
}

fn note(run: &mut Run<'_>, deed: Deed, group: &str, member: Uuid) {
    run.changed(
        deed,
        Thing::RoleGroupMember,
        format!("{group}/{member}"),
        group,
        json!({"group": group, "member": member}),
    );
}

fn enter(run: &mut Run<'_>, group: &str, member: Uuid) {
    run.tenant
        .exchange
        .role_groups
        .members
        .push(RoleGroupMember {
            group: group.to_owned(),
            member,
        });
    note(run, Deed::Created, group, member);
}

pub fn add(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let group = wanted(run)?;
    let identity = run.args.text("Member").unwrap_or_default().to_owned();
    let member = candidate(run, &identity)?;
    if group.members.contains(&member) {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException",
            format!(
                "The recipient \"{identity}\" is already a member of the group \"{}\".",
                group.name
            ),
        ));
    }
    enter(run, &group.name, member);
    Ok(Output::Nothing)
}

pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let group = wanted(run)?;
    let identity = run.args.text("Member").unwrap_or_default().to_owned();
    let member = candidate(run, &identity)?;
    if !group.members.contains(&member) {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.MemberNotFoundException",
            format!(
                "The recipient \"{identity}\" isn't a member of the group \"{}\".",
                group.name
            ),
        ));
    }
    run.tenant
        .exchange
        .role_groups
        .members
        .retain(|entry| entry.member != member || !entry.group.eq_ignore_ascii_case(&group.name));
    note(run, Deed::Removed, &group.name, member);
    Ok(Output::Nothing)
}

/// `New-RoleGroup`: least privilege for an application goes through a group of one's own (§1.6).
pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let name = run.args.text("Name").unwrap_or_default().to_owned();
    if find(run.tenant, &name).is_some() {
        let (forest, dn) = (run.tenant.forest(), run.tenant.distinguished_name(&name));
        return Err(CmdletError::already_exists(run.dice, &forest, &dn));
    }
    let mut roles = Vec::new();
    for wanted in run.args.texts("Roles").unwrap_or_default().to_vec() {
        let known = MANAGEMENT_ROLES
            .iter()
            .find(|role| role.eq_ignore_ascii_case(&wanted));
        match known {
            Some(role) => roles.push((*role).to_owned()),
            None => return Err(run.not_found(&wanted)),
        }
    }
    let mut members = Vec::new();
    for identity in run.args.texts("Members").unwrap_or_default().to_vec() {
        members.push(candidate(run, &identity)?);
    }
    let group = CustomRoleGroup {
        guid: run.dice.guid(),
        name: name.clone(),
        description: run.args.text("Description").unwrap_or_default().to_owned(),
        roles,
        created: now,
    };
    run.changed(
        Deed::Created,
        Thing::RoleGroup,
        group.guid,
        &name,
        json!({"roles": group.roles}),
    );
    run.tenant.exchange.role_groups.custom.push(group);
    for member in members {
        enter(run, &name, member);
    }
    let rows = find(run.tenant, &name)
        .map(|group| row(run.tenant, &group))
        .into_iter()
        .collect();
    Ok(Output::Rows(rows))
}

pub fn delete(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let group = wanted(run)?;
    let state = &mut run.tenant.exchange.role_groups;
    if !state.custom.iter().any(|custom| custom.guid == group.guid) {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Configuration.Tasks.TaskException",
            format!(
                "The role group \"{}\" is built in and can't be removed.",
                group.name
            ),
        ));
    }
    state.custom.retain(|custom| custom.guid != group.guid);
    state
        .members
        .retain(|entry| !entry.group.eq_ignore_ascii_case(&group.name));
    run.changed(
        Deed::Removed,
        Thing::RoleGroup,
        group.guid,
        group.name,
        json!({}),
    );
    Ok(Output::Nothing)
}
