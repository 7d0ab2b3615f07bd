//! Checks the mailboxes and the group that a plan names.

use domain::{
    address::MailAddress,
    plan::{Group, Mailbox, marker},
};
use microsoft::exchange::ExGroup;

use super::{Look, Looked};
use crate::setup::names::{taken, why_no_mailbox};

impl Look<'_> {
    pub(super) async fn mailboxes(&mut self) -> Looked {
        if self.setup.is_none() {
            return Ok(());
        }
        let plan = self.plan;
        let planned: Vec<&Mailbox> = plan.senders.iter().chain(&plan.refused).collect();
        let addresses: Vec<MailAddress> = planned
            .iter()
            .map(|mailbox| mailbox.address.clone())
            .collect();
        let call = self.tenant.mailboxes_at(&addresses).await?;
        let found = self.saw("Mailboxes of the plan", call);
        for (planned, found) in planned.into_iter().zip(found) {
            let means = match found {
                Some(mailbox) if mailbox.object == planned.object => continue,
                Some(_) => "The address belongs to somebody else now.".to_owned(),
                None => match why_no_mailbox(self.tenant, &planned.address).await? {
                    Some(why) => format!("{} {why}.", planned.address),
                    None => "It was removed, or Exchange does not show it.".to_owned(),
                },
            };
            self.hurdle(
                "mailbox_gone",
                format!(
                    "{} is not the mailbox any more that was approved.",
                    planned.address
                ),
                means,
                "Start a setup with the mailboxes as they are, in place of this one.",
            );
        }
        Ok(())
    }

    pub(super) async fn group(&mut self) -> Looked {
        match &self.plan.group {
            Group::Existing { address, .. } => self.existing(address).await,
            Group::New { address, name } => self.free(address, name.as_str()).await,
        }
    }

    /// Checks that the name, the alias and the address of a new group are free.
    async fn free(&mut self, address: &MailAddress, name: &str) -> Looked {
        let Some(setup) = self.setup else {
            return Ok(());
        };
        let call = self.tenant.taken(address, name).await?;
        let Some(holder) = self.saw("Is the group's name free?", call) else {
            return Ok(());
        };
        let group = self.tenant.group(address.as_str()).await?.value;
        if !group.is_some_and(|group| group.is_described(&marker(setup))) {
            self.found.hurdles.push(taken(&holder));
        }
        Ok(())
    }

    /// Checks that an existing group holds all senders and nobody else: Postern does not change
    /// what it did not make.
    async fn existing(&mut self, address: &MailAddress) -> Looked {
        let Group::Existing { object, .. } = &self.plan.group else {
            return Ok(());
        };
        let group = match self.group.take() {
            Some(group) => Some(group),
            None => {
                let call = self.tenant.group(&object.to_string()).await?;
                self.saw("The existing group", call)
            }
        };
        let Some(group) = group else {
            self.hurdle(
                "group_gone",
                format!("The group {address} is not there any more."),
                "The plan names a group that Exchange does not show.",
                "Start a setup with a group that exists, in place of this one.",
            );
            return Ok(());
        };
        if !group.is_mail_enabled_security() {
            self.hurdle(
                "group_kind",
                format!(
                    "{address} is a {} now.",
                    domain::recipient::kind_of(&group.details)
                ),
                "Exchange takes a mail-enabled security group for an access policy, and no other.",
                "Start a setup with such a group, or with a new one, in place of this one.",
            );
            return Ok(());
        }
        self.members(address, &group).await
    }

    async fn members(&mut self, address: &MailAddress, group: &ExGroup) -> Looked {
        let members = self.tenant.group_members(&group.identity()).await?;
        let members = self.saw("Members of the existing group", members);
        let strangers: Vec<String> = members
            .iter()
            .filter(|member| member.object.is_none_or(|object| !self.is_sender(object)))
            .map(|member| member.name.clone())
            .collect();
        let missing: Vec<String> = self
            .plan
            .senders
            .iter()
            .filter(|sender| {
                !members
                    .iter()
                    .any(|member| member.object == Some(sender.object))
            })
            .map(|sender| sender.address.to_string())
            .collect();
        if strangers.is_empty() && missing.is_empty() {
            if group.synced {
                self.found.said.push(format!(
                    "{address} is managed on premises: whoever changes its members there moves the boundary, and Postern cannot change them."
                ));
            }
            return Ok(());
        }
        let mut happened = format!("{address} does not hold exactly the permitted senders.");
        for (what, names) in [(" Missing: ", &missing), (" Too many: ", &strangers)] {
            if !names.is_empty() {
                happened.push_str(&format!("{what}{}.", names.join(", ")));
            }
        }
        let (means, todo) = if group.synced {
            (
                "It is managed on premises, so that its members can be changed only there.",
                "Make its members fit on premises and wait for the synchronisation, or start a setup with a new group.",
            )
        } else {
            (
                "Postern changes nothing in a group that it did not make.",
                "Make its members fit, or start a setup with a new group.",
            )
        };
        self.hurdle("group_members", happened, means, todo);
        Ok(())
    }
}
