//! `postern owner add`.

use domain::id::TenantId;
use microsoft::{Clock as _, SystemClock};
use store::Vault;

use crate::{cli::Failed, config::OwnerSettings};

/// Makes somebody an owner who has signed in before.
pub(crate) async fn add(
    settings: &OwnerSettings,
    vault: Vault,
    tenant: TenantId,
    account: &str,
) -> Result<(), Failed> {
    let now = SystemClock.now();
    match store::add_owner(&settings.database_owner_url, vault, tenant, account, now).await {
        Ok((partner, operator)) => {
            tracing::warn!(%partner, %operator, "somebody was made an owner from the command line");
            println!("{account} is an owner now.");
            Ok(())
        }
        Err(store::Error::NotFound) => Err(Failed::Other(format!(
            "nobody called {account} of the tenant {tenant} has signed in. Let that person sign in once (they will wait for a role), then run this again"
        ))),
        Err(error) => Err(Failed::because("the owner could not be added", error)),
    }
}
