//! Who administers Exchange, rights on single mailboxes, and switches: what no grant shows.

use uuid::Uuid;

use super::build::Build;
use crate::permissions::Resource;
use crate::world::exchange::{AssignmentScope, Pointer, Policy, PolicyScope};
use crate::world::rights::{MailboxRight, Right};
use crate::world::role_groups::RoleGroupMember;
use crate::world::tenant::GroupKind;

impl Build {
    /// Exchange's pointer to an application; gives the service principal's object id.
    fn point(&mut self, app_id: Uuid) -> Option<Uuid> {
        let created = self.past();
        let (object_id, display_name) = self
            .tenant
            .principal_by_app(app_id)
            .map(|found| (found.id, found.display_name.clone()))?;
        let id = self.id(&format!("pointer/{app_id}"));
        let pointers = &mut self.tenant.exchange.pointers;
        if !pointers.iter().any(|pointer| pointer.app_id == app_id) {
            pointers.push(Pointer {
                id,
                object_id,
                app_id,
                display_name,
                created,
            });
        }
        Some(object_id)
    }

    /// Makes an application a member of a role group.
    fn enter(&mut self, app_id: Uuid, group: &str) {
        if let Some(member) = self.point(app_id) {
            self.tenant
                .exchange
                .role_groups
                .members
                .push(RoleGroupMember {
                    group: group.to_owned(),
                    member,
                });
        }
    }

    /// A right of `holder` on a mailbox, by the local part of its address.
    fn right(&mut self, holder: Option<Uuid>, mailbox: &str, right: Right) {
        if let (Some(holder), Some(mailbox)) = (holder, self.member(mailbox)) {
            self.tenant.exchange.rights.push(MailboxRight {
                mailbox,
                holder,
                right,
                deny: false,
                inherited: false,
            });
        }
    }

    /// A RestrictAccess policy whose scope is a single user mailbox.
    fn policy_of_mailbox(&mut self, app_id: Uuid, local: &str) {
        let created = self.past();
        let found = self.member(local).and_then(|id| {
            let recipient = self.tenant.recipient_by_id(id)?;
            Some(PolicyScope {
                id,
                sid: self.tenant.sid(recipient.rid()),
                name: recipient.name(),
                display_name: recipient.display_name().to_owned(),
            })
        });
        if let Some(scope) = found {
            self.tenant.exchange.policies.push(Policy {
                app_id: app_id.to_string(),
                deny: false,
                description: "One mailbox only".to_owned(),
                scope,
                created,
                visible: created,
                enforced: created,
                removed: None,
            });
        }
    }
}

/// A registered IMAP client that was given one mailbox.
pub fn fetcher(build: &mut Build, app_id: Uuid) {
    let holder = build.point(app_id);
    build.right(holder, "support", Right::FullAccess);
}

/// Applications that administer Exchange without any role in Entra, and a role whose scope has a
/// group mailbox in it.
pub fn administrators(build: &mut Build) {
    let robot = build.own_app(
        "Tenant Robot",
        "administers Exchange as a member of a role group",
    );
    build.grant(robot, Resource::Exchange, "Exchange.ManageAsApp");
    build.enter(robot, "Organization Management");
    let keeper = build.own_app("Policy Keeper", "holds a management role of Exchange");
    build.grant(keeper, Resource::Exchange, "Exchange.ManageAsApp");
    build.assign(
        keeper,
        "Organization Configuration",
        AssignmentScope::Organisation,
    );
    let finance = build.group(
        "Finance",
        "finance",
        GroupKind::Microsoft365,
        &["admin", "user"],
    );
    build
        .tenant
        .exchange
        .extras
        .entry(finance)
        .or_default()
        .custom_attributes
        .insert(1, "finance".to_owned());
    let filter = "CustomAttribute1 -eq 'finance'".to_owned();
    let scope = build.scope("Finance mailboxes", filter, false);
    let reader = build.own_app("Finance Reader", "reads what is marked as finance");
    build.assign(reader, "Application Mail.Read", scope);
}

/// EWS is switched off, and the group of the scanner is managed on premises.
pub fn switches(build: &mut Build) {
    build.tenant.exchange.switches.organisation.enabled = Some(false);
    let mover = build.own_app(
        "Old Mail Mover",
        "moved mail over EWS until that was switched off",
    );
    build.grant(mover, Resource::Exchange, "full_access_as_app");
    let synced = build.group(
        "DL-Scan",
        "dl-scan",
        GroupKind::MailSecurity,
        &["reception"],
    );
    build
        .tenant
        .exchange
        .extras
        .entry(synced)
        .or_default()
        .dir_synced = true;
}

/// A policy of one user mailbox, which may send as somebody else.
pub fn one_mailbox(build: &mut Build) {
    let assistant = build.own_app("Executive Assistant", "sends as one person");
    build.grant(assistant, Resource::Graph, "Mail.Send");
    build.policy_of_mailbox(assistant, "user");
    let holder = build.member("user");
    build.right(holder, "admin", Right::SendAs);
}
