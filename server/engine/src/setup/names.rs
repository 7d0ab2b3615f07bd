//! Who has an address or a name, in the words of a person.

use domain::{Problem, address::MailAddress, problem::Remedy, recipient};
use microsoft::{Customer, exchange::Taken};

/// Why there is no mailbox with this address, behind the address; none: nothing has it that
/// Exchange shows.
pub(crate) async fn why_no_mailbox(
    tenant: &Customer,
    address: &MailAddress,
) -> Result<Option<String>, microsoft::Error> {
    let found = tenant.recipient(address).await?.value;
    Ok(found.map(|found| {
        recipient::why_no_mailbox(&found.details).map_or_else(
            || {
                format!(
                    "is an address of {}, which Exchange shows without a mailbox",
                    found.told()
                )
            },
            str::to_owned,
        )
    }))
}

/// A new group cannot have what somebody has.
pub(crate) fn taken(holder: &Taken) -> Problem {
    Problem::new(
        "group.taken",
        Remedy::Never,
        format!("{} is taken by {}.", holder.what, holder.by.told()),
        "Exchange gives no name and no address twice, and Postern never takes over what it did not make.",
        "Start a setup with another group name, in place of this one.",
    )
}
