//! Finds the mailboxes that were chosen. Any of a mailbox's addresses can be given.

use domain::{
    Problem,
    address::MailAddress,
    plan::{Draft, Mailbox},
};

use crate::{Failure, setup::names};

/// The mailboxes of a draft without duplicates, with problems and notes about them.
pub(super) struct Chosen {
    pub senders: Vec<Mailbox>,
    pub refused: Vec<Mailbox>,
    /// Choices that do not fit. Each problem names its field.
    pub problems: Vec<Problem>,
    pub notes: Vec<String>,
}

pub(super) async fn chosen(tenant: &microsoft::Customer, draft: &Draft) -> Result<Chosen, Failure> {
    let mut problems = Vec::new();
    let senders = found(tenant, "senders", &draft.senders, &mut problems).await?;
    let refused = found(tenant, "refused", &draft.refused, &mut problems).await?;
    let mut notes = aliases_of_senders(&senders);
    notes.extend(aliases_of_refused(&refused, &senders, &mut problems));
    Ok(Chosen {
        senders: senders.mailboxes(),
        refused: refused.mailboxes(),
        problems,
        notes,
    })
}

/// Each address that was given, with the mailbox that has it.
struct Asked(Vec<(MailAddress, Mailbox)>);

impl Asked {
    /// The mailboxes, without duplicates.
    fn mailboxes(self) -> Vec<Mailbox> {
        let mut found = Vec::new();
        for (_, mailbox) in self.0 {
            if !found.contains(&mailbox) {
                found.push(mailbox);
            }
        }
        found
    }

    /// The entries whose given address is not the mailbox's primary address.
    fn aliases(&self) -> impl Iterator<Item = &(MailAddress, Mailbox)> {
        self.0.iter().filter(|(asked, mailbox)| {
            !asked
                .as_str()
                .eq_ignore_ascii_case(mailbox.address.as_str())
        })
    }
}

/// Notes that a policy is about a mailbox: it never permits a single address of one.
fn aliases_of_senders(senders: &Asked) -> Vec<String> {
    let said = |(asked, mailbox): &(MailAddress, Mailbox)| {
        format!(
            "{asked} is an address of {0}: the application will be allowed all of {0}, whichever address it sends from.",
            mailbox.address
        )
    };
    senders.aliases().map(said).collect()
}

/// An alias of a permitted mailbox cannot be refused: that is a problem. Any other alias gets a
/// note that its mailbox will be tried.
fn aliases_of_refused(
    refused: &Asked,
    senders: &Asked,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (asked, mailbox) in refused.aliases() {
        let permitted = senders
            .0
            .iter()
            .any(|(_, one)| one.object == mailbox.object);
        if permitted {
            problems.push(Problem::input(
                "refused",
                format!(
                    "{asked} is an address of {}, which is permitted: it cannot be refused.",
                    mailbox.address
                ),
                "Take it out of one of the two lists.",
            ));
        } else {
            notes.push(format!(
                "{asked} is an address of {}: that mailbox is the one that must be refused.",
                mailbox.address
            ));
        }
    }
    notes
}

/// Looks up the mailboxes of the addresses, in their order. An address without a mailbox becomes a
/// problem.
async fn found(
    tenant: &microsoft::Customer,
    field: &str,
    addresses: &[String],
    problems: &mut Vec<Problem>,
) -> Result<Asked, Failure> {
    let mut asked: Vec<MailAddress> = Vec::new();
    for text in addresses.iter().filter(|text| !text.trim().is_empty()) {
        match text.parse() {
            Ok(address) if asked.contains(&address) => {}
            Ok(address) => asked.push(address),
            Err(problem) => {
                let problem: Problem = problem;
                problems.push(Problem::input(field, problem.happened, problem.todo));
            }
        }
    }
    let mailboxes = tenant.mailboxes_at(&asked).await?.value;
    let mut found = Vec::new();
    for (address, mailbox) in asked.iter().zip(mailboxes) {
        if let Some(mailbox) = mailbox {
            found.push((address.clone(), mailbox));
            continue;
        }
        let why = names::why_no_mailbox(tenant, address).await?;
        problems.push(Problem::input(
            field,
            match why {
                Some(why) => format!("{address} {why}."),
                None => format!("{address} is not a mailbox of this customer."),
            },
            "Take it out, or choose another from the list.",
        ));
    }
    Ok(Asked(found))
}
