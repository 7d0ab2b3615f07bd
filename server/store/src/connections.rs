//! The delegated consent with which Postern acts in a customer's tenant.

use chrono::{DateTime, Utc};
use domain::{
    Problem, Timestamp,
    connection::{Connection, Health, Way},
    id::{CustomerId, ObjectId, OperatorId, PartnerId},
};
use secrecy::SecretString;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, KeyUse, Place, Result, Tx,
    clean::{self, moment},
};

/// A success is recorded at most this often, unless the connection was broken before. Milliseconds.
const NOTED_EVERY: i64 = 10_000;

/// Who consented. Exists as long as the connection is not disconnected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConsent {
    pub way: Way,
    pub account_upn: String,
    pub account_object: ObjectId,
    pub scopes: Vec<String>,
    /// Identifies the consent: a later consent of the customer always has a later time.
    pub consented_at: Timestamp,
}

/// The columns of a consent.
#[derive(FromRow)]
struct ConsentRow {
    way: String,
    account_upn: String,
    account_oid: Uuid,
    scopes: Vec<String>,
    consented_at: DateTime<Utc>,
}

/// A connection's columns. All are null when nobody ever consented.
#[derive(FromRow)]
pub(crate) struct ConnectionRow {
    connected: bool,
    way: Option<String>,
    account_upn: Option<String>,
    scopes: Option<Vec<String>>,
    problem: Option<Value>,
    /// Lists do not read this column.
    #[sqlx(default)]
    note: Option<Value>,
    consented_at: Option<DateTime<Utc>>,
    last_success_at: Option<DateTime<Utc>>,
    disconnected_at: Option<DateTime<Utc>>,
}

impl ConnectionRow {
    pub(crate) fn connection(self) -> Result<Connection> {
        let health = if !self.connected {
            Health::Never
        } else if self.disconnected_at.is_some() {
            Health::Disconnected
        } else if let Some(problem) = self.problem {
            Health::Broken {
                problem: clean::from_json("connections.problem", problem)?,
            }
        } else {
            Health::Good
        };
        Ok(Connection {
            health,
            way: self
                .way
                .map(|way| clean::word("connections.way", &way, Way::parse))
                .transpose()?,
            account: self.account_upn,
            consented: self.consented_at.map(Timestamp::from),
            scopes: self.scopes.unwrap_or_default(),
            last_success: self.last_success_at.map(Timestamp::from),
            note: self
                .note
                .map(|note| clean::from_json("connections.note", note))
                .transpose()?,
        })
    }
}

fn place(partner: PartnerId, customer: &Uuid) -> Place<'_> {
    Place {
        key_use: KeyUse::Tokens,
        table: "connections",
        column: "refresh_token",
        partner: Some(partner),
        row: customer.as_bytes(),
    }
}

impl Tx {
    /// How the customer is connected.
    pub async fn connection(&mut self, access: &CustomerAccess) -> Result<Connection> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<ConnectionRow> = sqlx::query_as(
            "select true as connected, way, account_upn, scopes, problem, note, consented_at,
                    last_success_at, disconnected_at
             from connections where partner_id = $1 and customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        match row {
            Some(row) => row.connection(),
            None => Ok(Connection {
                health: Health::Never,
                way: None,
                account: None,
                consented: None,
                scopes: Vec::new(),
                last_success: None,
                note: None,
            }),
        }
    }

    /// Who consented. None when nobody did, when the customer was disconnected, or when the token
    /// was deleted with the authority of the person whose account it was.
    pub async fn stored_consent(
        &mut self,
        access: &CustomerAccess,
    ) -> Result<Option<StoredConsent>> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<ConsentRow> = sqlx::query_as(
            "select way, account_upn, account_oid, scopes, consented_at from connections
             where partner_id = $1 and customer_id = $2 and disconnected_at is null
               and refresh_token is not null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(|row| {
            Ok(StoredConsent {
                way: clean::word("connections.way", &row.way, Way::parse)?,
                account_upn: row.account_upn,
                account_object: ObjectId(row.account_oid),
                scopes: row.scopes,
                consented_at: row.consented_at.into(),
            })
        })
        .transpose()
    }

    /// Stores a new consent and clears the old problem. Returns the time under which the consent is
    /// stored: `now`, or just after the previous consent when the clocks of two processes differ.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a fact of its own that Entra just vouched for"
    )]
    pub async fn save_consent(
        &mut self,
        access: &CustomerAccess,
        way: Way,
        account_upn: &str,
        account: ObjectId,
        scopes: &[impl AsRef<str>],
        refresh_token: &SecretString,
        now: Timestamp,
    ) -> Result<Timestamp> {
        let (partner, customer) = self.changes(access)?;
        let sealed = self
            .vault
            .seal(place(partner, &customer.0), refresh_token)?;
        let scopes: Vec<&str> = scopes.iter().map(AsRef::as_ref).collect();
        let key = self.vault.newest().to_owned();
        let consented_at: DateTime<Utc> = sqlx::query_scalar(
            "insert into connections
                 (customer_id, partner_id, way, account_upn, account_oid, scopes, refresh_token,
                  key_id, consented_at, token_version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)
             on conflict (customer_id) do update set
                 way = excluded.way, account_upn = excluded.account_upn,
                 account_oid = excluded.account_oid, operator_id = null, scopes = excluded.scopes,
                 refresh_token = excluded.refresh_token, key_id = excluded.key_id,
                 consented_at = greatest(excluded.consented_at,
                                         connections.consented_at + interval '1 millisecond'),
                 problem = null, note = null, disconnected_at = null,
                 token_version = connections.token_version + 1
             returning consented_at",
        )
        .bind(customer.0)
        .bind(partner.0)
        .bind(way.as_str())
        .bind(clean::text(account_upn))
        .bind(account.0)
        .bind(scopes)
        .bind(sealed)
        .bind(key)
        .bind(moment(now))
        .fetch_one(self.conn())
        .await?;
        Ok(consented_at.into())
    }

    /// Records that the account of the consent just stored is an operator's own. The consent then
    /// ends with the operator's authority.
    pub async fn consent_is_own(
        &mut self,
        access: &CustomerAccess,
        operator: OperatorId,
    ) -> Result<()> {
        let (partner, customer) = self.changes(access)?;
        sqlx::query(
            "update connections set operator_id = $3 where partner_id = $1 and customer_id = $2",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(operator.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Stores the scopes that Entra says were granted on the resource whose names begin with
    /// `audience`. They replace the scopes stored for that resource. The right to read suffices.
    pub async fn note_scopes(
        &mut self,
        access: &CustomerAccess,
        audience: &str,
        scopes: &[String],
    ) -> Result<()> {
        let (partner, customer) = self.reads(access)?;
        sqlx::query(
            "update connections set scopes = n.scopes
             from (select array(
                       select distinct scope from connections c,
                           unnest(c.scopes || $4::text[]) as scope
                       where c.partner_id = $1 and c.customer_id = $2
                         and (not starts_with(scope, $3) or scope = any($4))
                       order by scope) as scopes) n
             where partner_id = $1 and customer_id = $2 and connections.scopes <> n.scopes
               and disconnected_at is null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(format!("{audience}/"))
        .bind(scopes)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The newest refresh token with its version. None when disconnected.
    pub async fn refresh_token(
        &mut self,
        access: &CustomerAccess,
    ) -> Result<Option<(SecretString, i64)>> {
        let (partner, customer) = self.reads(access)?;
        let row: Option<(Vec<u8>, i64)> = sqlx::query_as(
            "select refresh_token, token_version from connections
             where partner_id = $1 and customer_id = $2 and refresh_token is not null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(|(sealed, version)| {
            let token = self.vault.open(place(partner, &customer.0), &sealed)?;
            Ok((token, version))
        })
        .transpose()
    }

    /// Stores the token that Entra gave in exchange for the token with `expected_version`. Returns
    /// false and stores nothing when another process was faster, or when the customer was
    /// disconnected.
    pub async fn rotate_token(
        &mut self,
        access: &CustomerAccess,
        token: &SecretString,
        expected_version: i64,
    ) -> Result<bool> {
        let (partner, customer) = self.reads(access)?;
        replace(self, partner, customer, token, expected_version).await
    }

    /// Records that Microsoft answered. Returns true when the connection was broken before.
    pub async fn connection_ok(&mut self, access: &CustomerAccess, now: Timestamp) -> Result<bool> {
        let (partner, customer) = self.reads(access)?;
        let broken: Option<bool> = sqlx::query_scalar(
            "with before as (
                 select customer_id, problem is not null as broken from connections
                 where partner_id = $1 and customer_id = $2 and disconnected_at is null
                   and (problem is not null or last_success_at is null or last_success_at <= $4)
                 for update)
             update connections c set problem = null, last_success_at = $3
             from before where c.customer_id = before.customer_id
             returning before.broken",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .bind(moment(now.plus_millis(-NOTED_EVERY)))
        .fetch_optional(self.conn())
        .await?;
        Ok(broken.unwrap_or_default())
    }

    /// Records why the connection does not work. Returns true when the problem is new.
    pub async fn connection_broken(
        &mut self,
        access: &CustomerAccess,
        problem: &Problem,
    ) -> Result<bool> {
        let (partner, customer) = self.reads(access)?;
        let changed = sqlx::query(
            "update connections set problem = $3
             where partner_id = $1 and customer_id = $2 and disconnected_at is null
               and problem ->> 'key' is distinct from $3 ->> 'key'",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(clean::to_json(problem)?)
        .execute(self.conn())
        .await?;
        Ok(changed.rows_affected() == 1)
    }

    /// Stores a note about the connection until the next consent.
    pub async fn note_on_connection(
        &mut self,
        access: &CustomerAccess,
        note: &Problem,
    ) -> Result<()> {
        let (partner, customer) = self.changes(access)?;
        sqlx::query("update connections set note = $3 where partner_id = $1 and customer_id = $2")
            .bind(partner.0)
            .bind(customer.0)
            .bind(clean::to_json(note)?)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Locks the connection until the transaction ends.
    pub async fn hold_connection(&mut self, access: &CustomerAccess) -> Result<()> {
        let (partner, customer) = self.changes(access)?;
        sqlx::query(
            "select 1 from connections where partner_id = $1 and customer_id = $2 for update",
        )
        .bind(partner.0)
        .bind(customer.0)
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// Deletes the token. Returns false when the customer was not connected.
    pub async fn disconnect(&mut self, access: &CustomerAccess, now: Timestamp) -> Result<bool> {
        let (partner, customer) = self.changes(access)?;
        let changed = sqlx::query(
            "update connections set refresh_token = null, key_id = null, problem = null, note = null,
                    disconnected_at = $3, token_version = token_version + 1
             where partner_id = $1 and customer_id = $2 and disconnected_at is null",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(changed.rows_affected() == 1)
    }
}

async fn replace(
    tx: &mut Tx,
    partner: PartnerId,
    customer: CustomerId,
    token: &SecretString,
    expected_version: i64,
) -> Result<bool> {
    let sealed = tx.vault.seal(place(partner, &customer.0), token)?;
    let key = tx.vault.newest().to_owned();
    let changed = sqlx::query(
        "update connections set refresh_token = $4, key_id = $5, token_version = $3 + 1
         where partner_id = $1 and customer_id = $2 and token_version = $3
           and disconnected_at is null",
    )
    .bind(partner.0)
    .bind(customer.0)
    .bind(expected_version)
    .bind(sealed)
    .bind(key)
    .execute(tx.conn())
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Encrypts again, with the newest key, the partner's tokens that another key sealed. Returns how
/// many.
pub(crate) async fn reseal(tx: &mut Tx) -> Result<u64> {
    let partner = tx.partner();
    let newest = tx.vault.newest().to_owned();
    let rows: Vec<(Uuid, Vec<u8>, i64)> = sqlx::query_as(
        "select customer_id, refresh_token, token_version from connections
         where partner_id = $1 and refresh_token is not null
           -- Version 1 was sealed with the master key itself.
           and (key_id is distinct from $2 or get_byte(refresh_token, 0) = 1)
         order by customer_id for update",
    )
    .bind(partner.0)
    .bind(newest)
    .fetch_all(tx.conn())
    .await?;
    let mut done = 0;
    for (customer, sealed, version) in rows {
        let token = match tx.vault.open(place(partner, &customer), &sealed) {
            Ok(token) => token,
            // The token's key left the ring too early. The other tokens can still be saved.
            Err(error) => {
                tracing::warn!(%customer, %error, "a refresh token cannot be opened");
                continue;
            }
        };
        if replace(tx, partner, CustomerId(customer), &token, version).await? {
            done += 1;
        }
    }
    Ok(done)
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
