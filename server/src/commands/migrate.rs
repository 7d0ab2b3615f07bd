//! `postern migrate`.

use crate::{cli::Failed, config::OwnerSettings};

pub(crate) async fn migrate(settings: &OwnerSettings) -> Result<(), Failed> {
    store::migrate(&settings.database_owner_url, &settings.server_role)
        .await
        .map_err(|error| Failed::because("the database could not be migrated", error))?;
    tracing::info!(role = settings.server_role, "the database is ready");
    Ok(())
}
