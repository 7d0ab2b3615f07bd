//! Applications that go around their confinement, act for people, or can be signed in as without a
//! secret (MICROSOFT.md §10).

use uuid::Uuid;

use super::build::Build;
use super::{VENDOR_DOMAIN, names};
use crate::permissions::{DirectoryRole, Resource};
use crate::world::agents::{AGENT, Blueprint, Inheritable};
use crate::world::credentials::FederatedCredential;
use crate::world::exchange::AssignmentScope;
use crate::world::tenant::{GroupKind, ScopeGrant};

impl Build {
    /// Directory roles of an application itself.
    fn direct(&mut self, app_id: Uuid, roles: &[DirectoryRole]) {
        let mut all = self.tenant.principals.values_mut();
        if let Some(found) = all.find(|found| found.app_id == app_id) {
            found.roles = roles.to_vec();
        }
    }

    /// Delegated scopes of an application, for everybody or for one person.
    fn delegate(&mut self, app_id: Uuid, scopes: &[&str], person: Option<Uuid>) {
        let since = self.tenant.created;
        let Some(client) = self.tenant.principal_by_app(app_id).map(|found| found.id) else {
            return;
        };
        self.tenant.scope_grants.push(ScopeGrant {
            id: names::grant_id(client, Resource::Graph.app_id(), person),
            client,
            resource: Resource::Graph,
            principal: person,
            scopes: scopes
                .iter()
                .map(|scope| ((*scope).to_owned(), since))
                .collect(),
            leading_blank: person.is_none(),
        });
    }

    /// Takes the secrets of a registration and lets a workflow elsewhere sign in as it.
    fn federate(&mut self, app_id: Uuid, name: &str, issuer: &str, subject: &str) {
        let id = self.id(&format!("federated/{app_id}/{name}"));
        let mut all = self.tenant.applications.values_mut();
        let Some(found) = all.find(|found| found.app_id == app_id) else {
            return;
        };
        found.secrets.clear();
        let known = &mut self.tenant.directory.credentials.federated;
        known
            .entry(found.id)
            .or_default()
            .push(FederatedCredential {
                id,
                name: name.to_owned(),
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            });
    }

    /// Owners of a registration and of its service principal, by the local part of their address.
    fn own(&mut self, app_id: Uuid, owners: &[&str]) {
        let owners: Vec<Uuid> = owners
            .iter()
            .filter_map(|owner| self.member(owner))
            .collect();
        for found in self.tenant.applications.values_mut() {
            if found.app_id == app_id {
                found.owners.clone_from(&owners);
            }
        }
        for found in self.tenant.principals.values_mut() {
            if found.app_id == app_id {
                found.owners.clone_from(&owners);
            }
        }
    }

    /// Makes a registration a blueprint of agents, and one agent of it.
    fn agent(&mut self, blueprint: Uuid, name: &str, inheritable: Vec<Inheritable>) {
        let id = self.install(self.id(&format!("agent/{name}")), name, self.tenant.id, "");
        let Some(mut child) = self.tenant.principals.remove(&id) else {
            return;
        };
        // The client id of an agent is its object id.
        child.app_id = child.id;
        child.kind = AGENT;
        child.publisher.clone_from(&self.tenant.name);
        self.tenant.principals.insert(id, child);
        let agents = &mut self.tenant.directory.agents;
        agents
            .blueprints
            .insert(blueprint, Blueprint { inheritable });
        agents.children.insert(id, blueprint);
    }
}

/// What a tenant of some years has of this, each once.
pub fn usual(build: &mut Build) {
    let senders = build.group(
        "Backup notices",
        "backup.notices",
        GroupKind::MailSecurity,
        &["reception"],
    );
    // Confined by a policy that it can remove.
    let suite = build.own_app("Backup Suite", "sends notices, and administers Exchange");
    build.grant(suite, Resource::Graph, "Mail.Send");
    build.grant(suite, Resource::Exchange, "Exchange.ManageAsApp");
    build.direct(suite, &[DirectoryRole::ExchangeAdministrator]);
    build.policy(suite, senders, false, Some("Backup: notices only"));
    // Reaches no mailbox, and can give itself all of them.
    let rollout = build.own_app("Tenant Rollout", "grants permissions to what it sets up");
    let power = "AppRoleAssignment.ReadWrite.All";
    build.grant(rollout, Resource::Graph, power);
    // Acts as whoever signed in to it.
    let home = names::tenant_id(build.seed_number, VENDOR_DOMAIN);
    let crm = build.id("vendor/crm");
    build.install(crm, "Tailspin CRM", home, "Tailspin Toys");
    let scopes = [
        "Mail.ReadWrite",
        "Mail.Send",
        "Mail.Send.Shared",
        "offline_access",
    ];
    build.delegate(crm, &scopes, None);
    let person = build.member("user");
    let notes = build.id("vendor/notes");
    build.install(notes, "Tailspin Notes", home, "Tailspin Toys");
    build.delegate(notes, &["Mail.Read", "offline_access"], person);
    // Without a secret, and yet somebody signs in as it.
    let deploy = build.own_app("Release Notes", "sends from a workflow elsewhere");
    build.grant(deploy, Resource::Graph, "Mail.Send");
    build.policy(deploy, senders, false, Some("Releases: reception only"));
    build.federate(
        deploy,
        "gh-main",
        "https://token.actions.githubusercontent.com",
        "repo:margie/releases:ref:refs/heads/main",
    );
    // Two people can add a secret to it.
    let survey = build.own_app("Guest Survey", "asks guests how it was");
    build.grant(survey, Resource::Graph, "Mail.Send");
    build.policy(survey, senders, false, Some("Survey: reception only"));
    build.own(survey, &["admin", "user"]);
}

/// What hides: agents that inherit, and a scope whose members nobody sees.
pub fn hidden(build: &mut Build) {
    let desk = build.own_app("Desk Agents", "a blueprint of agents");
    build.grant(desk, Resource::Graph, "Mail.Send");
    let inheritable = Inheritable {
        resource: Resource::Graph,
        roles: true,
        scopes: false,
    };
    build.agent(desk, "Desk Agent One", vec![inheritable]);
    let board = build.unit("Board members", &["admin", "user"]);
    if let AssignmentScope::AdministrativeUnit(id) = &board {
        build.tenant.directory.hidden_units.insert(*id);
    }
    let minutes = build.own_app("Board Minutes", "sends for people whom nobody may list");
    build.assign(minutes, "Application Mail.Send", board);
}
