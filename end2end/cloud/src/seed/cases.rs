//! The kinds of customer, and what is the matter with each.

use uuid::Uuid;

use super::build::Build;
use super::{VENDOR_DOMAIN, access, demo, layers, names, powers};
use crate::permissions::{DirectoryRole, Resource};
use crate::world::tenant::{GroupKind, MailboxKind};

/// What a customer is there to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// A vendor's mailer can send as anyone.
    VendorMailer,
    /// Nothing to worry about.
    Clean,
    /// Access policies already, of both rights.
    Policies,
    /// Confined by RBAC, without any grant in Entra.
    Rbac,
    /// RBAC beside a grant that nobody removed.
    HalfMigrated,
    /// `full_access_as_app`, which defeats every confinement.
    FullAccess,
    /// No Exchange licence.
    NoExchange,
    /// Never customised: configuration is refused at first.
    Dehydrated,
    /// The admin who consents has no role in Exchange.
    NoExchangeRole,
    /// Thousands of service principals.
    Thousands,
    /// Names that break careless pages.
    Unicode,
    /// Policies that stand beside and above each other.
    Layers,
    /// Roles of Exchange with every kind of scope.
    Roles,
    /// Applications that are switched off, Microsoft's own, or hold powers.
    Principals,
    /// Ways around every confinement, those included that hide.
    Powers,
}

impl Case {
    pub const ALL: [Self; 15] = [
        Self::VendorMailer,
        Self::Clean,
        Self::Policies,
        Self::Rbac,
        Self::HalfMigrated,
        Self::FullAccess,
        Self::NoExchange,
        Self::Dehydrated,
        Self::NoExchangeRole,
        Self::Thousands,
        Self::Unicode,
        Self::Layers,
        Self::Roles,
        Self::Principals,
        Self::Powers,
    ];

    fn note(self) -> &'static str {
        match self {
            Self::VendorMailer => "a vendor's application can send as anyone",
            Self::Clean => "no application can reach a mailbox",
            Self::Policies => "access policies already: RestrictAccess and DenyAccess",
            Self::Rbac => "confined by RBAC for Applications",
            Self::HalfMigrated => "RBAC, but the tenant-wide grant is still there",
            Self::FullAccess => "an application with full_access_as_app",
            Self::NoExchange => "no Exchange licence",
            Self::Dehydrated => "never customised: Enable-OrganizationCustomization is needed",
            Self::NoExchangeRole => "its admin has no role in Exchange",
            Self::Thousands => "thousands of service principals",
            Self::Unicode => "names with quotes, tags and other scripts",
            Self::Layers => "several policies of one application, and policies for all of them",
            Self::Roles => "roles of Exchange with every kind of scope",
            Self::Principals => {
                "applications that are switched off, Microsoft's own, or hold powers"
            }
            Self::Powers => "ways around every confinement, those included that hide",
        }
    }
}

/// Brings a vendor's application here.
fn vendor_app(build: &mut Build, name: &str) -> Uuid {
    let home = names::tenant_id(build.seed_number, VENDOR_DOMAIN);
    let app_id = names::app_id(build.seed_number, VENDOR_DOMAIN, name);
    build.install(app_id, name, home, "Tailspin Toys");
    app_id
}

/// A vendor's mailer with a tenant-wide Mail.Send.
fn reception_mailer(build: &mut Build) -> Uuid {
    let app_id = vendor_app(build, "Reception Mailer");
    build.grant(app_id, Resource::Graph, "Mail.Send");
    app_id
}

/// The office's scanner, registered by somebody years ago.
fn scan_to_mail(build: &mut Build) -> Uuid {
    build.own_app(
        "ScanToMail",
        "the office's scanner sends as scanner@ or reception@",
    )
}

/// A backup that reads everything.
fn backup(build: &mut Build) -> Uuid {
    let app_id = vendor_app(build, "Backup365");
    for role in ["Mail.Read", "Calendars.Read", "MailboxSettings.Read"] {
        build.grant(app_id, Resource::Graph, role);
    }
    app_id
}

/// A customer's tenant.
pub fn customer(build: &mut Build, case: Case, people: usize) {
    build.tenant.note = case.note().to_owned();
    if case == Case::NoExchange {
        build.tenant.exchange.licensed = false;
        build
            .tenant
            .principals
            .retain(|_, principal| principal.resource != Some(Resource::Exchange));
    }
    let admin_roles: &[DirectoryRole] = match case {
        Case::NoExchangeRole => &[
            DirectoryRole::PrivilegedRoleAdministrator,
            DirectoryRole::CloudApplicationAdministrator,
        ],
        _ => &[DirectoryRole::GlobalAdministrator],
    };
    let (admin, user) = match case {
        Case::Unicode => ("Zoë \"Root\" <b>Admin</b>", "Søren O'Neill 😀"),
        _ => ("Alex Admin", "Uma User"),
    };
    build.person("admin", admin, admin_roles);
    build.person("user", user, &[]);
    if case == Case::NoExchange {
        for index in 1..=people {
            build.person(&format!("person{index}"), &format!("Person {index}"), &[]);
        }
    } else {
        build.staff(people);
        build.group(
            "Everyone",
            "everyone",
            GroupKind::Distribution,
            &["admin", "user", "reception", "info"],
        );
        build.group(
            "Project Atlas",
            "atlas",
            GroupKind::Microsoft365,
            &["admin", "user"],
        );
    }
    // An application that every tenant has, and that reaches no mailbox.
    let intranet = build.own_app("Intranet", "reads names for the phone book");
    build.grant(intranet, Resource::Graph, "User.Read.All");
    situation(build, case);
}

fn situation(build: &mut Build, case: Case) {
    match case {
        Case::Clean => {}
        Case::VendorMailer => {
            reception_mailer(build);
            backup(build);
            let scanner = scan_to_mail(build);
            build.grant(scanner, Resource::Graph, "Mail.Send");
            let identity = build.managed_identity("func-invoice-export");
            if let Some(app_id) = build
                .tenant
                .principals
                .get(&identity)
                .map(|found| found.app_id)
            {
                build.grant(app_id, Resource::Graph, "Mail.ReadWrite");
            }
        }
        Case::Policies => policies(build),
        Case::Rbac => {
            let scanner = scan_to_mail(build);
            let group = scanner_group(build);
            build.rbac(scanner, "Application Mail.Send", group, "Scanner mailboxes");
        }
        Case::HalfMigrated => {
            let scanner = scan_to_mail(build);
            build.grant(scanner, Resource::Graph, "Mail.Send");
            let group = scanner_group(build);
            build.policy(
                scanner,
                group,
                false,
                Some("Scanner may send as reception only"),
            );
            build.rbac(scanner, "Application Mail.Send", group, "Scanner mailboxes");
            let mailer = reception_mailer(build);
            build.rbac(
                mailer,
                "Application Mail.Send",
                group,
                "Reception Mailer scope",
            );
        }
        Case::FullAccess => {
            let archive = build.own_app("Archive Bridge", "moves old mail over EWS");
            build.grant(archive, Resource::Exchange, "full_access_as_app");
            build.grant(archive, Resource::Graph, "Mail.Read");
            let group = scanner_group(build);
            build.policy(archive, group, false, None);
            let imap = build.own_app("Ticket Fetcher", "reads the support mailbox over IMAP");
            build.grant(imap, Resource::Exchange, "IMAP.AccessAsApp");
            access::fetcher(build, imap);
            let legacy = build.own_app("Old Calendar Sync", "a retired protocol's permission");
            build.grant(legacy, Resource::Exchange, "Calendars.ReadWrite.All");
            reception_mailer(build);
        }
        Case::NoExchange => {
            let scanner = scan_to_mail(build);
            build.grant(scanner, Resource::Graph, "Mail.Send");
        }
        Case::Dehydrated => {
            build.tenant.exchange.customised = None;
            reception_mailer(build);
        }
        Case::NoExchangeRole => {
            reception_mailer(build);
            let scanner = scan_to_mail(build);
            build.grant(scanner, Resource::Graph, "Mail.Send");
        }
        Case::Thousands => thousands(build),
        Case::Unicode => {
            let name = "Scan \"to\" Mail <script>alert('x')</script>";
            let app_id = build.own_app(name, "a name that must be escaped everywhere");
            build.grant(app_id, Resource::Graph, "Mail.Send");
            build.mailbox(
                "front-desk",
                "Front Desk, \"East\" & <West>",
                MailboxKind::Shared,
            );
            build.mailbox("kitakaze", "北風 受付", MailboxKind::Shared);
            build.group(
                "Sender's \"special\", <group> & Sønner",
                "special.senders",
                GroupKind::MailSecurity,
                &["front-desk", "kitakaze"],
            );
            reception_mailer(build);
        }
        Case::Layers => {
            layers::policies(build);
            access::one_mailbox(build);
        }
        Case::Roles => {
            layers::roles(build);
            access::administrators(build);
            reception_mailer(build);
        }
        Case::Principals => {
            layers::principals(build);
            powers::usual(build);
            access::switches(build);
            reception_mailer(build);
        }
        Case::Powers => {
            powers::usual(build);
            powers::hidden(build);
            reception_mailer(build);
        }
    }
}

fn scanner_group(build: &mut Build) -> Uuid {
    build.group(
        "ScanToMail senders",
        "scantomail.senders",
        GroupKind::MailSecurity,
        &["reception", "info"],
    )
}

fn policies(build: &mut Build) {
    let scanner = scan_to_mail(build);
    build.grant(scanner, Resource::Graph, "Mail.Send");
    let group = scanner_group(build);
    build.policy(scanner, group, false, None);
    // The backup is kept away from the board, by a block list with a group in a group.
    let backup = backup(build);
    build.group("Board", "board", GroupKind::MailSecurity, &["admin"]);
    let board = build.group(
        "Board and assistants",
        "board.all",
        GroupKind::MailSecurity,
        &["board", "user"],
    );
    build.policy(
        backup,
        board,
        true,
        Some("Backups must not read the board's mail"),
    );
    reception_mailer(build);
}

fn thousands(build: &mut Build) {
    for number in 0..3000_usize {
        let name = format!("Connector {number:04}");
        let app_id = build.id(&format!("connector/{number}"));
        let home = names::tenant_id(build.seed_number, VENDOR_DOMAIN);
        build.install(app_id, &name, home, "Tailspin Toys");
        let role = match number % 75 {
            0 => Some("Mail.Send"),
            1 => Some("Mail.Read"),
            2 => Some("Calendars.ReadWrite"),
            3 => Some("User.Read.All"),
            _ => None,
        };
        if let Some(role) = role {
            build.grant(app_id, Resource::Graph, role);
        }
    }
    for (name, _) in demo::VENDOR_APPS {
        vendor_app(build, name);
    }
    let scanner = scan_to_mail(build);
    build.grant(scanner, Resource::Graph, "Mail.Send");
}

/// Connectors of the vendor until the tenant has that many service principals. One in forty reads
/// something, as in reality.
pub fn fill(build: &mut Build, applications: usize) {
    let home = names::tenant_id(build.seed_number, VENDOR_DOMAIN);
    let missing = applications.saturating_sub(build.tenant.principals.len());
    for number in 0..missing {
        let app_id = build.id(&format!("filler/{number}"));
        build.install(app_id, &format!("Addin {number:03}"), home, "Tailspin Toys");
        let role = match number % 80 {
            0 => Some("User.Read.All"),
            40 => Some("Group.Read.All"),
            _ => None,
        };
        if let Some(role) = role {
            build.grant(app_id, Resource::Graph, role);
        }
    }
}

/// A tenant that a test adds: an admin and a user, nothing else.
pub fn bare(build: &mut Build) {
    build.tenant.note = "added by a test".to_owned();
    build.person("admin", "Alex Admin", &[DirectoryRole::GlobalAdministrator]);
    build.person("user", "Uma User", &[]);
    build.mailbox("reception", "Reception", MailboxKind::Shared);
}
