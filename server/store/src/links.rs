//! One-time links with which a customer's own admin consents.

use domain::{
    Timestamp,
    id::{CustomerId, OperatorId, PartnerId},
};
use uuid::Uuid;

use crate::{
    CustomerAccess, Result, Store, Tx,
    clean::moment,
    sign_ins::{hex, sha256},
};

impl Tx {
    /// Keeps a link; of its random part only the hash.
    pub async fn make_link(
        &mut self,
        access: &CustomerAccess,
        token: &str,
        made_by: OperatorId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<()> {
        let (partner, customer) = self.changes(access)?;
        sqlx::query(
            "insert into links (token_hash, partner_id, customer_id, made_by, made_at, expires_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(sha256(token).as_slice())
        .bind(partner.0)
        .bind(customer.0)
        .bind(made_by.0)
        .bind(moment(now))
        .bind(moment(expires))
        .execute(self.conn())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Uses a link up and says whose it is; none when it was used, is too old, or never was. It is
    /// used with the transaction that comes with it, which carries its partner: dropping that
    /// leaves the link as it was.
    pub async fn take_link(&self, token: &str, now: Timestamp) -> Result<Option<(Tx, CustomerId)>> {
        let hash = sha256(token);
        let mut tx = self.begin_with_key("link", &hex(&hash)).await?;
        let row: Option<(Uuid, Uuid)> = sqlx::query_as(
            "update links set used_at = $2
             where token_hash = $1 and used_at is null and voided_at is null and expires_at > $2
             returning partner_id, customer_id",
        )
        .bind(hash.as_slice())
        .bind(moment(now))
        .fetch_optional(&mut *tx)
        .await?;
        match row {
            Some((partner, customer)) => {
                let tx = self.carry_on(tx, PartnerId(partner)).await?;
                Ok(Some((tx, CustomerId(customer))))
            }
            None => Ok(None),
        }
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
