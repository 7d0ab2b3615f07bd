//! Started round trips to Entra. Each is taken out once, by the browser that started it.

use std::fmt;

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    connection::Way,
    id::{CustomerId, LinkId, OperatorId, PartnerId, TenantId},
};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::{
    Error, KeyUse, Place, Result, Store, Tx, Vault,
    clean::{self, moment},
    tx::set,
};

/// What the round trip is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An operator signs in.
    SignIn,
    /// An admin consents in a customer.
    Connect {
        partner: PartnerId,
        customer: CustomerId,
        /// The tenant that the returning account must belong to.
        expected: TenantId,
        /// None when a person followed a link.
        operator: Option<OperatorId>,
        way: Way,
        /// The invitation that the person followed.
        link: Option<LinkId>,
        /// Whether the new account may replace a working account, whatever rights the new account
        /// has.
        replaces: bool,
    },
}

/// A started round trip.
#[derive(Clone)]
pub struct SignIn {
    pub purpose: Purpose,
    pub nonce: String,
    /// The PKCE verifier; sealed in the database.
    pub verifier: SecretString,
    /// A local path.
    pub return_to: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Without nonce and verifier.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("purpose", &self.purpose)
            .field("return_to", &self.return_to)
            .field("created_at", &self.created_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The result of looking up a returned state.
#[derive(Clone, Debug)]
pub enum TakenSignIn {
    /// The round trip. It is used up now.
    Found(SignIn),
    /// The round trip was started here too long ago. It is used up too.
    Expired { created_at: Timestamp },
    /// Nobody started it, it was used up, or another browser started it. In the last case that
    /// browser can still use it.
    Unknown,
}

/// Round trips that one browser may have open at a time. The oldest is removed.
const OPEN_PER_BROWSER: i64 = 5;

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn place(state_hash: &[u8]) -> Place<'_> {
    Place {
        key_use: KeyUse::Attempts,
        table: "sign_ins",
        column: "pkce_verifier",
        partner: None,
        row: state_hash,
    }
}

#[derive(FromRow)]
struct SignInRow {
    purpose: String,
    nonce: String,
    pkce_verifier: Vec<u8>,
    return_to: String,
    partner_id: Option<Uuid>,
    operator_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    expected_tid: Option<Uuid>,
    way: Option<String>,
    link_id: Option<Uuid>,
    replaces: bool,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl SignInRow {
    fn sign_in(self, vault: &Vault, state_hash: &[u8]) -> Result<SignIn> {
        Ok(SignIn {
            purpose: self.purpose()?,
            nonce: self.nonce,
            verifier: vault.open(place(state_hash), &self.pkce_verifier)?,
            return_to: self.return_to,
            created_at: self.created_at.into(),
            expires_at: self.expires_at.into(),
        })
    }

    fn purpose(&self) -> Result<Purpose> {
        if self.purpose == "sign_in" {
            return Ok(Purpose::SignIn);
        }
        let missing = || Error::corrupt("sign_ins lacks what a consent needs");
        Ok(Purpose::Connect {
            partner: PartnerId(self.partner_id.ok_or_else(missing)?),
            customer: CustomerId(self.customer_id.ok_or_else(missing)?),
            expected: TenantId(self.expected_tid.ok_or_else(missing)?),
            operator: self.operator_id.map(OperatorId),
            way: clean::word(
                "sign_ins.way",
                self.way.as_deref().ok_or_else(missing)?,
                Way::parse,
            )?,
            link: self.link_id.map(LinkId),
            replaces: self.replaces,
        })
    }
}

impl Store {
    /// Stores a round trip under its `state`. `browser` is a secret from the browser's cookie. Only
    /// hashes of both are stored.
    pub async fn put_sign_in(&self, sign_in: &SignIn, state: &str, browser: &str) -> Result<()> {
        let mut tx = self.pool.begin().await?;
        put(&mut tx, &self.vault, sign_in, state, browser).await?;
        Ok(tx.commit().await?)
    }

    /// Takes out what `browser` started under `state`.
    pub async fn take_sign_in(
        &self,
        state: &str,
        browser: &str,
        now: Timestamp,
    ) -> Result<TakenSignIn> {
        let hash = sha256(state);
        let mut tx = self.begin_with_key("state", &hex(&hash)).await?;
        let row: Option<SignInRow> = sqlx::query_as(
            "delete from sign_ins where state_hash = $1 and browser_hash = $2
             returning purpose, nonce, pkce_verifier, return_to, partner_id, operator_id,
                       customer_id, expected_tid, way, link_id, replaces, created_at, expires_at",
        )
        .bind(hash.as_slice())
        .bind(sha256(browser).as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(TakenSignIn::Unknown);
        };
        let sign_in = row.sign_in(&self.vault, &hash)?;
        if now >= sign_in.expires_at {
            return Ok(TakenSignIn::Expired {
                created_at: sign_in.created_at,
            });
        }
        Ok(TakenSignIn::Found(sign_in))
    }
}

impl Tx {
    /// The same as [`Store::put_sign_in`], but part of this transaction.
    pub async fn put_sign_in(
        &mut self,
        sign_in: &SignIn,
        state: &str,
        browser: &str,
    ) -> Result<()> {
        let vault = self.vault.clone();
        put(self.conn(), &vault, sign_in, state, browser).await
    }
}

async fn put(
    connection: &mut PgConnection,
    vault: &Vault,
    sign_in: &SignIn,
    state: &str,
    browser: &str,
) -> Result<()> {
    let hash = sha256(state);
    let browser = sha256(browser);
    set(connection, "state", &hex(&hash)).await?;
    set(connection, "browser", &hex(&browser)).await?;
    // The lock serializes the attempts of one browser. Concurrent transactions would not see each
    // other, and all attempts would stay.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('postern.browser:' || $1, 0))")
        .bind(hex(&browser))
        .execute(&mut *connection)
        .await?;
    let (purpose, partner, operator, customer, expected, way, link, replaces) =
        match sign_in.purpose {
            Purpose::SignIn => ("sign_in", None, None, None, None, None, None, false),
            Purpose::Connect {
                partner,
                customer,
                expected,
                operator,
                way,
                link,
                replaces,
            } => (
                "connect",
                Some(partner.0),
                operator.map(|operator| operator.0),
                Some(customer.0),
                Some(expected.0),
                Some(way.as_str()),
                link.map(|link| link.0),
                replaces,
            ),
        };
    sqlx::query(
        "insert into sign_ins
             (state_hash, browser_hash, purpose, nonce, pkce_verifier, return_to, partner_id,
              operator_id, customer_id, expected_tid, way, created_at, expires_at, link_id, replaces)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(hash.as_slice())
    .bind(browser.as_slice())
    .bind(purpose)
    .bind(&sign_in.nonce)
    .bind(vault.seal(place(&hash), &sign_in.verifier)?)
    .bind(clean::text(&sign_in.return_to))
    .bind(partner)
    .bind(operator)
    .bind(customer)
    .bind(expected)
    .bind(way)
    .bind(moment(sign_in.created_at))
    .bind(moment(sign_in.expires_at))
    .bind(link)
    .bind(replaces)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from sign_ins where state_hash in
             (select state_hash from sign_ins where browser_hash = $1 and state_hash <> $2
              order by created_at desc, state_hash offset $3)",
    )
    .bind(browser.as_slice())
    .bind(hash.as_slice())
    .bind(OPEN_PER_BROWSER - 1)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
#[path = "sign_ins_tests.rs"]
mod tests;
