//! The tools with which tenants are made.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::{names, people};
use crate::clock::Time;
use crate::permissions::{DirectoryRole, MICROSOFT_TENANT, Resource};
use crate::world::directory::DirectoryState;
use crate::world::exchange::ExchangeOrganisation;
use crate::world::tenant::{
    AppRoleAssignment, Application, Change, Group, GroupKind, Mailbox, MailboxKind, Membership,
    Secret, ServicePrincipal, Tenant, User,
};
use crate::world::tenants::Summary;

/// A tenant on its way.
#[derive(Debug)]
pub struct Build {
    pub tenant: Tenant,
    pub seed_number: u64,
    pub start: Time,
    rng: StdRng,
    next_rid: u32,
}

/// An application to register.
#[derive(Debug)]
pub struct Registration<'a> {
    pub name: &'a str,
    pub multi_tenant: bool,
    pub redirect_uris: &'a [&'a str],
    pub note: &'a str,
}

impl Build {
    /// A tenant with nothing but Microsoft's own service principals.
    pub fn new(summary: &Summary, seed_number: u64, start: Time) -> Self {
        let rng = StdRng::seed_from_u64(
            seed_number ^ u64::try_from(summary.id.as_u128() & u128::from(u64::MAX)).unwrap_or(0),
        );
        let created = start - TimeDelta::days(900);
        let tenant = Tenant {
            id: summary.id,
            name: summary.name.clone(),
            domain: summary.domain.clone(),
            initial_domain: summary.initial_domain.clone(),
            country: "DK".to_owned(),
            created,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            principals: BTreeMap::new(),
            applications: BTreeMap::new(),
            assignments: Vec::new(),
            scope_grants: Vec::new(),
            exchange: ExchangeOrganisation {
                licensed: true,
                customised: Some(created),
                ..ExchangeOrganisation::default()
            },
            units: BTreeMap::new(),
            access_rules: Vec::new(),
            sign_in_frequency: None,
            activations: Vec::new(),
            directory: DirectoryState::default(),
            note: String::new(),
        };
        let mut build = Self {
            tenant,
            seed_number,
            start,
            rng,
            next_rid: 31_000_000,
        };
        for resource in [Resource::Graph, Resource::Exchange] {
            build.first_party(resource.display_name(), resource.app_id(), Some(resource));
        }
        for name in people::FIRST_PARTY {
            let app_id = Uuid::new_v5(&MICROSOFT_TENANT, name.as_bytes());
            build.first_party(name, app_id, None);
        }
        build
    }

    pub fn done(self) -> Tenant {
        self.tenant
    }

    /// An id of this tenant made of a name.
    pub fn id(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.tenant.id, name.as_bytes())
    }

    pub fn draw(&mut self, low: usize, high: usize) -> usize {
        self.rng.random_range(low..=high)
    }

    pub fn pick<'a>(&mut self, from: &'a [&'a str]) -> &'a str {
        let index = self.rng.random_range(0..from.len().max(1));
        from.get(index).copied().unwrap_or("")
    }

    /// Some moment of the last two years.
    pub fn past(&mut self) -> Time {
        self.start - TimeDelta::hours(self.rng.random_range(24..17_000))
    }

    fn rid(&mut self) -> u32 {
        self.next_rid += self.rng.random_range(1..40_u32);
        self.next_rid
    }

    fn first_party(&mut self, name: &str, app_id: Uuid, resource: Option<Resource>) {
        self.principal(ServicePrincipal {
            id: names::principal_id(self.tenant.id, app_id),
            app_id,
            display_name: name.to_owned(),
            owner_tenant: Some(MICROSOFT_TENANT),
            publisher: "Microsoft Services".to_owned(),
            kind: "Application",
            enabled: true,
            created: self.tenant.created,
            resource,
            roles: Vec::new(),
            owners: Vec::new(),
        });
    }

    fn principal(&mut self, principal: ServicePrincipal) -> Uuid {
        let id = principal.id;
        self.tenant.principals.insert(id, principal);
        id
    }

    /// A person, without a mailbox when the tenant has no Exchange.
    pub fn person(&mut self, local: &str, display_name: &str, roles: &[DirectoryRole]) -> Uuid {
        let kind = self.tenant.exchange.licensed.then_some(MailboxKind::User);
        self.user(local, display_name, kind, roles)
    }

    /// A shared mailbox, a room …: an account that nobody signs in with.
    pub fn mailbox(&mut self, local: &str, display_name: &str, kind: MailboxKind) -> Uuid {
        self.user(local, display_name, Some(kind), &[])
    }

    fn user(
        &mut self,
        local: &str,
        display_name: &str,
        kind: Option<MailboxKind>,
        roles: &[DirectoryRole],
    ) -> Uuid {
        let id = self.id(&format!("user/{local}"));
        let person = kind.is_none_or(|kind| kind == MailboxKind::User);
        let (given, family) = display_name.split_once(' ').unwrap_or((display_name, ""));
        let created = self.past();
        let domain = self.tenant.domain.clone();
        let address = format!("{local}@{domain}");
        let mailbox = kind.map(|kind| Mailbox {
            kind,
            guid: self.id(&format!("mailbox/{local}")),
            alias: local.to_owned(),
            smtp: address.clone(),
            aliases: vec![format!("{local}@{}", self.tenant.initial_domain)],
            rid: self.rid(),
            hidden: kind == MailboxKind::Discovery,
            custom_attributes: BTreeMap::new(),
        });
        let job_title = if person {
            self.pick(&people::TITLES).to_owned()
        } else {
            String::new()
        };
        self.tenant.users.insert(
            id,
            User {
                id,
                upn: address,
                display_name: display_name.to_owned(),
                given_name: if person {
                    given.to_owned()
                } else {
                    String::new()
                },
                surname: if person {
                    family.to_owned()
                } else {
                    String::new()
                },
                job_title,
                password: if person {
                    "demo".to_owned()
                } else {
                    String::new()
                },
                enabled: person,
                guest_of: None,
                roles: roles.to_vec(),
                created,
                tokens_valid_from: None,
                mailbox,
            },
        );
        id
    }

    /// That many people, shared mailboxes, rooms and the rest that a tenant has.
    pub fn staff(&mut self, count: usize) {
        let shared = (count / 8).clamp(3, people::SHARED.len());
        for name in people::SHARED.iter().take(shared) {
            let local = people::local_part(name);
            self.mailbox(&local, name, MailboxKind::Shared);
        }
        for name in people::ROOMS.iter().take((count / 20).clamp(1, 6)) {
            let local = format!("room.{}", people::local_part(name));
            self.mailbox(&local, &format!("Room {name}"), MailboxKind::Room);
        }
        self.mailbox("projector", "Projector", MailboxKind::Equipment);
        self.mailbox(
            "DiscoverySearchMailbox{D919BA05-46A6-415f-80AD-7E09334BB852}",
            "Discovery Search Mailbox",
            MailboxKind::Discovery,
        );
        self.mailbox(
            "auditor.external",
            "External Auditor",
            MailboxKind::MailContact,
        );
        let mut made = 0;
        let mut attempt = 0;
        while made < count {
            let given = self.pick(&people::GIVEN).to_owned();
            let family = self.pick(&people::FAMILY).to_owned();
            let mut local = people::local_part(&format!("{given} {family}"));
            if attempt > count {
                local = format!("{local}{attempt}");
            }
            attempt += 1;
            if self
                .tenant
                .users
                .contains_key(&self.id(&format!("user/{local}")))
            {
                continue;
            }
            self.person(&local, &format!("{given} {family}"), &[]);
            made += 1;
        }
    }

    /// A group that everybody has known for long. Members by the local part of their address.
    pub fn group(&mut self, name: &str, alias: &str, kind: GroupKind, members: &[&str]) -> Uuid {
        let id = self.id(&format!("group/{alias}"));
        let created = self.past();
        let members = members
            .iter()
            .filter_map(|local| self.member(local))
            .map(|member| Membership {
                member,
                added: Change::known(created),
                removed: None,
            })
            .collect();
        let rid = self.rid();
        let guid = self.id(&format!("group-guid/{alias}"));
        let smtp = format!("{alias}@{}", self.tenant.domain);
        self.tenant.groups.insert(
            id,
            Group {
                id,
                guid,
                kind,
                name: name.to_owned(),
                alias: alias.to_owned(),
                display_name: name.to_owned(),
                description: String::new(),
                smtp,
                aliases: Vec::new(),
                rid,
                owners: Vec::new(),
                foreign_owners: vec![crate::decisions::FOREIGN_OWNER.to_owned()],
                hidden: false,
                require_sender_authentication: true,
                hidden_membership: false,
                join_restriction: "Closed".to_owned(),
                depart_restriction: "Closed".to_owned(),
                members,
                created,
                in_exchange: created,
                in_graph: created,
            },
        );
        id
    }

    /// A user's or a group's id, by the local part of the address.
    pub fn member(&self, local: &str) -> Option<Uuid> {
        let user = self.id(&format!("user/{local}"));
        let group = self.id(&format!("group/{local}"));
        [user, group]
            .into_iter()
            .find(|id| self.tenant.users.contains_key(id) || self.tenant.groups.contains_key(id))
    }

    /// Registers an application here, with a secret; gives its application id. In its home a
    /// tenant has its service principal too.
    pub fn register(&mut self, registration: &Registration<'_>) -> Uuid {
        let app_id = names::app_id(self.seed_number, &self.tenant.domain, registration.name);
        self.register_as(app_id, registration);
        app_id
    }

    /// The same with a given application id.
    pub fn register_as(&mut self, app_id: Uuid, registration: &Registration<'_>) {
        let id = self.id(&format!("application/{app_id}"));
        let created = self.past();
        self.tenant.applications.insert(
            id,
            Application {
                id,
                app_id,
                display_name: registration.name.to_owned(),
                multi_tenant: registration.multi_tenant,
                redirect_uris: registration
                    .redirect_uris
                    .iter()
                    .map(|uri| (*uri).to_owned())
                    .collect(),
                secrets: vec![Secret {
                    id: Uuid::new_v5(&app_id, b"secret"),
                    value: names::secret_of(app_id),
                    name: "deployment".to_owned(),
                    // On the wall clock (see `entra::client`).
                    expires: self.start + TimeDelta::days(365),
                }],
                certificates: Vec::new(),
                required: Vec::new(),
                created,
                owners: Vec::new(),
                note: registration.note.to_owned(),
            },
        );
        let name = self.tenant.name.clone();
        self.install(app_id, registration.name, self.tenant.id, &name);
    }

    /// A registration of this tenant alone.
    pub fn own_app(&mut self, name: &str, note: &str) -> Uuid {
        self.register(&Registration {
            name,
            multi_tenant: false,
            redirect_uris: &[],
            note,
        })
    }

    /// The service principal of an application that is registered somewhere.
    pub fn install(&mut self, app_id: Uuid, name: &str, home: Uuid, publisher: &str) -> Uuid {
        let created = self.past();
        self.principal(ServicePrincipal {
            id: names::principal_id(self.tenant.id, app_id),
            app_id,
            display_name: name.to_owned(),
            owner_tenant: Some(home),
            publisher: publisher.to_owned(),
            kind: "Application",
            enabled: true,
            created,
            resource: None,
            roles: Vec::new(),
            owners: Vec::new(),
        })
    }

    /// A managed identity: a service principal without any registration.
    pub fn managed_identity(&mut self, name: &str) -> Uuid {
        let created = self.past();
        self.principal(ServicePrincipal {
            id: self.id(&format!("managed/{name}")),
            app_id: self.id(&format!("managed-app/{name}")),
            display_name: name.to_owned(),
            owner_tenant: None,
            publisher: String::new(),
            kind: "ManagedIdentity",
            enabled: true,
            created,
            resource: None,
            roles: Vec::new(),
            owners: Vec::new(),
        })
    }

    /// Gives an application an app role, for the whole tenant.
    pub fn grant(&mut self, app_id: Uuid, resource: Resource, role: &str) {
        let Some(principal) = self.tenant.principal_by_app(app_id).map(|found| found.id) else {
            return;
        };
        let Some(resource_id) = self
            .tenant
            .resource_principal(resource)
            .map(|found| found.id)
        else {
            return;
        };
        let Some(role_id) = resource.role_id(role) else {
            return;
        };
        let created = self.past();
        self.tenant.assignments.push(AppRoleAssignment {
            id: names::assignment_id(principal, resource_id, role_id, created),
            principal,
            resource: resource_id,
            role: role_id,
            created,
            listed: created,
            removed: None,
        });
        for application in self.tenant.applications.values_mut() {
            if application.app_id == app_id {
                application.required.push((resource, role_id, true));
            }
        }
    }
}
