//! The demo: a partner, a vendor, and one customer of every kind that matters.

use uuid::Uuid;

use super::build::{Build, Registration};
use super::cases::Case;
use super::{Role, Sowing, VENDOR_DOMAIN, names};
use crate::permissions::{DirectoryRole, Resource};
use crate::world::tenant::GroupKind;

/// Name, domain, what is the matter, people, and whether the partner has GDAP there.
const CUSTOMERS: [(&str, &str, Case, usize, bool); 14] = [
    (
        "Fabrikam A/S",
        "fabrikam.example",
        Case::VendorMailer,
        190,
        true,
    ),
    ("Contoso GmbH", "contoso.example", Case::Clean, 24, true),
    (
        "Adventure Works",
        "adventure-works.example",
        Case::Policies,
        48,
        true,
    ),
    ("Wingtip Toys", "wingtiptoys.example", Case::Rbac, 30, false),
    (
        "Litware Inc.",
        "litware.example",
        Case::HalfMigrated,
        36,
        false,
    ),
    (
        "Proseware",
        "proseware.example",
        Case::FullAccess,
        40,
        false,
    ),
    (
        "Lucerne Publishing",
        "lucernepublishing.example",
        Case::NoExchange,
        12,
        false,
    ),
    (
        "Fourth Coffee",
        "fourthcoffee.example",
        Case::Dehydrated,
        9,
        false,
    ),
    (
        "Coho Winery",
        "cohowinery.example",
        Case::NoExchangeRole,
        18,
        false,
    ),
    (
        "Trey Research",
        "treyresearch.example",
        Case::Thousands,
        60,
        false,
    ),
    (
        "O'Neill & Søn \"北風\" <script>alert(1)</script>",
        "oneill-soen.example",
        Case::Unicode,
        15,
        false,
    ),
    (
        "Alpine Ski House",
        "alpineskihouse.example",
        Case::Layers,
        24,
        false,
    ),
    (
        "Humongous Insurance",
        "humongousinsurance.example",
        Case::Roles,
        28,
        false,
    ),
    (
        "Margie's Travel",
        "margiestravel.example",
        Case::Principals,
        14,
        false,
    ),
];

/// Announces everybody.
pub fn sow(sowing: &mut Sowing, partner: Uuid) {
    sowing.announce("Tailspin Toys", VENDOR_DOMAIN, Role::Vendor);
    sowing.announce("Woodgrove IT", "woodgrove-it.example", Role::OtherPartner);
    for (name, domain, case, people, gdap) in CUSTOMERS {
        let role = Role::Customer {
            case,
            people,
            applications: 0,
        };
        let id = sowing.announce(name, domain, role);
        if gdap {
            sowing.relate(
                partner,
                id,
                &[
                    DirectoryRole::ExchangeAdministrator,
                    DirectoryRole::CloudApplicationAdministrator,
                    DirectoryRole::GlobalReader,
                ],
            );
        }
    }
}

/// The customer of `powers` alone.
pub fn sow_powers(sowing: &mut Sowing) {
    let role = Role::Customer {
        case: Case::Powers,
        people: 16,
        applications: 0,
    };
    sowing.announce("Blue Yonder Airlines", "blueyonder.example", role);
}

/// The partner's group to which GDAP roles are mapped.
pub fn engineers_group(partner: Uuid) -> Uuid {
    Uuid::new_v5(&partner, b"group/gdap-engineers")
}

/// Northwind IT: three operators, and Postern's own application.
pub fn partner(build: &mut Build) {
    build.tenant.note = "the partner that Postern works for".to_owned();
    build.person(
        "olivia",
        "Olivia Berg",
        &[DirectoryRole::GlobalAdministrator],
    );
    build.person("nora", "Nora Lindqvist", &[]);
    build.person("aksel", "Aksel Holm", &[]);
    build.group(
        "GDAP Engineers",
        "gdap-engineers",
        GroupKind::Security,
        &["olivia", "nora"],
    );
    build.group(
        "AdminAgents",
        "adminagents",
        GroupKind::Security,
        &["olivia", "nora"],
    );
    let app_id = names::postern_app_id(build.seed_number);
    build.register_as(
        app_id,
        &Registration {
            name: "Postern",
            multi_tenant: true,
            // The port is ignored, so any port of a developer's machine will do.
            redirect_uris: &["http://localhost/auth/callback"],
            note: "Postern's own registration",
        },
    );
    let declared: Vec<_> = [
        (Resource::Graph, "User.Read"),
        (Resource::Graph, "Organization.Read.All"),
        (Resource::Graph, "Application.Read.All"),
        (Resource::Graph, "User.Read.All"),
        (Resource::Graph, "Group.Read.All"),
        (Resource::Exchange, "Exchange.Manage"),
    ]
    .into_iter()
    .filter_map(|(resource, value)| {
        let scope = resource.scope(value)?;
        Some((resource, resource.scope_id(scope), false))
    })
    .collect();
    for application in build.tenant.applications.values_mut() {
        application.required.clone_from(&declared);
    }
}

/// Woodgrove IT: somebody else's company.
pub fn other_partner(build: &mut Build) {
    build.tenant.note =
        "another partner: its people must not see anything of Northwind's".to_owned();
    build.person(
        "wilma",
        "Wilma Ostrowska",
        &[DirectoryRole::GlobalAdministrator],
    );
    build.person("user", "Theo Brandt", &[]);
}

/// The vendor's applications, by name.
pub const VENDOR_APPS: [(&str, &str); 2] = [
    (
        "Reception Mailer",
        "a vendor's application that greets visitors by mail",
    ),
    ("Backup365", "a vendor's backup of mailboxes"),
];

/// Tailspin Toys: sells software that sends mail.
pub fn vendor(build: &mut Build) {
    build.tenant.note = "a vendor of applications".to_owned();
    build.person(
        "admin",
        "Tam Spinner",
        &[DirectoryRole::GlobalAdministrator],
    );
    for (name, note) in VENDOR_APPS {
        let app_id = build.register(&Registration {
            name,
            multi_tenant: true,
            redirect_uris: &["https://tailspintoys.example/connected"],
            note,
        });
        let roles: &[&str] = match name {
            "Reception Mailer" => &["Mail.Send"],
            _ => &["Mail.Read", "Calendars.Read", "MailboxSettings.Read"],
        };
        for role in roles {
            build.grant(app_id, Resource::Graph, role);
        }
    }
}
