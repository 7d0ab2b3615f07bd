//! Members of groups (MICROSOFT.md §2.3).

use serde_json::json;
use uuid::Uuid;

use super::cmdlet::{Output, Run};
use super::errors::CmdletError;
use super::groups::{check_manager, visible_group};
use super::mailboxes::check_synced;
use super::rows;
use crate::journal::{Deed, Thing};
use crate::world::recipients::Recipient;
use crate::world::tenant::{Change, GroupKind, Membership};

pub fn get(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let now = run.now();
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let id = visible_group(run, &identity)?;
    let Some(group) = run.tenant.groups.get(&id) else {
        return Err(run.not_found(&identity));
    };
    // For a Microsoft 365 group: nothing, and no complaint.
    if group.kind == GroupKind::Microsoft365 {
        return Ok(Output::Rows(Vec::new()));
    }
    let out = run
        .tenant
        .members_seen(group, now, |change: &Change| change.exchange)
        .filter_map(|member| run.tenant.recipient_by_id(member))
        // Some kinds are accepted as members and never listed (§2.3).
        .filter(|recipient| {
            let unlisted = &run.tenant.exchange.unlisted_members;
            !unlisted.iter().any(|kind| kind == recipient.details())
        })
        .map(|recipient| rows::recipient(run.tenant, &recipient))
        .collect();
    Ok(Output::Rows(out))
}

/// The moments at which each side notices a change of members made now.
fn change(run: &mut Run<'_>, group_in_graph: crate::clock::Time) -> Change {
    let delays = run.dice.delays.clone();
    Change {
        at: run.dice.now(),
        exchange: run.dice.later(delays.member),
        graph: run.dice.later(delays.member_graph).max(group_in_graph),
        enforcement: run.dice.later(delays.member_enforcement),
    }
}

/// The recipient that a member's identity names, if such a thing can be a member.
fn candidate(run: &mut Run<'_>, identity: &str) -> Result<Uuid, CmdletError> {
    let now = run.now();
    let found = run.tenant.recipient(identity, now).map(|recipient| {
        let allowed = match recipient {
            Recipient::Person(_, mailbox) => mailbox.kind.details() != "DiscoveryMailbox",
            Recipient::Group(group) => group.kind != GroupKind::Microsoft365,
        };
        (recipient.id(), allowed, recipient.details())
    });
    match found {
        Some((id, true, _)) => Ok(id),
        Some((_, false, details)) => Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.InvalidMemberException",
            format!("The recipient '{identity}' of type {details} can't be added to the group."),
        )),
        None => Err(CmdletError {
            status: None,
            exception: "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
                .to_owned(),
            text: format!(
                "Couldn't find object \"{identity}\". Please make sure that it was spelled correctly or specify a different object."
            ),
            style: super::errors::Style::Detail,
        }),
    }
}

pub fn add(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let (identity, member) = both(run);
    let id = visible_group(run, &identity)?;
    match run.tenant.groups.get(&id) {
        Some(group) => {
            check_manager(run, group)?;
            check_synced(run, id, &group.name)?;
        }
        None => return Err(run.not_found(&identity)),
    }
    let member_id = candidate(run, &member)?;
    insert(run, id, member_id, &member, &identity)?;
    Ok(Output::Nothing)
}

fn insert(
    run: &mut Run<'_>,
    id: Uuid,
    member_id: Uuid,
    member: &str,
    identity: &str,
) -> Result<(), CmdletError> {
    let in_graph = run.tenant.groups.get(&id).map(|group| group.in_graph);
    let Some(in_graph) = in_graph else {
        return Err(run.not_found(identity));
    };
    let added = change(run, in_graph);
    let Some(group) = run.tenant.groups.get_mut(&id) else {
        return Err(run.not_found(identity));
    };
    if group.has_member(member_id) {
        return Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.MemberAlreadyExistsException",
            format!(
                "The recipient \"{member}\" is already a member of the group \"{}\".",
                group.name
            ),
        ));
    }
    group.members.retain(|entry| entry.member != member_id);
    group.members.push(Membership {
        member: member_id,
        added,
        removed: None,
    });
    let name = group.name.clone();
    note(run, Deed::Created, id, member_id, &name);
    Ok(())
}

fn note(run: &mut Run<'_>, deed: Deed, group: Uuid, member: Uuid, name: &str) {
    let address = run
        .tenant
        .recipient_by_id(member)
        .map_or_else(String::new, |found| found.smtp().to_owned());
    run.changed(
        deed,
        Thing::Member,
        format!("{group}/{member}"),
        name,
        json!({"group": group, "member": member, "address": address}),
    );
}

fn both(run: &Run<'_>) -> (String, String) {
    let text = |name: &str| run.args.text(name).unwrap_or_default().to_owned();
    (text("Identity"), text("Member"))
}

pub fn remove(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let (identity, member) = both(run);
    let id = visible_group(run, &identity)?;
    match run.tenant.groups.get(&id) {
        Some(group) => {
            check_manager(run, group)?;
            check_synced(run, id, &group.name)?;
        }
        None => return Err(run.not_found(&identity)),
    }
    let member_id = candidate(run, &member)?;
    let now = run.now();
    let gone = change(run, now);
    let Some(group) = run.tenant.groups.get_mut(&id) else {
        return Err(run.not_found(&identity));
    };
    let name = group.name.clone();
    match group
        .members
        .iter_mut()
        .find(|entry| entry.member == member_id && entry.removed.is_none())
    {
        Some(entry) => {
            entry.removed = Some(gone);
            note(run, Deed::Removed, id, member_id, &name);
            Ok(Output::Nothing)
        }
        None => Err(CmdletError::failed(
            "Microsoft.Exchange.Management.Tasks.MemberNotFoundException",
            format!("The recipient \"{member}\" isn't a member of the group \"{name}\"."),
        )),
    }
}

/// Replaces all members.
pub fn update(run: &mut Run<'_>) -> Result<Output, CmdletError> {
    let identity = run.args.text("Identity").unwrap_or_default().to_owned();
    let id = visible_group(run, &identity)?;
    match run.tenant.groups.get(&id) {
        Some(group) => {
            check_manager(run, group)?;
            check_synced(run, id, &group.name)?;
        }
        None => return Err(run.not_found(&identity)),
    }
    let wanted = run
        .args
        .texts("Members")
        .map(<[String]>::to_vec)
        .unwrap_or_default();
    let mut ids = Vec::new();
    for member in &wanted {
        ids.push((candidate(run, member)?, member.clone()));
    }
    let now = run.now();
    let gone = change(run, now);
    let mut leaving = Vec::new();
    let mut name = String::new();
    if let Some(group) = run.tenant.groups.get_mut(&id) {
        name.clone_from(&group.name);
        for entry in &mut group.members {
            let stays = ids.iter().any(|(wanted, _)| *wanted == entry.member);
            if !stays && entry.removed.is_none() {
                entry.removed = Some(gone);
                leaving.push(entry.member);
            }
        }
    }
    for member in leaving {
        note(run, Deed::Removed, id, member, &name);
    }
    for (member_id, member) in ids {
        let there = run
            .tenant
            .groups
            .get(&id)
            .is_some_and(|group| group.has_member(member_id));
        if !there {
            insert(run, id, member_id, &member, &identity)?;
        }
    }
    Ok(Output::Nothing)
}
