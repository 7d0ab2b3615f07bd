//! Tests of powers, rights on mailboxes, the switch for EWS, and confinement to everybody, case by
//! case.

use uuid::{Uuid, uuid};

use super::{
    Answer, AssignmentScope, DelegatedGrant, DirectoryRole, EwsSwitch, Grant, InheritedGrant,
    Level, MailboxKind, MailboxRight, MailboxRightKind, Meant, Note, Ownership, Permission, Power,
    PowerKind, PowerSource, PrincipalKind, Reading, RoleGroup, Seen, StrayPolicy,
    cases::{EWS, SEND, SMTP, check},
    samples::{
        APP, BOARD, CEO, CLIENT, EMPTY, MAILBOXES, OTHER, OTHER_CLIENT, RECEPTION, ROOM, SALES,
        SENDERS, SHARED, Sample, TEAM, UNIT, customer, failed, in_group, in_scope, object, read,
        role_id, words,
    },
};
use crate::{
    application::AccessRight::{DenyAccess, RestrictAccess},
    id::{AppId, ObjectId},
    permission::Resource,
};

const EXCHANGE_ADMINISTRATOR: Uuid = uuid!("29232cdf-9323-42fd-ade2-1d097af3e4de");
const PRIVILEGED_ROLES: Uuid = uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814");
const GROUPS_ADMINISTRATOR: Uuid = uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c");
const IMAP: Permission = Permission::exchange("IMAP.AccessAsApp");

fn confined() -> Sample {
    customer().graph("Mail.Send").restrict(BOARD)
}

fn role(principal: ObjectId, role: Uuid) -> DirectoryRole {
    DirectoryRole {
        principal,
        role,
        name: None,
        actions: None,
        scope: "/".to_owned(),
        through: None,
    }
}

fn with_role(sample: Sample, change: impl FnOnce(&mut DirectoryRole), id: Uuid) -> Sample {
    sample.with(|seen| {
        let mut role = role(APP, id);
        change(&mut role);
        seen.powers.directory_roles = Reading::read(vec![role]);
    })
}

fn in_role_group(sample: Sample, roles: &[&str]) -> Sample {
    sample.with(|seen| {
        seen.powers.role_groups = Reading::read(vec![RoleGroup {
            name: "Our admins".to_owned(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            members: Reading::read(vec![APP]),
        }]);
    })
}

fn level(sample: &Sample) -> Level {
    let reach = sample.reach();
    reach
        .application(APP)
        .map_or_else(|| reach.unlisted_level(), super::ApplicationReach::level)
}

fn held(sample: &Sample) -> Vec<Power> {
    let reach = sample.reach();
    reach
        .application(APP)
        .map(|one| one.powers.held.clone())
        .unwrap_or_default()
}

fn notes(sample: &Sample) -> Vec<Note> {
    let reach = sample.reach();
    reach
        .application(APP)
        .map(|one| one.notes.clone())
        .unwrap_or_default()
}

/// Checks the level of each sample's application.
fn levels(rows: Vec<(&str, Sample, Level)>) {
    for (name, sample, expected) in rows {
        let found = sample.reach();
        let found = found.application(APP);
        assert_eq!(level(&sample), expected, "{name}: {found:?}");
    }
}

#[test]
fn reach_r01_permissions_that_go_around_stand_above_everything() {
    use Level::{Confined, Power, Unknown};
    levels(vec![
        ("confined", confined(), Confined),
        (
            "and grants itself more",
            confined().graph("AppRoleAssignment.ReadWrite.All"),
            Power,
        ),
        (
            "by its id, where the tenant did not tell the name",
            confined().grant_named(
                Resource::Graph,
                crate::id::AppRoleId(uuid!("06b708a9-e830-4db3-a914-8e69da51d44f")),
                None,
            ),
            Power,
        ),
        (
            "adds secrets to others",
            confined().graph("Application.ReadWrite.All"),
            Power,
        ),
        (
            "how far it goes is not documented",
            confined().graph("Directory.ReadWrite.All"),
            Unknown,
        ),
        (
            "it only prepares",
            confined().graph("Policy.ReadWrite.PermissionGrant"),
            Unknown,
        ),
        (
            "new in a family of powers",
            confined().graph("RoleManagement.ReadWrite.Everything"),
            Unknown,
        ),
        (
            "new at Exchange",
            confined().exchange("Exchange.Something"),
            Unknown,
        ),
        (
            "only reads roles",
            confined().graph("RoleManagement.Read.Directory"),
            Confined,
        ),
        (
            "a power and nothing else is listed",
            customer().graph("RoleManagement.ReadWrite.Exchange"),
            Power,
        ),
    ]);
}

#[test]
fn reach_r01_connecting_to_exchange_counts_with_a_role_in_it() {
    use Level::{Confined, Power, Unknown};
    let connects = || confined().exchange("Exchange.ManageAsApp");
    let assigned = |sample: Sample, role: &str| {
        sample.pointer(APP, CLIENT, "Mailer").assign_to(
            &APP.to_string(),
            role,
            AssignmentScope::Organisation,
        )
    };
    levels(vec![
        ("alone", connects(), Confined),
        (
            "with a directory role",
            with_role(connects(), |_| {}, EXCHANGE_ADMINISTRATOR),
            Power,
        ),
        (
            "with that role for a part of the directory",
            with_role(
                connects(),
                |role| role.scope = "/administrativeUnits/x".to_owned(),
                EXCHANGE_ADMINISTRATOR,
            ),
            Unknown,
        ),
        (
            "the directory role alone",
            with_role(confined(), |_| {}, EXCHANGE_ADMINISTRATOR),
            Unknown,
        ),
        (
            "with a role group",
            in_role_group(connects(), &["View-Only Recipients", "Role Management"]),
            Power,
        ),
        (
            "with one that only looks",
            in_role_group(connects(), &["View-Only Recipients"]),
            Confined,
        ),
        (
            "with one of a role that nobody knows",
            in_role_group(connects(), &["Our own role"]),
            Unknown,
        ),
        (
            "the role group alone",
            in_role_group(confined(), &["Role Management"]),
            Confined,
        ),
        (
            "with a management role",
            assigned(connects(), "Mail Recipients"),
            Power,
        ),
        (
            "the management role alone",
            assigned(confined(), "Mail Recipients"),
            Confined,
        ),
        (
            "roles not read",
            connects().with(|seen| seen.powers.role_groups = failed()),
            Unknown,
        ),
        (
            "members of a role group not read",
            in_role_group(connects(), &["Role Management"]).with(|seen| {
                read(&mut seen.powers.role_groups)[0].members = failed();
            }),
            Unknown,
        ),
        (
            "role groups not read do not matter to who cannot connect",
            confined().with(|seen| seen.powers.role_groups = failed()),
            Confined,
        ),
        (
            "a management role, and who may connect is not read",
            assigned(confined(), "Mail Recipients").with(|seen| seen.exchange_grants = failed()),
            Unknown,
        ),
    ]);
    let value = "Exchange.ManageAsApp".to_owned();
    assert_eq!(notes(&connects()), [Note::PowerWithoutUse { value }]);
    let name = "Our admins".to_owned();
    assert_eq!(
        notes(&in_role_group(confined(), &["Role Management"])),
        [Note::ExchangeRoleWithoutUse { name }]
    );
    assert_eq!(
        held(&with_role(connects(), |_| {}, EXCHANGE_ADMINISTRATOR)),
        [super::Power {
            kind: PowerKind::AdministersExchange,
            from: PowerSource::DirectoryRole {
                name: "Exchange Administrator".to_owned(),
                scope: None,
                through: None
            },
            perhaps: false,
        }]
    );
}

#[test]
fn reach_r01_directory_roles() {
    use Level::{Confined, Power, Unknown};
    let custom = |action: &str| {
        let actions = vec![action.to_owned()];
        with_role(
            confined(),
            |role| role.actions = Some(actions),
            object(78).0,
        )
    };
    levels(vec![
        (
            "gives roles",
            with_role(confined(), |_| {}, PRIVILEGED_ROLES),
            Power,
        ),
        (
            "through a group",
            with_role(
                confined(),
                |role| role.through = Some(BOARD),
                PRIVILEGED_ROLES,
            ),
            Power,
        ),
        (
            "for one object only",
            with_role(
                confined(),
                |role| role.scope = "/some-object".to_owned(),
                PRIVILEGED_ROLES,
            ),
            Unknown,
        ),
        (
            "a role that only reads",
            with_role(
                confined(),
                |role| role.name = Some("Reports Reader".to_owned()),
                object(77).0,
            ),
            Confined,
        ),
        (
            "a custom role that adds secrets",
            custom("microsoft.directory/applications/credentials/update"),
            Power,
        ),
        (
            "a custom role that reads",
            custom("microsoft.directory/applications/standard/read"),
            Confined,
        ),
        (
            "not read",
            confined().with(|seen| seen.powers.directory_roles = failed()),
            Unknown,
        ),
        (
            "not read, and what is listed by nothing else",
            customer().with(|seen| seen.powers.directory_roles = failed()),
            Unknown,
        ),
    ]);
    let unread = customer().with(|seen| seen.powers.directory_roles = failed());
    let reach = unread.reach();
    assert!(reach.application(APP).is_none());
    // The mailbox permissions were read, so nothing is unknown about them.
    assert_eq!(reach.unlisted, Answer::Nothing);
    assert_eq!(reach.powers_unseen.len(), 1);
}

#[test]
fn reach_r01_who_owns_an_open_application_acts_as_it() {
    use Level::{Confined, Power, Unknown};
    let owns = |sample: Sample| {
        sample.with(|seen| {
            seen.powers.ownerships = Reading::read(vec![Ownership {
                owner: APP,
                owned: OTHER,
            }]);
        })
    };
    let open = |sample: Sample, value: &str| {
        sample.with(|seen| {
            read(&mut seen.graph_grants).push(Grant {
                principal: OTHER,
                role: role_id(Resource::Graph, value),
                value: Some(value.to_owned()),
            });
        })
    };
    let off = |sample: Sample, enabled: Option<bool>| {
        sample.with(|seen| {
            let principals = read(&mut seen.principals);
            let other = principals.iter_mut().find(|one| one.object == OTHER);
            other.unwrap().enabled = enabled;
        })
    };
    let may = || confined().graph("Application.ReadWrite.OwnedBy");
    levels(vec![
        ("owns nothing", may(), Confined),
        ("owns what holds nothing", owns(may()), Confined),
        (
            "owns what reads everything",
            open(owns(may()), "Mail.Read"),
            Power,
        ),
        (
            "owns what has a power",
            open(owns(may()), "AppRoleAssignment.ReadWrite.All"),
            Power,
        ),
        (
            "owns what reads everything, and is switched off",
            off(open(owns(may()), "Mail.Read"), Some(false)),
            Unknown,
        ),
        (
            "owns what holds nothing, and is switched off",
            off(owns(may()), Some(false)),
            Confined,
        ),
        (
            "owns what holds nothing, and nobody told whether it is switched on",
            off(owns(may()), None),
            Confined,
        ),
        (
            "owns it, without the permission to use that",
            open(owns(confined()), "Mail.Read"),
            Unknown,
        ),
        (
            "what it owns is not read",
            may().with(|seen| seen.powers.ownerships = failed()),
            Unknown,
        ),
    ]);
    let value = "Application.ReadWrite.OwnedBy".to_owned();
    assert_eq!(notes(&may()), [Note::PowerWithoutUse { value }]);
    assert_eq!(
        held(&open(owns(may()), "Mail.Read"))[0].from,
        PowerSource::Owner {
            owned: OTHER,
            name: "Other".to_owned()
        }
    );
}

#[test]
fn reach_r01_the_boundary_moves_where_a_scope_is_built_of_what_changes() {
    use Level::{Confined, Power, Unknown};
    let people = || confined().graph("User.ReadWrite.All");
    let scoped = |sample: Sample, filter: &'static str| {
        sample
            .scope("some", false, Reading::read(vec![CEO]))
            .with(|seen| read(&mut seen.scopes)[0].filter = filter.to_owned())
            .pointer(OTHER, OTHER_CLIENT, "Other")
            .assign_to(
                &OTHER.to_string(),
                "Application Mail.Send",
                in_scope("some"),
            )
    };
    let members = || confined().graph("GroupMember.ReadWrite.All");
    let by_group = |writable| {
        members()
            .assign("Application Mail.Send", in_group(BOARD))
            .with(move |seen| seen.groups[2].writable = writable)
    };
    let units = || confined().graph("AdministrativeUnit.ReadWrite.All");
    levels(vec![
        ("people, and no scope is built of them", people(), Confined),
        (
            "people, and a scope of somebody",
            scoped(people(), "CustomAttribute1 -eq 'x'"),
            Power,
        ),
        (
            "people, and a scope that names mailboxes",
            scoped(people(), "Guid -eq 'x'"),
            Confined,
        ),
        (
            "people, and assignments that were not read",
            people().with(|seen| seen.assignments = failed()),
            Unknown,
        ),
        (
            "members, and a policy: mail-enabled security groups are out of reach",
            members(),
            Confined,
        ),
        (
            "members, and a scope of a group that can be changed",
            by_group(Some(true)),
            Power,
        ),
        (
            "members, and a scope of one that cannot",
            by_group(Some(false)),
            Confined,
        ),
        (
            "members, and a scope of one of which nobody told",
            by_group(None),
            Unknown,
        ),
        ("units, and no scope is one", units(), Confined),
        (
            "units, and a scope is one",
            units().assign(
                "Application Mail.Send",
                AssignmentScope::Unit { object: UNIT },
            ),
            Power,
        ),
        (
            "a directory role over groups",
            with_role(confined(), |_| {}, GROUPS_ADMINISTRATOR),
            Confined,
        ),
    ]);
    let value = "User.ReadWrite.All".to_owned();
    assert_eq!(notes(&people()), [Note::NoBoundaryMoved { value }]);
    // An application is not listed for a permission that moves no boundary here.
    let alone = customer().graph("User.ReadWrite.All").reach();
    assert!(alone.application(APP).is_none());
}

#[test]
fn reach_r01_powers_of_what_is_switched_off_are_told_and_do_not_count() {
    let off = confined()
        .graph("AppRoleAssignment.ReadWrite.All")
        .principal(|principal| principal.enabled = Some(false));
    let reach = off.reach();
    let application = reach.application(APP).unwrap();
    assert_eq!(application.level(), Level::Nothing);
    assert_eq!(application.level_once_on(), Level::Power);
    assert_eq!(application.powers.dormant.len(), 1);
    assert_eq!(application.notes, [Note::Disabled, Note::PowersOnceEnabled]);
    let only = customer()
        .graph("AppRoleAssignment.ReadWrite.All")
        .principal(|principal| principal.enabled = Some(false));
    assert!(only.reach().application(APP).is_some());
}

#[test]
fn reach_r12_agent_identities_inherit_and_no_policy_of_the_blueprint_narrows_them_for_certain() {
    let agent = |sample: Sample| {
        sample
            .principal(|principal| {
                principal.kind = PrincipalKind::Other("ServiceIdentity".to_owned());
            })
            .with(|seen| {
                seen.powers.inherited = Reading::read(vec![InheritedGrant {
                    principal: APP,
                    blueprint: OTHER,
                    resource: Resource::Graph,
                    role: role_id(Resource::Graph, "Mail.Send"),
                    value: Some("Mail.Send".to_owned()),
                }]);
            })
    };
    let of_blueprint = |right| customer().policy(right, Some(OTHER_CLIENT), Some(BOARD));
    check(vec![
        ("inherited", agent(customer()), SEND, "unrestricted"),
        (
            "restricted by its own client id",
            agent(customer().restrict(BOARD)),
            SEND,
            "confined to ceo reception",
        ),
        (
            "restricted by the blueprint's",
            agent(of_blueprint(RestrictAccess)),
            SEND,
            "unknown, ceo reception to everything: blueprint_policy not understood",
        ),
        (
            "denied by the blueprint's",
            agent(of_blueprint(DenyAccess)),
            SEND,
            "unknown, all but ceo reception to everything: blueprint_policy not understood",
        ),
        (
            "what it inherits is not read",
            agent(customer()).with(|seen| seen.powers.inherited = failed()),
            SEND,
            "unknown, nothing to everything: inherited unread",
        ),
        (
            "which does not matter to other applications",
            confined().with(|seen| seen.powers.inherited = failed()),
            SEND,
            "confined to ceo reception",
        ),
    ]);
    assert_eq!(
        notes(&agent(customer())),
        [Note::Inherits {
            blueprint: OTHER,
            value: "Mail.Send".to_owned()
        }]
    );
}

#[test]
fn reach_r05_what_is_done_for_whoever_signs_in_stands_apart() {
    let grant = |client| DelegatedGrant {
        client,
        resource: Resource::Graph,
        for_all: true,
        people: 0,
        scopes: vec!["Mail.ReadWrite".to_owned()],
    };
    let sample = |sample: Sample| {
        sample.with(|seen| seen.rights.delegated = Reading::read(vec![grant(APP)]))
    };
    let reach = sample(customer()).reach();
    let application = reach.application(APP).unwrap();
    assert_eq!(application.level(), Level::Nothing);
    assert!(application.only_delegated());
    assert_eq!(application.delegated, [grant(APP)]);
    let reach = sample(confined()).reach();
    let application = reach.application(APP).unwrap();
    assert_eq!(application.level(), Level::Confined);
    assert!(!application.only_delegated());
    // Without a signed-in user the grant has no effect, so it is not listed.
    assert!(sample(customer()).reach().who(CEO, true).is_empty());
    let unread = customer().with(|seen| seen.rights.delegated = failed());
    assert_eq!(unread.reach().delegated_unseen.len(), 1);
    assert_eq!(unread.reach().unlisted_level(), Level::Nothing);
}

fn everybody(seen: &mut Seen, people: &[ObjectId]) {
    seen.groups[2].direct = Reading::read(super::Members {
        recipients: people.to_vec(),
        groups: Vec::new(),
    });
}

#[test]
fn reach_r03_confined_to_everybody_is_not_confined() {
    let all = MAILBOXES.map(|(object, _)| object);
    let kinds = |seen: &mut Seen| {
        seen.special = Some(vec![
            (SHARED, MailboxKind::Shared),
            (ROOM, MailboxKind::Room),
        ]);
    };
    let to = |people: &'static [ObjectId]| confined().with(|seen| everybody(seen, people));
    let every = || confined().with(|seen| everybody(seen, &all));
    check(vec![
        (
            "a group of all",
            every(),
            SEND,
            "everybody for now: ceo reception sales shared room",
        ),
        (
            "a group of every person",
            to(&[CEO, RECEPTION, SALES]).with(kinds),
            SEND,
            "everybody for now: ceo reception sales",
        ),
        (
            "a group of all but one",
            to(&[CEO, RECEPTION]).with(kinds),
            SEND,
            "confined to ceo reception",
        ),
        (
            "a filter that fits all",
            customer()
                .scope("x", false, Reading::read(all.to_vec()))
                .assign("Application Mail.Send", in_scope("x")),
            SEND,
            "everybody for now: ceo reception sales shared room",
        ),
        (
            "how many there are is not known",
            every().with(|seen| seen.mailboxes = failed()),
            SEND,
            "unknown, ceo reception sales shared room to ceo reception sales shared room: mailboxes unread",
        ),
    ]);
    // An application that is confined to the only mailbox counts as confined.
    let one = to(&[CEO]).with(|seen| seen.mailboxes = Reading::read(vec![CEO]));
    assert_eq!(one.says(&SEND), "confined to ceo");
    assert_eq!(level(&every()), Level::Unrestricted);
    let value = "Mail.Send".to_owned();
    assert_eq!(notes(&every()), [Note::Everybody { value }]);
}

#[test]
fn reach_r03_so_many_of_so_many() {
    let count = |sample: Sample| {
        let reach = sample.reach();
        let answer = reach.answer(APP, &SEND);
        reach.count(answer.at_most()).to_string()
    };
    assert_eq!(count(confined()), "2 of 5 mailboxes");
    assert_eq!(count(customer().graph("Mail.Send")), "5 of 5 mailboxes");
    assert_eq!(
        count(customer().graph("Mail.Send").deny(BOARD)),
        "3 of 5 mailboxes"
    );
    assert_eq!(
        count(confined().with(|seen| seen.mailboxes = failed())),
        "2 mailboxes of an unread number"
    );
}

#[test]
fn reach_r03_what_grows_by_itself_says_so() {
    let by = |filter: &'static str, found: &'static [ObjectId]| {
        customer()
            .scope("x", false, Reading::read(found.to_vec()))
            .with(|seen| read(&mut seen.scopes)[0].filter = filter.to_owned())
            .assign("Application Mail.Send", in_scope("x"))
    };
    let assignment = "assignment 0".to_owned();
    assert_eq!(
        notes(&by("Department -eq 'x'", &[CEO])),
        [Note::Grows {
            assignment: assignment.clone()
        }]
    );
    assert_eq!(notes(&by("Guid -eq 'x'", &[CEO])), []);
    let unit = customer()
        .assign(
            "Application Mail.Send",
            AssignmentScope::Unit { object: UNIT },
        )
        .with(|seen| seen.units[0].rule = Some(String::new()));
    assert_eq!(notes(&unit), [Note::Grows { assignment }]);
}

#[test]
fn field_b17_a_filter_by_place_that_matches_nobody_says_why() {
    let stale = |filter: &'static str| {
        customer()
            .graph("Mail.Send")
            .restrict(BOARD)
            .scope("x", false, Reading::read(Vec::new()))
            .with(|seen| read(&mut seen.scopes)[0].filter = filter.to_owned())
            .assign("Application Mail.Send", in_scope("x"))
    };
    let expected = |by_place| {
        [Note::ScopeMatchesNobody {
            assignment: "assignment 0".to_owned(),
            by_place,
        }]
    };
    assert_eq!(
        notes(&stale("MemberOfGroup -eq 'CN=x,OU=y'")),
        expected(true)
    );
    assert_eq!(notes(&stale("Department -eq 'x'")), expected(false));
}

#[test]
fn field_b15_nested_members_are_neither_in_nor_out() {
    let reach = customer().graph("Mail.Send").deny(SENDERS).reach();
    let answer = reach.answer(APP, &SEND);
    assert_eq!(reach.verdict(answer, SALES), super::Verdict::Unknown);
    assert_eq!(reach.verdict(answer, RECEPTION), super::Verdict::Refused);
    let reach = customer().graph("Mail.Send").restrict(SENDERS).reach();
    let answer = reach.answer(APP, &SEND);
    assert_eq!(reach.verdict(answer, SALES), super::Verdict::Unknown);
    assert_eq!(reach.verdict(answer, RECEPTION), super::Verdict::Allowed);
    assert_eq!(reach.verdict(answer, CEO), super::Verdict::Refused);
    // With no group inside it, nothing is uncertain.
    assert!(
        customer()
            .graph("Mail.Send")
            .deny(TEAM)
            .says(&SEND)
            .starts_with("all except")
    );
}

#[test]
fn field_b13_a_policy_for_no_client_id_has_no_effect_and_is_shown() {
    let wrong =
        customer()
            .graph("Mail.Send")
            .policy(RestrictAccess, Some(AppId(APP.0)), Some(BOARD));
    assert_eq!(level(&wrong), Level::Unrestricted);
    assert_eq!(
        wrong.reach().stray_policies,
        [StrayPolicy {
            identity: "policy 0".to_owned(),
            app_id: AppId(APP.0),
            meant: Some(Meant::Principal { object: APP }),
        }]
    );
    let policy = "policy 0".to_owned();
    assert_eq!(notes(&wrong), [Note::PolicyNamesObject { policy }]);
    let left = customer().policy(RestrictAccess, Some(AppId(object(999).0)), Some(BOARD));
    assert_eq!(left.reach().stray_policies[0].meant, None);
    assert_eq!(confined().reach().stray_policies, []);
    // Some principals were not read, so only the reader can tell that the policy has no effect.
    let partial = left.with(|seen| seen.all_principals = false);
    assert_eq!(partial.reach().stray_policies, []);
    let told = partial.with(|seen| {
        seen.stray_policies = Some(vec![StrayPolicy {
            identity: "policy 0".to_owned(),
            app_id: AppId(object(999).0),
            meant: Some(Meant::Registration { app_id: CLIENT }),
        }]);
    });
    assert_eq!(told.reach().stray_policies.len(), 1);
}

#[test]
fn reach_r01_who_may_give_a_role_gives_it_to_itself() {
    let delegating = |sample: Sample| {
        sample
            .assign("Application Mail.Send", AssignmentScope::Organisation)
            .with(|seen| read(&mut seen.assignments)[0].delegating = true)
    };
    levels(vec![
        // A delegating assignment does not let its holder use the role.
        ("alone", delegating(confined()), Level::Confined),
        (
            "and may connect",
            delegating(confined().exchange("Exchange.ManageAsApp")),
            Level::Power,
        ),
    ]);
}

fn right(sample: Sample, mailbox: ObjectId, kind: MailboxRightKind) -> Sample {
    sample.with(|seen| {
        read(&mut seen.rights.mailbox_rights).push(MailboxRight {
            mailbox,
            holder: APP,
            right: kind,
        });
    })
}

#[test]
fn reach_m01_protocols_reach_what_exchange_opens() {
    use MailboxRightKind::{FullAccess, SendAs};
    let imap = || customer().exchange("IMAP.AccessAsApp");
    let smtp = || customer().exchange("SMTP.SendAsApp");
    let known = |sample: Sample| sample.pointer(APP, CLIENT, "Mailer");
    check(vec![
        ("no pointer and no right", imap(), IMAP, "nothing"),
        ("a pointer and no right", known(imap()), IMAP, "nothing"),
        (
            "full access on one",
            right(known(imap()), RECEPTION, FullAccess),
            IMAP,
            "confined to reception",
        ),
        (
            "the right to send opens no reading",
            right(known(imap()), RECEPTION, SendAs),
            IMAP,
            "nothing",
        ),
        (
            "rights not read",
            known(imap()).with(|seen| seen.rights.mailbox_rights = failed()),
            IMAP,
            "unknown, nothing to everything: mailbox_rights unread",
        ),
        (
            "rights not read, and no pointer",
            imap().with(|seen| seen.rights.mailbox_rights = failed()),
            IMAP,
            "nothing",
        ),
        (
            "neither rights nor pointers read",
            imap().with(|seen| {
                seen.rights.mailbox_rights = failed();
                seen.pointers = failed();
            }),
            IMAP,
            "unknown, nothing to everything: mailbox_rights unread",
        ),
        (
            "SMTP with both rights",
            right(
                right(known(smtp()), RECEPTION, FullAccess),
                RECEPTION,
                SendAs,
            ),
            SMTP,
            "confined to reception",
        ),
        (
            "SMTP with one of them",
            right(known(smtp()), RECEPTION, SendAs),
            SMTP,
            "unknown, nothing to reception: smtp_right not understood",
        ),
        (
            "the grant not read, and the rights",
            right(known(smtp()), RECEPTION, FullAccess)
                .assign("Application SMTP.SendAsApp", in_group(BOARD))
                .with(|seen| seen.exchange_grants = failed()),
            SMTP,
            "confined to ceo reception",
        ),
    ]);
    let value = || "IMAP.AccessAsApp".to_owned();
    assert_eq!(notes(&imap()), [Note::NoPointer { value: value() }]);
    assert_eq!(
        notes(&known(imap())),
        [Note::ByMailboxRights { value: value() }]
    );
}

/// EWS is being retired. A grant for EWS then reaches nothing, and must still be listed.
#[test]
fn reach_m02_a_retired_ews_reaches_nothing_and_comes_alive_again() {
    let switched = |enabled, allowed: Option<Vec<AppId>>| {
        let sample = customer().exchange("full_access_as_app").with(|seen| {
            seen.rights.ews = Reading::read(EwsSwitch { enabled, allowed });
        });
        let reach = sample.reach();
        let application = reach.application(APP).unwrap().clone();
        (application.level(), application.level_once_on())
    };
    // EWS is off for the organisation, or on for other applications only.
    for (enabled, allowed) in [(false, None), (true, Some(vec![OTHER_CLIENT]))] {
        assert_eq!(
            switched(Some(enabled), allowed),
            (Level::Nothing, Level::Unrestricted)
        );
    }
    // Where the switch is not set, EWS works until Microsoft switches it off. For a listed
    // application it works.
    for (enabled, allowed) in [(None, None), (Some(true), Some(vec![CLIENT]))] {
        assert_eq!(
            switched(enabled, allowed),
            (Level::Unrestricted, Level::Unrestricted)
        );
    }
}

#[test]
fn field_b05_the_switch_for_ews_decides_and_says_so() {
    let ews = |enabled, allowed: Option<&[AppId]>| {
        customer().exchange("full_access_as_app").with(|seen| {
            seen.rights.ews = Reading::read(EwsSwitch {
                enabled,
                allowed: allowed.map(<[AppId]>::to_vec),
            });
        })
    };
    for (name, sample, says, note) in [
        ("off", ews(Some(false), None), "nothing", Some(Note::EwsOff)),
        (
            "not set",
            ews(None, None),
            "unrestricted",
            Some(Note::EwsNotSet),
        ),
        ("on", ews(Some(true), None), "unrestricted", None),
        (
            "listed",
            ews(Some(true), Some(&[CLIENT])),
            "unrestricted",
            Some(Note::EwsListed),
        ),
        (
            "not listed",
            ews(Some(true), Some(&[OTHER_CLIENT])),
            "nothing",
            Some(Note::EwsNotListed),
        ),
        (
            "an empty list",
            ews(Some(true), Some(&[])),
            "unrestricted",
            Some(Note::EwsListEmpty),
        ),
    ] {
        assert_eq!(notes(&sample), Vec::from_iter(note), "{name}");
        let reach = sample.reach();
        let application = reach.application(APP).unwrap();
        // What is switched off works again after it is switched on.
        assert_eq!(application.level_once_on(), Level::Unrestricted, "{name}");
        check(vec![(name, sample, EWS, says)]);
    }
    check(vec![
        (
            "not read",
            customer()
                .exchange("full_access_as_app")
                .with(|seen| seen.rights.ews = failed()),
            EWS,
            "unknown, nothing to everything: ews unread",
        ),
        (
            "off, and a role of Exchange",
            customer()
                .assign("Application EWS.AccessAsApp", in_group(BOARD))
                .with(|seen| {
                    seen.rights.ews = Reading::read(EwsSwitch {
                        enabled: Some(false),
                        allowed: None,
                    });
                }),
            EWS,
            "nothing",
        ),
        (
            "off for EWS is not off for Graph",
            ews(Some(false), None).graph("Mail.Send"),
            SEND,
            "unrestricted",
        ),
    ]);
}

#[test]
fn reach_r11_mail_through_another_door_has_mailboxes_of_its_own() {
    let groups = Permission::graph("Group.Read.All");
    let kinds = |seen: &mut Seen| {
        seen.special = Some(vec![
            (SHARED, MailboxKind::Group),
            (ROOM, MailboxKind::Scheduling),
        ]);
    };
    check(vec![
        (
            "conversations",
            customer().graph("Group.Read.All").with(kinds),
            groups.clone(),
            "all of their kind: shared",
        ),
        (
            "a policy does not narrow them",
            customer()
                .graph("Group.Read.All")
                .restrict(EMPTY)
                .with(kinds),
            groups.clone(),
            "all of their kind: shared",
        ),
        (
            "which mailboxes are those of groups was not told",
            customer().graph("Group.Read.All"),
            groups,
            "unknown, nothing to everything: kinds missing",
        ),
        (
            "bookings",
            customer().graph("Bookings.Read.All").with(kinds),
            Permission::graph("Bookings.Read.All"),
            "all of their kind: room",
        ),
        (
            "remediation",
            customer().graph("SecurityAnalyzedMessage.ReadWrite.All"),
            Permission::graph("SecurityAnalyzedMessage.ReadWrite.All"),
            "unrestricted",
        ),
        (
            "what hangs on a role that nobody sees",
            customer().graph("eDiscovery.ReadWrite.All"),
            Permission::graph("eDiscovery.ReadWrite.All"),
            "unknown, nothing to everything: elsewhere not understood",
        ),
        (
            "new in a family",
            customer().graph("Group-Conversation.Something"),
            Permission {
                resource: Resource::Graph,
                value: "Group-Conversation.Something".into(),
            },
            "unknown, nothing to everything: elsewhere not understood",
        ),
    ]);
    // The page of a group's mailbox must never say that nobody reaches it.
    let reach = customer().graph("Group.Read.All").with(kinds).reach();
    assert_eq!(reach.who(SHARED, true).len(), 1);
    assert!(reach.who(CEO, true).is_empty());
    // Nothing confines the permission.
    assert_eq!(reach.applications[0].level(), Level::AllExcept);
}

#[test]
fn reach_m04_what_reads_no_content_is_not_what_can_act_as_anyone() {
    for value in [
        "MailTips.ReadBasic.All",
        "Calendars.Read.All",
        "Calendars.ReadBasic.All",
        "Mail.ReadBasic.All",
    ] {
        let sample = customer().graph(value);
        assert_eq!(level(&sample), Level::Nothing, "{value}");
        let reach = sample.reach();
        let application = reach.application(APP).unwrap();
        assert!(application.only_light(), "{value}");
        // The reach is reported all the same.
        assert_eq!(
            words(&reach, &application.permissions[0].answer),
            "unrestricted"
        );
        assert_eq!(level(&confined().graph(value)), Level::Confined, "{value}");
    }
    let metadata = confined().graph("ExchangeMessageTrace.Read.All");
    assert_eq!(level(&metadata), Level::Confined);
    let values = vec!["ExchangeMessageTrace.Read.All".to_owned()];
    assert_eq!(notes(&metadata), [Note::Metadata { values }]);
}

#[test]
fn field_b07_an_unscoped_role_is_not_limited_by_a_policy() {
    let sample = confined().assign("Application Mail.Send", AssignmentScope::Organisation);
    assert_eq!(level(&sample), Level::Unrestricted);
    let reach = sample.reach();
    let application = reach.application(APP).unwrap();
    // The policy is listed, with what it leaves of the grant.
    let narrowing = application.narrowing.as_ref().unwrap();
    assert_eq!(narrowing.restrict.len(), 1);
    assert_eq!(
        words(&reach, &narrowing.leaves),
        "confined to ceo reception"
    );
}

#[test]
fn reach_r11_what_is_held_of_other_resources_counts() {
    use crate::permission::other::OtherResource;
    let role = |resource, value: &str| super::OtherHeld {
        principal: APP,
        what: super::Other::Role {
            resource,
            role: crate::id::AppRoleId(object(77).0),
            value: Some(value.to_owned()),
        },
    };
    let with = |held: super::OtherHeld| {
        confined().with(|seen| seen.powers.others = Reading::read(vec![held]))
    };
    // The permission exports any mailbox, if somebody gave the application a role in Purview too.
    let exports = with(role(
        OtherResource::PurviewEdiscovery,
        "eDiscovery.Download.Read",
    ));
    let reach = exports.reach();
    let found = reach.application(APP).unwrap();
    assert_eq!(found.level(), Level::Unknown);
    assert_eq!(found.powers.held.len(), 1);
    assert!(found.powers.held[0].perhaps);
    // “Who wrote to whom” is only a note, and a confined application stays confined.
    let hunts = with(role(
        OtherResource::ThreatProtection,
        "AdvancedHunting.Read.All",
    ));
    assert_eq!(level(&hunts), Level::Confined);
    let values = vec!["AdvancedHunting.Read.All of Microsoft Threat Protection".to_owned()];
    assert_eq!(notes(&hunts), [Note::Metadata { values }]);
    // A power may be in the part that was not read.
    let unread = confined().with(|seen| seen.powers.others = failed());
    assert_eq!(level(&unread), Level::Unknown);
    assert_eq!(unread.reach().unlisted_level(), Level::Unknown);
}

#[test]
fn reach_r11_keys_of_exchange_itself_are_listed() {
    let exchange = object(4242);
    let keys = super::OtherHeld {
        principal: exchange,
        what: super::Other::Keys { count: 2 },
    };
    let sample = confined().with(|seen| seen.powers.others = Reading::read(vec![keys]));
    let reach = sample.reach();
    let found = reach.application(exchange).unwrap();
    assert_eq!(found.level(), Level::Unknown);
    // The level of a confined application does not change.
    assert_eq!(level(&sample), Level::Confined);
}
