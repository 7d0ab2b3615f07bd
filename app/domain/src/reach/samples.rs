//! A small customer for tests: one application, five mailboxes, a few groups.

use uuid::Uuid;

use super::{
    AdministrativeUnit, Answer, Assignment, AssignmentScope, EwsSwitch, Extent, Gap, Grant, Group,
    Judge, ManagementScope, Members, Permission, Pointer, Principal, PrincipalKind, Reach, Reading,
    Seen, Why,
};
use crate::{
    application::{AccessPolicy, AccessRight},
    id::{AppId, AppRoleId, ObjectId, TenantId},
    permission::{self, Resource},
};

pub const VENDOR: u128 = 0x1000;
pub const MICROSOFT: u128 = 0xf8cd_ef31_a31e_4b4a_93e4_5f57_1e91_255a;

pub const fn object(number: u128) -> ObjectId {
    ObjectId(Uuid::from_u128(number))
}

pub const CEO: ObjectId = object(1);
pub const RECEPTION: ObjectId = object(2);
pub const SALES: ObjectId = object(3);
pub const SHARED: ObjectId = object(4);
pub const ROOM: ObjectId = object(5);
pub const MAILBOXES: [(ObjectId, &str); 5] = [
    (CEO, "ceo"),
    (RECEPTION, "reception"),
    (SALES, "sales"),
    (SHARED, "shared"),
    (ROOM, "room"),
];
/// A contact: in groups, and no mailbox.
pub const CONTACT: ObjectId = object(9);

/// Its members: reception, a contact, and the group [`INNER`].
pub const SENDERS: ObjectId = object(101);
/// Its members: sales, and the group [`SENDERS`]. The two groups contain each other.
pub const INNER: ObjectId = object(102);
/// Its members: reception, sales and a contact, each directly.
pub const TEAM: ObjectId = object(106);
/// Its members: the CEO and reception.
pub const BOARD: ObjectId = object(103);
pub const EMPTY: ObjectId = object(104);
/// A group whose members could not be read.
pub const SEALED: ObjectId = object(105);
pub const GONE: ObjectId = object(199);

pub const APP: ObjectId = object(201);
pub const CLIENT: AppId = AppId(Uuid::from_u128(301));
pub const OTHER: ObjectId = object(202);
pub const OTHER_CLIENT: AppId = AppId(Uuid::from_u128(302));
/// Its members: sales and the shared mailbox.
pub const UNIT: ObjectId = object(401);

pub fn failed<T>() -> Reading<T> {
    Reading::Failed {
        reason: "time-out".into(),
    }
}

pub fn role_id(resource: Resource, value: &str) -> AppRoleId {
    permission::find_value(resource, value).map_or_else(
        || {
            let bytes = value.bytes().fold(7_u128, |all, byte| {
                all.wrapping_mul(257).wrapping_add(u128::from(byte))
            });
            AppRoleId(Uuid::from_u128(bytes))
        },
        |known| AppRoleId(known.id),
    )
}

#[derive(Clone, Debug)]
pub struct Sample(pub Seen);

pub fn read<T>(reading: &mut Reading<Vec<T>>) -> &mut Vec<T> {
    match reading {
        Reading::Read { value } => value,
        _ => panic!("this part of the sample is not read"),
    }
}

/// A customer whose application holds nothing yet.
pub fn customer() -> Sample {
    let principal = |object, app_id, name: &str| Principal {
        object,
        app_id,
        name: name.into(),
        kind: PrincipalKind::Application,
        enabled: Some(true),
        owner_tenant: Some(TenantId(Uuid::from_u128(VENDOR))),
        publisher: None,
    };
    let group = |object, name: &str, recipients: &[ObjectId], groups: &[ObjectId]| Group {
        object,
        name: name.into(),
        direct: Reading::read(Members {
            recipients: recipients.to_vec(),
            groups: groups.to_vec(),
        }),
        nested: None,
        writable: None,
        rule: None,
    };
    Sample(Seen {
        all_principals: true,
        principals: Reading::read(vec![
            principal(APP, CLIENT, "Mailer"),
            principal(OTHER, OTHER_CLIENT, "Other"),
        ]),
        graph_grants: Reading::read(Vec::new()),
        exchange_grants: Reading::read(Vec::new()),
        policies: Reading::read(Vec::new()),
        pointers: Reading::read(Vec::new()),
        assignments: Reading::read(Vec::new()),
        scopes: Reading::read(Vec::new()),
        groups: vec![
            group(SENDERS, "Senders", &[RECEPTION, CONTACT], &[INNER]),
            group(INNER, "Inner", &[SALES], &[SENDERS]),
            group(BOARD, "Board", &[CEO, RECEPTION], &[]),
            group(EMPTY, "Empty", &[], &[]),
            group(TEAM, "Team", &[RECEPTION, SALES, CONTACT], &[]),
            Group {
                object: SEALED,
                name: "Sealed".into(),
                direct: failed(),
                nested: None,
                writable: None,
                rule: None,
            },
        ],
        units: vec![AdministrativeUnit {
            object: UNIT,
            name: "Shop".into(),
            members: Reading::read(vec![SALES, SHARED]),
            rule: None,
        }],
        mailboxes: Reading::read(MAILBOXES.map(|(object, _)| object).to_vec()),
        special: None,
        stray_policies: None,
        powers: super::PowersSeen::none(),
        rights: super::RightsSeen {
            ews: Reading::read(EwsSwitch {
                enabled: Some(true),
                allowed: None,
            }),
            ..super::RightsSeen::none()
        },
    })
}

impl Sample {
    pub fn with(mut self, change: impl FnOnce(&mut Seen)) -> Self {
        change(&mut self.0);
        self
    }

    pub fn grant(self, resource: Resource, value: &str) -> Self {
        self.grant_named(resource, role_id(resource, value), Some(value))
    }

    pub fn graph(self, value: &str) -> Self {
        self.grant(Resource::Graph, value)
    }

    pub fn exchange(self, value: &str) -> Self {
        self.grant(Resource::Exchange, value)
    }

    pub fn grant_named(self, resource: Resource, role: AppRoleId, value: Option<&str>) -> Self {
        self.with(|seen| {
            let grants = match resource {
                Resource::Graph => &mut seen.graph_grants,
                Resource::Exchange => &mut seen.exchange_grants,
            };
            read(grants).push(Grant {
                principal: APP,
                role,
                value: value.map(Into::into),
            });
        })
    }

    pub fn restrict(self, scope: ObjectId) -> Self {
        self.policy(AccessRight::RestrictAccess, Some(CLIENT), Some(scope))
    }

    pub fn deny(self, scope: ObjectId) -> Self {
        self.policy(AccessRight::DenyAccess, Some(CLIENT), Some(scope))
    }

    pub fn policy(
        self,
        right: AccessRight,
        app_id: Option<AppId>,
        scope_object: Option<ObjectId>,
    ) -> Self {
        self.with(|seen| {
            let policies = read(&mut seen.policies);
            policies.push(AccessPolicy {
                identity: format!("policy {}", policies.len()),
                app_id,
                right,
                scope_name: "some group".into(),
                scope_object,
                description: " ".into(),
                valid: true,
            });
        })
    }

    pub fn pointer(self, object: ObjectId, app_id: AppId, name: &str) -> Self {
        self.with(|seen| {
            read(&mut seen.pointers).push(Pointer {
                object,
                app_id: Some(app_id),
                names: vec![name.into()],
            });
        })
    }

    /// Adds a role assignment with the pointer that it needs.
    pub fn assign(self, role: &str, scope: AssignmentScope) -> Self {
        self.pointer(APP, CLIENT, "Mailer")
            .assign_to(&APP.to_string(), role, scope)
    }

    pub fn assign_to(self, assignee: &str, role: &str, scope: AssignmentScope) -> Self {
        self.with(|seen| {
            let assignments = read(&mut seen.assignments);
            assignments.push(Assignment {
                name: format!("assignment {}", assignments.len()),
                role: role.into(),
                assignee: assignee.into(),
                scope,
                enabled: true,
                delegating: false,
            });
        })
    }

    pub fn scope(self, name: &str, exclusive: bool, mailboxes: Reading<Vec<ObjectId>>) -> Self {
        self.with(|seen| {
            read(&mut seen.scopes).push(ManagementScope {
                name: name.into(),
                exclusive,
                filter: "Title -eq 'x'".into(),
                mailboxes,
            });
        })
    }

    pub fn principal(self, change: impl FnOnce(&mut Principal)) -> Self {
        self.with(|seen| {
            change(
                read(&mut seen.principals)
                    .iter_mut()
                    .find(|principal| principal.object == APP)
                    .unwrap(),
            );
        })
    }

    pub fn reach(&self) -> Reach {
        Judge::new(&self.0).reach()
    }

    /// The application's answer for one permission, in words.
    pub fn says(&self, permission: &Permission) -> String {
        let reach = self.reach();
        words(&reach, reach.answer(APP, permission))
    }
}

pub fn in_group(object: ObjectId) -> AssignmentScope {
    AssignmentScope::Group {
        object: Some(object),
        name: "some group".into(),
    }
}

pub fn in_scope(name: &str) -> AssignmentScope {
    AssignmentScope::Custom { name: name.into() }
}

/// An answer in words, with the names of the mailboxes.
pub fn words(reach: &Reach, answer: &Answer) -> String {
    let extent = |extent: Extent| match extent {
        Extent::Everything => "everything".to_owned(),
        Extent::AllExcept { mailboxes } => format!("all but {}", names(reach, mailboxes)),
        Extent::Only { mailboxes } => names(reach, mailboxes),
        Extent::Nothing => "nothing".to_owned(),
    };
    match answer {
        Answer::Unrestricted => "unrestricted".to_owned(),
        Answer::AllExcept { mailboxes } => format!("all except {}", names(reach, *mailboxes)),
        Answer::ConfinedTo { mailboxes } => format!("confined to {}", names(reach, *mailboxes)),
        Answer::Everyone { mailboxes } => {
            format!("everybody for now: {}", names(reach, *mailboxes))
        }
        Answer::AllOfKind { mailboxes } => {
            format!("all of their kind: {}", names(reach, *mailboxes))
        }
        Answer::Nothing => "nothing".to_owned(),
        Answer::Unknown {
            at_least,
            at_most,
            gaps,
        } => {
            let gaps: Vec<String> = gaps
                .iter()
                .map(|gap| gap_in_words(reach.gap(*gap).unwrap()))
                .collect();
            format!(
                "unknown, {} to {}: {}",
                extent(*at_least),
                extent(*at_most),
                gaps.join(", ")
            )
        }
    }
}

fn gap_in_words(gap: &Gap) -> String {
    let part = serde_json::to_value(&gap.part).unwrap();
    let part = part["part"].as_str().unwrap();
    match &gap.why {
        Why::Missing => format!("{part} missing"),
        Why::NotUnderstood => format!("{part} not understood"),
        _ => format!("{part} unread"),
    }
}

fn names(reach: &Reach, set: super::SetId) -> String {
    let names: Vec<String> = reach
        .members(set)
        .map(|object| {
            MAILBOXES
                .iter()
                .find(|(mailbox, _)| *mailbox == object)
                .map_or_else(|| object.to_string(), |(_, name)| (*name).to_owned())
        })
        .collect();
    names.join(" ")
}
