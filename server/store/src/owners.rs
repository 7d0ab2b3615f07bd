//! Makes a person an owner from the command line, for a partner whose owner is lost.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    history::EventKind,
    id::{ObjectId, OperatorId, PartnerId, TenantId},
    person::{Actor, Role},
};
use secrecy::SecretString;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::{Error, NewEvent, Result, Tx, Vault, tx};

/// Who was made an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOwner {
    pub partner: PartnerId,
    pub operator: OperatorId,
    pub object: ObjectId,
    /// The account name at that time. A name may later be given to another person.
    pub upn: String,
    pub last_seen: Timestamp,
}

/// Makes a person who has signed in before an owner, and records it in the partner's history. `who`
/// is the account's name, as it was when the person last signed in, or its object id. Returns the
/// person.
///
/// Connects as the owner of the tables. [`Error::NotFound`]: nobody of that name has signed in.
/// [`Error::Conflict`]: the name belongs to several people, or to a guest. The object id must then
/// say who is meant.
pub async fn add_owner(
    owner_url: &SecretString,
    vault: Vault,
    home: TenantId,
    who: &str,
    now: Timestamp,
) -> Result<NewOwner> {
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
    let made = tx.make_owner(home, who, now).await?;
    tx.commit().await?;
    pool.close().await;
    Ok(made)
}

impl Tx {
    async fn make_owner(&mut self, home: TenantId, who: &str, now: Timestamp) -> Result<NewOwner> {
        let partner = self.partner();
        let found: Vec<(Uuid, Uuid, String, bool, DateTime<Utc>)> = sqlx::query_as(
            "select id, oid, upn, guest, last_seen_at from operators
             where partner_id = $1 and tid = $2 and (lower(upn) = lower($3) or oid::text = lower($3))
             for update",
        )
        .bind(partner.0)
        .bind(home.0)
        .bind(who)
        .fetch_all(self.conn())
        .await?;
        let made = match found.as_slice() {
            [(_, oid, _, true, _)] if !who.eq_ignore_ascii_case(&oid.to_string()) => {
                return Err(Error::conflict(format!(
                    "That account is a guest. If it is meant, say its object id: {oid}."
                )));
            }
            [(id, oid, upn, _, last_seen)] => NewOwner {
                partner,
                operator: OperatorId(*id),
                object: ObjectId(*oid),
                upn: upn.clone(),
                last_seen: (*last_seen).into(),
            },
            [] => return Err(Error::NotFound),
            several => {
                let which: Vec<String> = several
                    .iter()
                    .map(|(_, oid, _, _, last_seen)| {
                        let last_seen = Timestamp::from(*last_seen);
                        format!("{oid} (last seen {})", last_seen.long())
                    })
                    .collect();
                return Err(Error::conflict(format!(
                    "More than one account had that name. Say which by its object id: {}.",
                    which.join(", ")
                )));
            }
        };
        let (operator, upn) = (made.operator, &made.upn);
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
        Ok(made)
    }
}

#[cfg(test)]
#[path = "owners_tests.rs"]
mod tests;
