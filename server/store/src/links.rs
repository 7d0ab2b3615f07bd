//! One-time links (invitations) with which a customer's own admin consents.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{CustomerId, LinkId, OperatorId, PartnerId},
    invitation::InvitationRow,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    CustomerAccess, Result, Store, Tx,
    clean::{self, moment},
    sign_ins::{hex, sha256},
};

/// Why a link was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voided {
    /// An operator revoked it.
    Revoked,
    /// The customer was disconnected.
    Disconnected,
    /// The operator who made the link may no longer make links.
    Role,
}

impl Voided {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Disconnected => "disconnected",
            Self::Role => "role",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Revoked, Self::Disconnected, Self::Role]
            .into_iter()
            .find(|why| why.as_str() == text)
    }
}

/// A link and its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    pub customer: CustomerId,
    pub made_by: OperatorId,
    pub made: Timestamp,
    pub until: Timestamp,
    /// When somebody last used the link to go to Microsoft.
    pub asked: Option<Timestamp>,
    /// When a consent by this link was stored.
    pub used: Option<Timestamp>,
    pub voided: Option<(Timestamp, Voided)>,
}

impl Link {
    /// Whether the link is neither used nor revoked. This does not check whether it has expired.
    pub fn stands(&self) -> bool {
        self.used.is_none() && self.voided.is_none()
    }
}

const COLUMNS: &str = "partner_id, id, customer_id, made_by, made_at, expires_at, asked_at, \
                       used_at, voided_at, voided_why";

#[derive(FromRow)]
struct LinkRecord {
    partner_id: Uuid,
    id: Uuid,
    customer_id: Uuid,
    made_by: Uuid,
    made_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    asked_at: Option<DateTime<Utc>>,
    used_at: Option<DateTime<Utc>>,
    voided_at: Option<DateTime<Utc>>,
    voided_why: Option<String>,
}

impl LinkRecord {
    fn link(self) -> Result<Link> {
        let why = self
            .voided_why
            .map(|why| clean::word("links.voided_why", &why, Voided::parse))
            .transpose()?;
        Ok(Link {
            id: LinkId(self.id),
            customer: CustomerId(self.customer_id),
            made_by: OperatorId(self.made_by),
            made: self.made_at.into(),
            until: self.expires_at.into(),
            asked: self.asked_at.map(Timestamp::from),
            used: self.used_at.map(Timestamp::from),
            voided: self.voided_at.map(Timestamp::from).zip(why),
        })
    }
}

#[derive(FromRow)]
struct OpenLink {
    id: Uuid,
    name: String,
    upn: String,
    made_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    asked_at: Option<DateTime<Utc>>,
    refused_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Stores a link. Only the hash of its random part is stored.
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

    /// A link of this customer, locked: other transactions that use or revoke it wait.
    pub async fn link(&mut self, access: &CustomerAccess, id: LinkId) -> Result<Option<Link>> {
        let (partner, customer) = self.changes(access)?;
        let row: Option<LinkRecord> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from links
             where partner_id = $1 and customer_id = $2 and id = $3 for update"
        )))
        .bind(partner.0)
        .bind(customer.0)
        .bind(id.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(LinkRecord::link).transpose()
    }

    /// The links of a customer that can still be used, newest first.
    pub async fn open_links(
        &mut self,
        access: &CustomerAccess,
        now: Timestamp,
    ) -> Result<Vec<InvitationRow>> {
        let (partner, customer) = self.reads(access)?;
        let rows: Vec<OpenLink> = sqlx::query_as(
            "select l.id, o.name, o.upn, l.made_at, l.expires_at, l.asked_at, l.refused_at
             from links l join operators o on o.partner_id = l.partner_id and o.id = l.made_by
             where l.partner_id = $1 and l.customer_id = $2 and l.used_at is null
               and l.voided_at is null and l.expires_at > $3
             order by l.made_at desc, l.id",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .fetch_all(self.conn())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| InvitationRow {
                id: LinkId(row.id),
                maker: row.name,
                maker_upn: row.upn,
                made: row.made_at.into(),
                until: row.expires_at.into(),
                asked: row.asked_at.map(Timestamp::from),
                refused: row.refused_at.map(Timestamp::from),
            })
            .collect())
    }

    /// Records that somebody goes to Microsoft with a link.
    pub async fn note_link_asked(
        &mut self,
        access: &CustomerAccess,
        id: LinkId,
        now: Timestamp,
    ) -> Result<()> {
        self.on_link(access, id, now, "asked_at = $4, refused_at = null")
            .await?;
        Ok(())
    }

    /// Records that Microsoft sent a person back without a consent. The link can still be used.
    pub async fn note_link_refused(
        &mut self,
        access: &CustomerAccess,
        id: LinkId,
        now: Timestamp,
    ) -> Result<()> {
        self.on_link(access, id, now, "refused_at = $4").await?;
        Ok(())
    }

    /// Marks a link as used, together with the consent stored in the same transaction. Returns
    /// false when the link was already used or revoked.
    pub async fn use_link(
        &mut self,
        access: &CustomerAccess,
        id: LinkId,
        now: Timestamp,
    ) -> Result<bool> {
        self.on_link(access, id, now, "used_at = $4").await
    }

    /// Revokes one link for an operator. Returns false when there was nothing to revoke.
    pub async fn revoke_link(
        &mut self,
        access: &CustomerAccess,
        id: LinkId,
        now: Timestamp,
    ) -> Result<bool> {
        self.on_link(access, id, now, "voided_at = $4, voided_why = 'revoked'")
            .await
    }

    /// Revokes all links of a customer that could still be used. Returns how many.
    pub async fn void_links_of_customer(
        &mut self,
        access: &CustomerAccess,
        now: Timestamp,
    ) -> Result<u64> {
        let (partner, customer) = self.changes(access)?;
        let gone = sqlx::query(
            "update links set voided_at = $3, voided_why = 'disconnected'
             where partner_id = $1 and customer_id = $2 and used_at is null and voided_at is null
               and expires_at > $3",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(gone.rows_affected())
    }

    /// Changes a link that is neither used nor revoked. Returns false when there is no such link.
    async fn on_link(
        &mut self,
        access: &CustomerAccess,
        id: LinkId,
        now: Timestamp,
        set: &'static str,
    ) -> Result<bool> {
        let (partner, customer) = self.changes(access)?;
        let changed = sqlx::query(sqlx::AssertSqlSafe(format!(
            "update links set {set}
             where partner_id = $1 and customer_id = $2 and id = $3
               and used_at is null and voided_at is null"
        )))
        .bind(partner.0)
        .bind(customer.0)
        .bind(id.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(changed.rows_affected() == 1)
    }
}

impl Store {
    /// Reads a link without using it, whatever its state. None when it never existed. The returned
    /// transaction carries the link's partner.
    pub async fn peek_link(&self, token: &str) -> Result<Option<(Tx, Link)>> {
        let hash = sha256(token);
        let mut tx = self.begin_with_key("link", &hex(&hash)).await?;
        let row: Option<LinkRecord> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from links where token_hash = $1"
        )))
        .bind(hash.as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let partner = PartnerId(row.partner_id);
        let link = row.link()?;
        let tx = self.carry_on(tx, partner).await?;
        Ok(Some((tx, link)))
    }
}

#[cfg(test)]
#[path = "links_tests.rs"]
mod tests;
