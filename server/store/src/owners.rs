//! Making somebody an owner from the command line, for a partner whose owner is lost.

use domain::id::{OperatorId, PartnerId, TenantId};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{Error, Result, migrate::owner_connection, tx::set};

/// Makes somebody who has signed in before an owner. `who` is the account's name or its object id.
///
/// Connects as the owner of the tables. [`Error::NotFound`]: nobody of that name has signed in.
pub async fn add_owner(
    owner_url: &SecretString,
    home: TenantId,
    who: &str,
) -> Result<(PartnerId, OperatorId)> {
    use sqlx::Connection as _;

    let mut connection = owner_connection(owner_url).await?;
    let mut tx = connection.begin().await?;
    let partner: Option<Uuid> = sqlx::query_scalar("select id from partners where home_tid = $1")
        .bind(home.0)
        .fetch_optional(&mut *tx)
        .await?;
    let partner = partner.ok_or(Error::NotFound)?;
    set(&mut tx, "partner", &partner.to_string()).await?;
    let found: Vec<Uuid> = sqlx::query_scalar(
        "update operators set role = 'owner'
         where partner_id = $1 and tid = $2 and (lower(upn) = lower($3) or oid::text = lower($3))
         returning id",
    )
    .bind(partner)
    .bind(home.0)
    .bind(who)
    .fetch_all(&mut *tx)
    .await?;
    match found.as_slice() {
        [one] => {
            let operator = OperatorId(*one);
            tx.commit().await?;
            Ok((PartnerId(partner), operator))
        }
        [] => Err(Error::NotFound),
        _ => Err(Error::conflict(
            "More than one account has that name: say its object id.",
        )),
    }
}

#[cfg(test)]
#[path = "owners_tests.rs"]
mod tests;
