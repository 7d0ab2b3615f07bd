//! Directory roles of service principals, including roles that they hold through a group
//! (MICROSOFT.md §10.3).

use std::collections::{BTreeMap, BTreeSet};

use domain::{id::ObjectId, reach::DirectoryRole};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    first::there,
    groups::DirectoryObject,
    known_roles,
    log::{Log, Running},
};
use crate::{
    customer::Customer,
    error::{Error, Kind, Result, Service},
    graph::batch::Answered,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    principal_id: ObjectId,
    role_definition_id: Uuid,
    #[serde(default)]
    directory_scope_id: Option<String>,
    #[serde(default)]
    app_scope_id: Option<String>,
    #[serde(default)]
    principal: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Person,
    Group,
    Principal,
    /// Graph did not return the kind. It is requested separately.
    NotTold,
}

impl Row {
    fn holder(&self) -> Holder {
        let kind = self
            .principal
            .as_ref()
            .and_then(|principal| principal.get("@odata.type"))
            .and_then(Value::as_str);
        match kind.and_then(|kind| kind.strip_prefix("#microsoft.graph.")) {
            Some("user" | "agentUser") => Holder::Person,
            Some("group") => Holder::Group,
            Some("servicePrincipal" | "agentIdentity" | "agentIdentityBlueprintPrincipal") => {
                Holder::Principal
            }
            _ => Holder::NotTold,
        }
    }

    /// The scope of the assignment. `/` is the whole tenant.
    fn scope(&self) -> String {
        let scopes = [&self.directory_scope_id, &self.app_scope_id];
        scopes
            .into_iter()
            .flatten()
            .find(|scope| !scope.is_empty())
            .map_or_else(|| "/".to_owned(), Clone::clone)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default)]
    template_id: Option<Uuid>,
    #[serde(default, deserialize_with = "crate::names::name")]
    display_name: Option<String>,
    is_built_in: bool,
    #[serde(default)]
    role_permissions: Vec<RolePermission>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolePermission {
    #[serde(default)]
    allowed_resource_actions: Vec<String>,
}

/// The definition of a role.
struct Role {
    id: Uuid,
    name: Option<String>,
    actions: Option<Vec<String>>,
}

pub(super) async fn read(
    log: &Log<'_>,
    running: Running,
    first: Answered,
) -> Result<Vec<DirectoryRole>> {
    let found = list(&running.customer, first).await;
    let count = found.as_ref().map(Vec::len).map_err(Clone::clone);
    log.end(&running, count);
    found
}

async fn list(customer: &Customer, first: Answered) -> Result<Vec<DirectoryRole>> {
    let first = there(first, "the directory roles")?;
    let rows: Vec<Row> = customer.rest_of_list(first).await?;
    let rows: Vec<(Holder, Row)> = rows
        .into_iter()
        .map(|row| (row.holder(), row))
        .filter(|(holder, _)| *holder != Holder::Person)
        .collect();
    let of = |wanted: Holder| -> Vec<ObjectId> {
        let set: BTreeSet<ObjectId> = rows
            .iter()
            .filter(|(holder, _)| *holder == wanted)
            .map(|(_, row)| row.principal_id)
            .collect();
        set.into_iter().collect()
    };
    let (groups, untold) = (of(Holder::Group), of(Holder::NotTold));
    let unknown: BTreeSet<Uuid> = rows
        .iter()
        .map(|(_, row)| row.role_definition_id)
        .filter(|role| known_roles::name(*role).is_none())
        .collect();
    // Everything still open is read in one request.
    let mut paths = Vec::new();
    for group in &groups {
        paths.push(format!(
            "/groups/{group}/transitiveMembers/microsoft.graph.servicePrincipal?$select=id&$top=999"
        ));
    }
    for object in &untold {
        paths.push(format!("/servicePrincipals/{object}?$select=id"));
    }
    for role in &unknown {
        paths.push(format!(
            "/roleManagement/directory/roleDefinitions/{role}?$select=id,templateId,displayName,isBuiltIn,rolePermissions"
        ));
    }
    let mut answers = match paths.as_slice() {
        [] => Vec::new(),
        paths => customer.graph_batch_each(paths).await?.value,
    }
    .into_iter();
    let mut members: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
    for group in groups {
        let list = match answers.next().transpose()?.flatten() {
            Some(first) => customer.rest_of_list::<DirectoryObject>(first).await?,
            // The group was deleted meanwhile.
            None => Vec::new(),
        };
        members.insert(group, list.into_iter().map(|one| one.id).collect());
    }
    let mut principals: BTreeSet<ObjectId> = BTreeSet::new();
    for object in untold {
        if answers.next().transpose()?.flatten().is_some() {
            principals.insert(object);
        }
    }
    let mut roles: BTreeMap<Uuid, Role> = BTreeMap::new();
    for role in unknown {
        let body = answers.next().transpose()?.flatten();
        roles.insert(role, definition(role, body)?);
    }
    let mut found = Vec::new();
    for (holder, row) in rows {
        let (principals, through) = match holder {
            Holder::Group => {
                let inside = members.get(&row.principal_id).cloned().unwrap_or_default();
                (inside, Some(row.principal_id))
            }
            Holder::NotTold if !principals.contains(&row.principal_id) => continue,
            _ => (vec![row.principal_id], None),
        };
        let asked = roles.get(&row.role_definition_id);
        for principal in principals {
            found.push(DirectoryRole {
                principal,
                role: asked.map_or(row.role_definition_id, |role| role.id),
                name: match asked {
                    Some(role) => role.name.clone(),
                    None => known_roles::name(row.role_definition_id).map(str::to_owned),
                },
                actions: asked.and_then(|role| role.actions.clone()),
                scope: row.scope(),
                through,
            });
        }
    }
    Ok(found)
}

/// A role without a definition may allow anything, so the part fails.
fn definition(role: Uuid, body: Option<Value>) -> Result<Role> {
    let broken = |message: String| Error::unsent(Service::Graph, Kind::Malformed, message);
    let body = body.ok_or_else(|| broken(format!("nothing says what the role {role} allows")))?;
    let row: Definition =
        serde_json::from_value(body).map_err(|error| broken(error.to_string()))?;
    let actions = || {
        row.role_permissions
            .iter()
            .flat_map(|permission| permission.allowed_resource_actions.iter().cloned())
            .collect()
    };
    Ok(Role {
        id: row.template_id.filter(|_| row.is_built_in).unwrap_or(role),
        name: row.display_name.clone().filter(|name| !name.is_empty()),
        actions: (!row.is_built_in).then(actions),
    })
}
