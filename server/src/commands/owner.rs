//! `postern owner add`.

use domain::id::TenantId;
use microsoft::{Clock as _, SystemClock};
use store::Vault;

use crate::{cli::Failed, config::OwnerSettings};

/// Makes a person who has signed in before an owner.
pub(crate) async fn add(
    settings: &OwnerSettings,
    vault: Vault,
    tenant: TenantId,
    account: &str,
) -> Result<(), Failed> {
    let now = SystemClock.now();
    match store::add_owner(&settings.database_owner_url, vault, tenant, account, now).await {
        Ok(made) => {
            let (partner, operator) = (made.partner, made.operator);
            tracing::warn!(%partner, %operator, "somebody was made an owner from the command line");
            println!(
                "{} is an owner now: object id {}, last seen {}.",
                made.upn,
                made.object,
                made.last_seen.long()
            );
            println!(
                "That was the account's name when it last signed in. If somebody else has the name now, take the role away on People, and say the object id here."
            );
            Ok(())
        }
        Err(store::Error::NotFound) => Err(Failed::Other(format!(
            "nobody called {account} of the tenant {tenant} has signed in. Let that person sign in once (they will wait for a role), then run this again"
        ))),
        Err(error) => Err(Failed::because("the owner could not be added", error)),
    }
}
