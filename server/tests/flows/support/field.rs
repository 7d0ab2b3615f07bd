//! Objects that others made in a customer's tenant, and the review of a plan there.

use cloud::world::{
    exchange::{AssignmentScope, ManagementScope, Pointer, Policy, PolicyScope, RoleAssignment},
    tenant::{Change, Group, GroupKind, Membership, Tenant},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::begun::{Begun, DOMAIN, MAILER};

/// An application's object id and client id.
pub fn application(tenant: &Tenant, name: &str) -> (Uuid, Uuid) {
    let found = tenant
        .principals
        .values()
        .find(|one| one.display_name == name)
        .unwrap_or_else(|| panic!("no {name}"));
    (found.id, found.app_id)
}

pub fn mailer(tenant: &Tenant) -> (Uuid, Uuid) {
    application(tenant, MAILER)
}

/// A group of any kind with these accounts as members.
pub fn group_of(tenant: &mut Tenant, kind: GroupKind, name: &str, members: &[&str]) -> Uuid {
    let members: Vec<Uuid> = members
        .iter()
        .map(|upn| tenant.user(upn).expect("an account").id)
        .collect();
    group_with(tenant, kind, name, &members)
}

/// A group of any kind with these objects as members.
pub fn group_with(tenant: &mut Tenant, kind: GroupKind, name: &str, members: &[Uuid]) -> Uuid {
    let id = Uuid::new_v4();
    let created = tenant.created;
    let at = Change::known(created);
    let rid = 77_001 + u32::try_from(tenant.groups.len()).expect("a number");
    let members = members
        .iter()
        .map(|member| Membership {
            member: *member,
            added: at,
            removed: None,
        })
        .collect();
    let group = Group {
        id,
        guid: Uuid::new_v4(),
        kind,
        name: name.to_owned(),
        alias: name.to_owned(),
        display_name: name.to_owned(),
        description: "somebody else's".to_owned(),
        smtp: format!("{name}@{DOMAIN}"),
        aliases: Vec::new(),
        rid,
        owners: Vec::new(),
        foreign_owners: Vec::new(),
        hidden: false,
        require_sender_authentication: true,
        hidden_membership: false,
        join_restriction: "Closed".to_owned(),
        depart_restriction: "Closed".to_owned(),
        members,
        created,
        in_exchange: created,
        in_graph: created,
    };
    tenant.groups.insert(id, group);
    id
}

pub fn group(tenant: &mut Tenant, name: &str, members: &[&str]) -> Uuid {
    group_of(tenant, GroupKind::MailSecurity, name, members)
}

/// A policy that Postern did not make. `app_id` can be `*`.
pub fn policy(tenant: &mut Tenant, app_id: &str, group: Uuid, deny: bool) {
    let created = tenant.created;
    let (name, rid) = {
        let group = &tenant.groups[&group];
        (group.name.clone(), group.rid)
    };
    let sid = tenant.sid(rid);
    tenant.exchange.policies.push(Policy {
        app_id: app_id.to_owned(),
        deny,
        description: "somebody else's".to_owned(),
        scope: PolicyScope {
            id: group,
            sid,
            display_name: name.clone(),
            name,
        },
        created,
        visible: created,
        enforced: created,
        removed: None,
    });
}

/// The role “Application Mail.Send” for an application.
pub fn role(tenant: &mut Tenant, application: &str, name: &str, scope: AssignmentScope) {
    let (object_id, app_id) = self::application(tenant, application);
    let created = tenant.created;
    tenant.exchange.pointers.push(Pointer {
        id: Uuid::new_v4(),
        object_id,
        app_id,
        display_name: application.to_owned(),
        created,
    });
    tenant.exchange.role_assignments.push(RoleAssignment {
        guid: Uuid::new_v4(),
        name: name.to_owned(),
        role: "Application Mail.Send".to_owned(),
        assignee: object_id,
        scope,
        enabled: true,
        created,
    });
}

pub fn scope(tenant: &mut Tenant, name: &str, filter: String) {
    let created = tenant.created;
    tenant.exchange.scopes.push(ManagementScope {
        guid: Uuid::new_v4(),
        name: name.to_owned(),
        filter,
        exclusive: false,
        created,
    });
}

/// The group that a setup made.
pub fn made_group<'t>(tenant: &'t mut Tenant, setup: &str) -> &'t mut Group {
    tenant
        .groups
        .values_mut()
        .find(|group| group.description.contains(setup))
        .expect("the setup's group")
}

impl Begun {
    /// Requests the review. Returns the status and the body.
    pub async fn try_review(&mut self) -> (u16, Value) {
        let mut draft = self.chosen.draft();
        draft["senders"] = json!(self.senders);
        let body = json!({ "customer": self.chosen.customer, "draft": draft });
        self.owner.call("/api/review", &body).await
    }

    /// Requests a review that must succeed.
    pub async fn reviewed(&mut self) -> Value {
        let (status, review) = self.try_review().await;
        assert_eq!(status, 200, "{review}");
        review
    }

    /// Makes `operation` fail with this error of Exchange, `times` times. None: each time.
    pub fn refusal(&self, operation: &str, times: Option<u64>, error: &Value) {
        let mut fault = json!({ "id": "refusal", "operation": operation, "action": error });
        if let Some(times) = times {
            fault["times"] = json!(times);
        }
        self.stack.cloud.fault(fault).expect("a fault");
    }

    pub fn no_refusal(&self) {
        self.stack
            .cloud
            .with_world(|world| world.faults.disarm("refusal"));
    }

    /// How many objects of a kind the cloud has created.
    pub async fn created(&self, kind: &str) -> usize {
        let url = format!(
            "{}/_cloud/journal?tenant={DOMAIN}&kind={kind}&deed=created",
            self.stack.cloud.url()
        );
        let journal = super::get_json(&url).await;
        journal["changes"].as_array().expect("a journal").len()
    }
}

/// The problem of the failed step.
pub fn failed(view: &Value) -> &Value {
    view["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .find(|step| step["state"] == "failed")
        .map_or_else(|| panic!("nothing failed: {view}"), |step| &step["problem"])
}

pub fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}
