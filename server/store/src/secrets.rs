//! Client secrets of applications, from when they are entered until the proof ends.

use chrono::{DateTime, Utc};
use domain::{
    Problem, Timestamp,
    id::{PartnerId, SetupId},
    secret::ClientSecret,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{CustomerAccess, Error, KeyUse, Place, Result, Tx, clean::moment};

fn place(partner: PartnerId, setup: &SetupId) -> Place<'_> {
    Place {
        key_use: KeyUse::ClientSecrets,
        table: "secrets",
        column: "sealed",
        partner: Some(partner),
        row: setup.0.as_bytes(),
    }
}

impl Tx {
    /// Stores the secret for a setup of this customer until `expires`. An earlier secret is
    /// replaced.
    pub async fn put_secret(
        &mut self,
        access: &CustomerAccess,
        setup: SetupId,
        secret: &ClientSecret,
        expires: Timestamp,
    ) -> Result<()> {
        let (partner, customer) = self.changes(access)?;
        let sealed = self
            .vault
            .seal(place(partner, &setup), &SecretString::from(secret.expose()))?;
        let given = sqlx::query(
            "update setups set secret_given = true
             where partner_id = $1 and customer_id = $2 and id = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(setup.0)
        .execute(self.conn())
        .await?;
        if given.rows_affected() == 0 {
            return Err(Error::NotFound);
        }
        sqlx::query(
            "insert into secrets (setup_id, partner_id, sealed, expires_at) values ($1, $2, $3, $4)
             on conflict (setup_id) do update
                 set sealed = excluded.sealed, expires_at = excluded.expires_at",
        )
        .bind(setup.0)
        .bind(partner.0)
        .bind(sealed)
        .bind(moment(expires))
        .execute(self.conn())
        .await?;
        self.touch_setup(access, setup).await
    }

    /// The secret and its expiry time. None when it has expired.
    pub async fn secret(
        &mut self,
        access: &CustomerAccess,
        setup: SetupId,
        now: Timestamp,
    ) -> Result<Option<(ClientSecret, Timestamp)>> {
        let (partner, customer) = self.changes(access)?;
        let found: Option<(Vec<u8>, DateTime<Utc>)> = sqlx::query_as(
            "select c.sealed, c.expires_at
             from secrets c join setups s on s.partner_id = c.partner_id and s.id = c.setup_id
             where s.partner_id = $1 and s.customer_id = $2 and s.id = $3 and c.expires_at > $4",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(setup.0)
        .bind(moment(now))
        .fetch_optional(self.conn())
        .await?;
        found
            .map(|(sealed, expires)| {
                let opened = self.vault.open(place(partner, &setup), &sealed)?;
                let secret = ClientSecret::parse(opened.expose_secret())
                    .map_err(|Problem { happened, .. }| Error::corrupt(happened))?;
                Ok((secret, expires.into()))
            })
            .transpose()
    }

    /// Deletes the secret. Returns false when there was none.
    pub async fn forget_secret(&mut self, access: &CustomerAccess, setup: SetupId) -> Result<bool> {
        let (partner, customer) = self.changes(access)?;
        let gone = sqlx::query(
            "delete from secrets c using setups s
             where s.partner_id = c.partner_id and s.id = c.setup_id
               and s.partner_id = $1 and s.customer_id = $2 and s.id = $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(setup.0)
        .execute(self.conn())
        .await?
        .rows_affected();
        if gone > 0 {
            self.touch_setup(access, setup).await?;
        }
        Ok(gone > 0)
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
