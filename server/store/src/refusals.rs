//! Whether a history already records a refusal. A person without an account can be refused without
//! end.

use domain::{
    Timestamp,
    id::{LinkId, ObjectId},
};

use crate::{CustomerAccess, Result, Tx, clean::moment};

impl Tx {
    /// Whether the history records a refused consent by this link after `since`. The caller must
    /// hold the link's lock ([`Tx::link`]), so that no other transaction records it at the same
    /// time.
    pub async fn refused_by_link(
        &mut self,
        access: &CustomerAccess,
        link: LinkId,
        since: Timestamp,
    ) -> Result<bool> {
        let (_, customer) = self.reads(access)?;
        Ok(sqlx::query_scalar(
            "select exists (select from events
                            where customer_id = $1 and kind = 'consent.refused' and at > $2
                              and after ->> 'link' = $3)",
        )
        .bind(customer.0)
        .bind(moment(since))
        .bind(link.to_string())
        .fetch_one(self.conn())
        .await?)
    }

    /// Whether the history records a refused sign-in of this account after `since`. Locks the
    /// partner's own history.
    pub async fn refused_to_sign_in(
        &mut self,
        account: ObjectId,
        since: Timestamp,
    ) -> Result<bool> {
        self.lock_own().await?;
        let partner = self.partner();
        Ok(sqlx::query_scalar(
            "select exists (select from partner_events
                            where partner_id = $1 and actor_key = $2 and kind = 'sign_in.refused'
                              and at > $3)",
        )
        .bind(partner.0)
        .bind(account.to_string())
        .bind(moment(since))
        .fetch_one(self.conn())
        .await?)
    }
}
