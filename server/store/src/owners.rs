//! Making somebody an owner from the command line, for a partner whose owner is lost.

use domain::{
    Timestamp,
    history::EventKind,
    id::{OperatorId, PartnerId, TenantId},
    person::{Actor, Role},
};
use secrecy::SecretString;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::{Error, NewEvent, Result, Tx, Vault, tx};

/// Makes somebody who has signed in before an owner, and tells it in the partner's history. `who` is
/// the account's name or its object id.
///
/// Connects as the owner of the tables. [`Error::NotFound`]: nobody of that name has signed in.
pub async fn add_owner(
    owner_url: &SecretString,
    vault: Vault,
    home: TenantId,
    who: &str,
    now: Timestamp,
) -> Result<(PartnerId, OperatorId)> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_with(tx::options(owner_url)?)
        .await?;
    let partner: Option<Uuid> = sqlx::query_scalar("select id from partners where home_tid = $1")
        .bind(home.0)
        .fetch_optional(&pool)
        .await?;
    let partner = PartnerId(partner.ok_or(Error::NotFound)?);
    let mut tx = Tx::of(pool.begin().await?, partner, vault);
    tx.carries().await?;
    let operator = tx.make_owner(home, who, now).await?;
    tx.commit().await?;
    pool.close().await;
    Ok((partner, operator))
}

impl Tx {
    async fn make_owner(
        &mut self,
        home: TenantId,
        who: &str,
        now: Timestamp,
    ) -> Result<OperatorId> {
        let partner = self.partner();
        let found: Vec<(Uuid, String)> = sqlx::query_as(
            "select id, upn from operators
             where partner_id = $1 and tid = $2 and (lower(upn) = lower($3) or oid::text = lower($3))
             for update",
        )
        .bind(partner.0)
        .bind(home.0)
        .bind(who)
        .fetch_all(self.conn())
        .await?;
        let (operator, upn) = match found.as_slice() {
            [(id, upn)] => (OperatorId(*id), upn),
            [] => return Err(Error::NotFound),
            _ => {
                return Err(Error::conflict(
                    "More than one account has that name: say its object id.",
                ));
            }
        };
        let before = self.set_role(operator, Some(Role::Owner)).await?;
        self.append_own(&NewEvent {
            at: now,
            actor: Actor::System,
            kind: EventKind::RoleGiven,
            setup: None,
            what: format!(
                "{upn} was made an owner from the command line (postern owner add), by somebody who has the database's owner role."
            ),
            before: Some(json!({ "role": before })),
            after: Some(json!({ "role": Role::Owner, "person": operator, "upn": upn })),
            requests: Vec::new(),
        })
        .await?;
        Ok(operator)
    }
}

#[cfg(test)]
#[path = "owners_tests.rs"]
mod tests;
