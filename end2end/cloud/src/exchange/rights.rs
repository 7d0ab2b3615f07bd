//! Rights on mailboxes: `…-MailboxPermission` and `…-RecipientPermission` (MICROSOFT.md §2.6).

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::rows::Row;
use super::service_principals;
use crate::journal::{Deed, Thing};
use crate::world::habits::PrincipalShown;
use crate::world::recipients::Recipient;
use crate::world::rights::{MailboxRight, Right};
use crate::world::tenant::{GroupKind, Tenant};

/// The owner's own row.
const SELF: &str = "NT AUTHORITY\\SELF";

/// The two families differ in what they call things and in which rights they give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Mailbox,
    Recipient,
}

impl Family {
    fn has(self, right: Right) -> bool {
        (right == Right::SendAs) == (self == Self::Recipient)
    }

    /// The parameter that names the holder.
    fn holder(self) -> &'static str {
        match self {
            Self::Mailbox => "User",
            Self::Recipient => "Trustee",
        }
    }
}

/// How a holder shows: people by their user principal name, groups by their name, service
/// principals as the tenant does it.
fn shown(tenant: &Tenant, holder: Uuid) -> String {
    let pointer = service_principals::find(tenant, &holder.to_string())
        .and_then(|index| tenant.exchange.pointers.get(index));
    if let Some(pointer) = pointer {
        return match tenant.exchange.habits.principals {
            PrincipalShown::ObjectId => pointer.object_id.to_string(),
            PrincipalShown::Name => pointer.display_name.clone(),
            PrincipalShown::Sid => service_principals::sid(tenant, pointer),
        };
    }
    match tenant.recipient_by_id(holder) {
        Some(Recipient::Person(user, _)) => user.upn.clone(),
        Some(Recipient::Group(group)) => group.name.clone(),
        None => holder.to_string(),
    }
}

fn row(
    family: Family,
    mailbox: &str,
    holder: &str,
    rights: &[Right],
    deny: bool,
    inherited: bool,
) -> Map<String, Value> {
    let rights = rights.iter().map(|right| right.name().to_owned()).collect();
    let row = Row::default()
        .text("Identity", mailbox)
        .text(family.holder(), holder)
        .list("AccessRights", rights)
        .flag("IsInherited", inherited)
        .text("InheritanceType", "All");
    match family {
        Family::Mailbox => row
            .flag("Deny", deny)
            .text("UserSid", "")
            .flag("IsValid", true)
            .text("ObjectState", "Unchanged"),
        Family::Recipient => row
            .text("AccessControlType", if deny { "Deny" } else { "Allow" })
            .text("TrusteeSidString", "")
            .flag("IsValid", true)
            .text("ObjectState", "Unchanged"),
    }
    .done()
}

/// The rows of one mailbox: its owner's first.
fn rows_of(tenant: &Tenant, family: Family, mailbox: &Recipient<'_>) -> Vec<Map<String, Value>> {
    let name = mailbox.name();
    let own: &[Right] = match family {
        Family::Mailbox => &[Right::FullAccess, Right::ReadPermission],
        Family::Recipient => &[Right::SendAs],
    };
    let mut rows = vec![row(family, &name, SELF, own, false, false)];
    let mut seen: Vec<(Uuid, bool, bool)> = Vec::new();
    let entries: Vec<&MailboxRight> = tenant
        .exchange
        .rights
        .iter()
        .filter(|entry| entry.mailbox == mailbox.id() && family.has(entry.right))
        .collect();
    for entry in &entries {
        let key = (entry.holder, entry.deny, entry.inherited);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        // One row has all rights of its holder.
        let rights: Vec<Right> = entries
            .iter()
            .filter(|other| (other.holder, other.deny, other.inherited) == key)
            .map(|other| other.right)
            .collect();
        rows.push(row(
            family,
            &name,
            &shown(tenant, entry.holder),
            &rights,
            entry.deny,
            entry.inherited,
        ));
    }
    rows
}

/// Whether it has a mailbox that rights can be given on.
fn opens(recipient: &Recipient<'_>) -> bool {
    match recipient {
        Recipient::Person(_, mailbox) => mailbox.kind.is_mailbox(),
        Recipient::Group(group) => group.kind == GroupKind::Microsoft365,
    }
}

/// The object that `Identity` names, if that family knows such objects: a right to send as can be
/// on a group too.
fn target(run: &mut Run<'_>, family: Family) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let groups = run.args.flag("GroupMailbox") == Some(true);
    let found = run
        .tenant
        .recipient(&identity, now)
        .filter(|found| match family {
            Family::Mailbox => opens(found) && (groups || matches!(found, Recipient::Person(..))),
            Family::Recipient => true,
        })
        .map(|found| found.id());
    found.ok_or_else(|| run.not_found(&identity))
}

/// Who a right is for: a service principal by its pointer, any mailbox, a mail user, or a
/// mail-enabled security group.
fn holder(run: &mut Run<'_>, family: Family) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let identity = run
        .args
        .text(family.holder())
        .unwrap_or_default()
        .to_owned();
    let tenant = &run.tenant;
    let pointer = service_principals::find(tenant, &identity)
        .and_then(|index| tenant.exchange.pointers.get(index))
        .map(|pointer| pointer.object_id);
    let found = pointer.or_else(|| {
        tenant
            .recipient(&identity, now)
            .filter(|found| {
                found.is_security_principal()
                    || matches!(found, Recipient::Person(_, mailbox) if mailbox.kind.is_mailbox())
            })
            .map(|found| found.id())
    });
    found.ok_or_else(|| run.not_found(&identity))
}

fn get(run: &mut Run<'_>, family: Family) -> Result<Output, CmdletError> {
    let now = run.now();
    let only = match run.args.text("Identity").is_some() {
        true => Some(target(run, family)?),
        false => None,
    };
    let wanted = match run.args.text(family.holder()).map(str::to_owned) {
        None => None,
        Some(text) if text.eq_ignore_ascii_case(SELF) || text.eq_ignore_ascii_case("SELF") => {
            Some(SELF.to_owned())
        }
        Some(_) => {
            let id = holder(run, family)?;
            Some(shown(run.tenant, id))
        }
    };
    let tenant = &run.tenant;
    let mut rows: Vec<Map<String, Value>> = match only {
        Some(id) => tenant
            .recipient_by_id(id)
            .map(|found| rows_of(tenant, family, &found))
            .unwrap_or_default(),
        None => tenant
            .recipients(now)
            // A right to send as can be on a group too.
            .filter(|found| family == Family::Recipient || opens(found))
            .flat_map(|found| rows_of(tenant, family, &found))
            .collect(),
    };
    if let Some(wanted) = wanted {
        rows.retain(|row| row.get(family.holder()).and_then(Value::as_str) == Some(&wanted));
    }
    Ok(Output::Rows(rows))
}

fn rights(run: &Run<'_>) -> Vec<Right> {
    run.args
        .texts("AccessRights")
        .unwrap_or_default()
        .iter()
        .filter_map(|name| Right::from_name(name))
        .collect()
}

fn note(run: &mut Run<'_>, deed: Deed, entry: &MailboxRight) {
    let name = run
        .tenant
        .recipient_by_id(entry.mailbox)
        .map_or_else(String::new, |found| found.smtp().to_owned());
    run.changed(
        deed,
        Thing::MailboxRight,
        format!("{}/{}/{}", entry.mailbox, entry.holder, entry.right.name()),
        name,
        json!({
            "mailbox": entry.mailbox,
            "holder": entry.holder,
            "right": entry.right.name(),
            "deny": entry.deny,
        }),
    );
}

fn add(run: &mut Run<'_>, family: Family) -> Result<Output, CmdletError> {
    let mailbox = target(run, family)?;
    let holder = holder(run, family)?;
    let deny = run.args.flag("Deny") == Some(true);
    let rights = rights(run);
    for right in &rights {
        let entry = MailboxRight {
            mailbox,
            holder,
            right: *right,
            deny,
            inherited: false,
        };
        if run.tenant.exchange.rights.contains(&entry) {
            let name = name_of(run.tenant, mailbox);
            let account = shown(run.tenant, holder);
            run.warnings.push(format!(
                "The appropriate access control entry is already present on the object \"{name}\" for account \"{account}\"."
            ));
            continue;
        }
        note(run, Deed::Created, &entry);
        run.tenant.exchange.rights.push(entry);
    }
    let name = name_of(run.tenant, mailbox);
    let holder = shown(run.tenant, holder);
    Ok(Output::Rows(vec![row(
        family, &name, &holder, &rights, deny, false,
    )]))
}

fn name_of(tenant: &Tenant, id: Uuid) -> String {
    tenant
        .recipient_by_id(id)
        .map_or_else(|| id.to_string(), |found| found.name())
}

fn remove(run: &mut Run<'_>, family: Family) -> Result<Output, CmdletError> {
    let mailbox = target(run, family)?;
    let holder = holder(run, family)?;
    let deny = run.args.flag("Deny") == Some(true);
    for right in rights(run) {
        let entry = MailboxRight {
            mailbox,
            holder,
            right,
            deny,
            inherited: false,
        };
        if run.tenant.exchange.rights.contains(&entry) {
            run.tenant.exchange.rights.retain(|kept| *kept != entry);
            note(run, Deed::Removed, &entry);
        } else {
            let name = name_of(run.tenant, mailbox);
            let account = shown(run.tenant, holder);
            run.warnings.push(format!(
                "Can't remove the access control entry on the object \"{name}\" for account \"{account}\" because the ACE isn't present."
            ));
        }
    }
    Ok(Output::Nothing)
}

pub fn get_mailbox(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    get(run, Family::Mailbox)
}

pub fn add_mailbox(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    add(run, Family::Mailbox)
}

pub fn remove_mailbox(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    remove(run, Family::Mailbox)
}

pub fn get_recipient(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    get(run, Family::Recipient)
}

pub fn add_recipient(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    add(run, Family::Recipient)
}

pub fn remove_recipient(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    remove(run, Family::Recipient)
}
