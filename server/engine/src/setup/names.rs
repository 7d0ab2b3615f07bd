//! Says in plain words who has an address or a name.

use domain::{Problem, address::MailAddress, problem::Remedy, recipient};
use microsoft::{Customer, exchange::Taken};

/// Why no mailbox has this address, worded to follow the address. None: Exchange shows nothing with
/// it.
pub(crate) async fn why_no_mailbox(
    tenant: &Customer,
    address: &MailAddress,
) -> Result<Option<String>, microsoft::Error> {
    if let Some(found) = tenant.recipient(address).await?.value {
        let why = recipient::why_no_mailbox(&found.details).map(str::to_owned);
        return Ok(Some(why.unwrap_or_else(|| {
            format!(
                "is an address of {}, which Exchange shows without a mailbox",
                found.told()
            )
        })));
    }
    let deleted = tenant.deleted_recipient(address).await?.value;
    Ok(deleted.map(|found| {
        format!(
            "is a deleted {}: it can be restored for a while, or is kept as an inactive mailbox, and nobody sends from it",
            recipient::kind_of(&found.details)
        )
    }))
}

/// The problem for a new group whose name or address somebody has already.
pub(crate) fn taken(holder: &Taken) -> Problem {
    Problem::new(
        "group.taken",
        Remedy::Never,
        format!("{} is taken by {}.", holder.what, holder.by.told()),
        "Exchange gives no name and no address twice, and Postern never takes over what it did not make.",
        "Start a setup with another group name, in place of this one.",
    )
}
