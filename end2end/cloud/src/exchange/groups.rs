//! Distribution groups and mail-enabled security groups (MICROSOFT.md §2.1, §2.2).

use serde_json::json;
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::mailboxes::check_synced;
use super::{opath, rows};
use crate::decisions::{FOREIGN_OWNER, NAME_SUFFIX_FORMAT};
use crate::journal::{Deed, Thing};
use crate::world::new_groups::NewGroup;
use crate::world::recipients::Recipient;
use crate::world::tenant::{Change, Group, GroupKind, Membership};

const INVALID: &str = "Microsoft.Exchange.Data.DataValidationException";

/// Whether `Get-DistributionGroup` shows that kind.
fn is_distribution(group: &Group) -> bool {
    matches!(
        group.kind,
        GroupKind::MailSecurity | GroupKind::Distribution
    )
}

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let names = run.args.flag("IncludeManagedByWithDisplayNames") == Some(true);
    let now = run.now();
    let owner = match run.args.text("ManagedBy").map(str::to_owned) {
        None => None,
        Some(identity) => match run.tenant.recipient(&identity, now).map(|found| found.id()) {
            Some(id) => Some(id),
            None => return Err(run.not_found(&identity)),
        },
    };
    let found = select(run, is_distribution)?;
    let out = found
        .iter()
        .filter_map(|id| run.tenant.groups.get(id))
        .filter(|group| owner.is_none_or(|owner| group.owners.contains(&owner)))
        .map(|group| rows::group(run.tenant, group, names, now))
        .collect();
    Ok(Output::Rows(out))
}

pub fn get_any(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let found = select(run, |_| true)?;
    let out = found
        .iter()
        .filter_map(|id| run.tenant.groups.get(id))
        .map(|group| rows::any_group(run.tenant, group, now))
        .collect();
    Ok(Output::Rows(out))
}

/// The visible groups that identity, name search, filter and type leave. A null or empty identity
/// leaves all (§2).
fn select(run: &mut Run<'_>, kind: fn(&Group) -> bool) -> Result<Vec<Uuid>, CmdletError> {
    let now = run.now();
    let filter = parse_filter(run.args.text("Filter"))?;
    let details = run.args.texts("RecipientTypeDetails");
    let anr = run.args.text("Anr").map(str::to_lowercase);
    let visible = run
        .tenant
        .groups
        .values()
        .filter(|group| kind(group) && group.in_exchange <= now);
    if let Some(identity) = run.args.text("Identity") {
        let found = visible
            .into_iter()
            .find(|group| Recipient::Group(group).answers_to(run.tenant, identity))
            .map(|group| group.id);
        let identity = identity.to_owned();
        return match found {
            Some(id) => Ok(vec![id]),
            None => Err(run.not_found(&identity)),
        };
    }
    Ok(visible
        .filter(|group| {
            let recipient = Recipient::Group(group);
            details.is_none_or(|kinds| kinds.iter().any(|kind| kind == recipient.details()))
                && anr
                    .as_deref()
                    .is_none_or(|term| ambiguous_name(&recipient, term))
                && filter.as_ref().is_none_or(|filter| {
                    filter.matches(&|property| {
                        opath::recipient_property(run.tenant, &recipient, property, now)
                    })
                })
        })
        .map(|group| group.id)
        .collect())
}

/// Exchange's search over name, alias, display name and address.
pub fn ambiguous_name(recipient: &Recipient<'_>, term: &str) -> bool {
    [
        recipient.name().to_lowercase(),
        recipient.alias().to_lowercase(),
        recipient.display_name().to_lowercase(),
        recipient.smtp().to_lowercase(),
    ]
    .iter()
    .any(|text| text.starts_with(term) || text.split(' ').any(|word| word.starts_with(term)))
}

/// A filter, or the error that Exchange gives for a broken one.
pub fn parse_filter(text: Option<&str>) -> Result<Option<opath::Filter>, CmdletError> {
    match text {
        None => Ok(None),
        Some(text) => opath::parse(text).map(Some).map_err(|why| {
            CmdletError::failed(
                "Microsoft.Exchange.Data.ParsingInvalidFilterOperator",
                format!("Invalid filter syntax. {why}"),
            )
        }),
    }
}

/// The group that an identity names, if reads show it and it is a distribution group.
pub fn visible_group(run: &mut Run<'_>, identity: &str) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let found = run
        .tenant
        .groups
        .values()
        .filter(|group| group.kind.has_mail() && group.in_exchange <= now)
        .find(|group| Recipient::Group(group).answers_to(run.tenant, identity))
        .map(|group| group.id);
    found.ok_or_else(|| run.not_found(identity))
}

/// Whether the caller may change the group: its owner, or somebody who bypasses the check. A
/// partner under GDAP who does not gets a message that says something else (§2.2).
pub fn check_manager(run: &Run<'_>, group: &Group) -> Result<(), CmdletError> {
    let bypass = run.args.flag("BypassSecurityGroupManagerCheck") == Some(true);
    if bypass || group.owners.contains(&run.caller.object) {
        return Ok(());
    }
    if run.caller_is_foreign() {
        return match group.kind {
            GroupKind::MailSecurity => Err(CmdletError::failed(
                "Microsoft.Exchange.Configuration.Tasks.TaskException",
                "The executing user is not in the current organization",
            )),
            _ => Ok(()),
        };
    }
    Err(CmdletError::failed(
        "Microsoft.Exchange.Management.RecipientTasks.OperationRequiresGroupManagerException",
        "You don't have sufficient permissions. This operation can only be performed by a manager of the group.",
    ))
}

/// Name without spaces, and a question mark for what aliases cannot hold (§2.1).
fn default_alias(name: &str) -> String {
    name.chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| {
            if character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character) {
                character
            } else {
                '?'
            }
        })
        .take(64)
        .collect()
}

fn too_long(name: &str, most: usize) -> CmdletError {
    CmdletError::failed(
        INVALID,
        format!(
            "The length of the property is too long. The maximum length is {most} and the length of the value provided for {name} is greater."
        ),
    )
}

pub fn new(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let given = run.args.text("Name").unwrap_or_default().to_owned();
    if given.trim().is_empty() {
        return Err(CmdletError::missing_parameters("Name"));
    }
    if given.chars().count() > 64 {
        return Err(too_long("Name", 64));
    }
    let alias = run
        .args
        .text("Alias")
        .map_or_else(|| default_alias(&given), str::to_owned);
    if alias.chars().count() > 64 {
        return Err(too_long("Alias", 64));
    }
    let display_name = run.args.text("DisplayName").unwrap_or(&given).to_owned();
    if display_name.chars().count() > 256 {
        return Err(too_long("DisplayName", 256));
    }
    let smtp = match run.args.text("PrimarySmtpAddress") {
        Some(address) => checked_address(run, address)?,
        None => format!("{}@{}", alias.replace('?', "_"), run.tenant.domain),
    };
    let kind = match run.args.text("Type") {
        Some("Security") => GroupKind::MailSecurity,
        _ => GroupKind::Distribution,
    };
    if kind == GroupKind::MailSecurity && run.args.text("MemberJoinRestriction") == Some("Open") {
        return Err(CmdletError::failed(
            INVALID,
            "The MemberJoinRestriction value 'Open' is not allowed for security groups.",
        ));
    }
    check_free(run, None, Some(&given), Some(&smtp), Some(&alias))?;
    let owners = match run.args.texts("ManagedBy").map(<[String]>::to_vec) {
        Some(identities) => resolve_all(run, &identities)?,
        None if run.caller_is_foreign() => Vec::new(),
        None => vec![run.caller.object],
    };
    let members = match run.args.texts("Members").map(<[String]>::to_vec) {
        Some(identities) => resolve_all(run, &identities)?,
        None => Vec::new(),
    };
    let name = if run.tenant.exchange.name_suffix {
        let suffix = now.format(NAME_SUFFIX_FORMAT).to_string();
        format!("{}{suffix}", given.chars().take(50).collect::<String>())
    } else {
        given
    };
    let id = run.dice.guid();
    let guid = run.dice.guid();
    let rid = u32::try_from(run.dice.draw([40_000_000, 99_000_000])).unwrap_or(40_000_000);
    let in_exchange = run.dice.later(run.dice.delays.group_exchange);
    let for_maker = run
        .dice
        .later(run.dice.delays.group_exchange_maker)
        .min(in_exchange);
    let in_graph = run.dice.later(run.dice.delays.group_graph);
    let description = run
        .args
        .text("Description")
        .or_else(|| run.args.text("Notes"))
        .unwrap_or_default()
        .to_owned();
    let restriction = |name: &str, default: &str| run.args.text(name).unwrap_or(default).to_owned();
    let default_restriction = if kind == GroupKind::MailSecurity {
        "Closed"
    } else {
        "Open"
    };
    let group = Group {
        id,
        guid,
        kind,
        name,
        alias,
        display_name,
        description,
        smtp,
        aliases: Vec::new(),
        rid,
        foreign_owners: if owners.is_empty() {
            vec![FOREIGN_OWNER.to_owned()]
        } else {
            Vec::new()
        },
        owners,
        hidden: false,
        require_sender_authentication: run
            .args
            .flag("RequireSenderAuthenticationEnabled")
            .unwrap_or(true),
        hidden_membership: run.args.flag("HiddenGroupMembershipEnabled") == Some(true),
        join_restriction: restriction("MemberJoinRestriction", default_restriction),
        depart_restriction: restriction("MemberDepartRestriction", default_restriction),
        members: members
            .into_iter()
            .map(|member| Membership {
                member,
                added: Change {
                    at: now,
                    exchange: for_maker,
                    graph: in_graph,
                    enforcement: in_exchange,
                },
                removed: None,
            })
            .collect(),
        created: now,
        in_exchange,
        in_graph,
    };
    let row = rows::group(run.tenant, &group, false, now);
    run.changed(
        Deed::Created,
        Thing::Group,
        id,
        &group.name,
        json!({"guid": guid, "type": kind.details(), "mail": group.smtp}),
    );
    for entry in &group.members {
        run.changed(
            Deed::Created,
            Thing::Member,
            format!("{id}/{}", entry.member),
            &group.name,
            json!({"group": id, "member": entry.member}),
        );
    }
    run.tenant.groups.insert(id, group);
    run.tenant.exchange.new_groups.push(NewGroup {
        group: id,
        maker: run.caller.object,
        anchor: run.caller.anchor.clone(),
        visible: for_maker,
    });
    Ok(Output::Rows(vec![row]))
}

/// Whether name, address and alias are free, in this order. `own` is the object that may have them
/// already. Whoever holds an address has it, seen or not: mailboxes, contacts, Microsoft 365
/// groups, and what was deleted and not purged (§1.7, §2.1).
fn check_free(
    run: &mut Run<'_>,
    own: Option<Uuid>,
    name: Option<&str>,
    smtp: Option<&str>,
    alias: Option<&str>,
) -> Result<(), CmdletError> {
    let tenant = &run.tenant;
    if let Some(name) = name
        && tenant.group_name_is_taken(name, own)
    {
        let (forest, dn) = (tenant.forest(), tenant.distinguished_name(name));
        return Err(CmdletError::already_exists(run.dice, &forest, &dn));
    }
    if let Some(smtp) = smtp
        && let Some(holder) = tenant.holder_of_address(smtp, own)
    {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
            format!(
                "The proxy address \"SMTP:{smtp}\" is already being used by the proxy addresses or LegacyExchangeDN of \"{holder}\". Please choose another proxy address."
            ),
        ));
    }
    if let Some(alias) = alias
        && tenant.alias_is_taken(alias, own)
    {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException",
            format!("The name \"{alias}\" is already being used. Please try another name."),
        ));
    }
    Ok(())
}

/// An address in one of the tenant's domains.
fn checked_address(run: &Run<'_>, address: &str) -> Result<String, CmdletError> {
    let fits = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && [&run.tenant.domain, &run.tenant.initial_domain]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(domain))
    });
    if fits {
        Ok(address.to_owned())
    } else {
        Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.NotAcceptedDomainException",
            format!(
                "You can't use the domain because it's not an accepted domain for your organization: '{address}'."
            ),
        ))
    }
}

fn resolve_all(run: &mut Run<'_>, identities: &[String]) -> Result<Vec<Uuid>, CmdletError> {
    let now = run.now();
    let mut out = Vec::new();
    for identity in identities {
        match run.tenant.recipient(identity, now).map(|found| found.id()) {
            Some(id) if !out.contains(&id) => out.push(id),
            Some(_) => {}
            None => return Err(run.not_found(identity)),
        }
    }
    Ok(out)
}

pub fn set(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let id = visible_group(run, &identity)?;
    let smtp = match run.args.text("PrimarySmtpAddress") {
        Some(address) => Some(checked_address(run, address)?),
        None => None,
    };
    let owners = match run.args.texts("ManagedBy").map(<[String]>::to_vec) {
        Some(identities) => Some(resolve_all(run, &identities)?),
        None => None,
    };
    if let Some(group) = run.tenant.groups.get(&id) {
        check_manager(run, group)?;
        let (object, known) = (group.id, group.name.clone());
        check_synced(run, object, &known)?;
        let text = |name: &str| run.args.text(name).map(str::to_owned);
        let (name, alias) = (text("Name"), text("Alias"));
        check_free(
            run,
            Some(object),
            name.as_deref(),
            smtp.as_deref(),
            alias.as_deref(),
        )?;
    }
    let args = run.args.clone();
    let Some(group) = run.tenant.groups.get_mut(&id) else {
        return Err(run.not_found(&identity));
    };
    let texts = [
        ("Name", &mut group.name),
        ("Alias", &mut group.alias),
        ("DisplayName", &mut group.display_name),
        ("MemberJoinRestriction", &mut group.join_restriction),
        ("MemberDepartRestriction", &mut group.depart_restriction),
    ];
    for (name, field) in texts {
        if let Some(value) = args.text(name) {
            value.clone_into(field);
        }
    }
    if let Some(value) = args.raw_text("Description") {
        value.clone_into(&mut group.description);
    }
    if let Some(smtp) = smtp
        && !group.smtp.eq_ignore_ascii_case(&smtp)
    {
        let old = std::mem::replace(&mut group.smtp, smtp);
        group.aliases.push(old);
    }
    if let Some(owners) = owners {
        group.owners = owners;
        group.foreign_owners.clear();
    }
    if let Some(hidden) = args.flag("HiddenFromAddressListsEnabled") {
        group.hidden = hidden;
    }
    if let Some(required) = args.flag("RequireSenderAuthenticationEnabled") {
        group.require_sender_authentication = required;
    }
    let name = group.name.clone();
    let sent = run.sent();
    run.changed(Deed::Changed, Thing::Group, id, name, sent);
    Ok(Output::Nothing)
}

/// There is no recycle bin. Policies that name the group keep its ids and match nobody.
pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let id = visible_group(run, &identity)?;
    match run.tenant.groups.get(&id) {
        Some(group) => {
            check_manager(run, group)?;
            check_synced(run, id, &group.name)?;
        }
        None => return Err(run.not_found(&identity)),
    }
    let name = run
        .tenant
        .groups
        .remove(&id)
        .map_or_else(String::new, |group| group.name);
    run.changed(Deed::Removed, Thing::Group, id, name, json!({}));
    let mut parents = Vec::new();
    for group in run.tenant.groups.values_mut() {
        if group.has_member(id) {
            parents.push((group.id, group.name.clone()));
        }
        group.members.retain(|entry| entry.member != id);
    }
    for (parent, name) in parents {
        run.changed(
            Deed::Removed,
            Thing::Member,
            format!("{parent}/{id}"),
            name,
            json!({"group": parent, "member": id}),
        );
    }
    Ok(Output::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_come_from_names() {
        assert_eq!(default_alias("Postern Senders"), "PosternSenders");
        assert_eq!(default_alias("Grüße (neu)"), "Gr??e?neu?");
    }
}
