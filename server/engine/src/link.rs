//! Invitations: one-time links with which a customer's own admin consents.
//!
//! Only a consent that was stored uses an invitation up. Opening it does not, going to Microsoft
//! does not, and neither does a person who may not consent.

use domain::{
    Problem, Timestamp,
    connection::Way,
    history::EventKind,
    id::{CustomerId, LinkId},
    invitation::{Invitation, InvitationState, InvitationTold, PartnerName, unusable},
    person::{Actor, Operator, Right},
};
use store::{CustomerAccess, Link, Tx, Voided};

use store::NewEvent;

use crate::{
    Answer, Engine, Failure,
    connect::Ask,
    connection::{event, of_customer},
};

/// Another visit to Microsoft within this time gets no event. Milliseconds.
const ASKED_AGAIN: i64 = 3_600_000;

/// Maximum length of a link's random part, with a margin. A longer text is no link.
const LONGEST_TOKEN: usize = 200;

impl Engine {
    /// Makes a link for the customer's admin. The link is shown once; only its hash is stored.
    pub async fn make_link(&self, operator: &Operator, customer: CustomerId) -> Answer<String> {
        let now = self.now();
        let until = now.plus_millis(self.inner.invitations.lives);
        let token = crate::sign_in::fresh_attempt().state;
        let make = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.lock_own().await?;
            tx.make_link(&access, &token, operator.id, now, until)
                .await?;
            let said = format!(
                "A link for the customer's admin was made, good until {}.",
                until.long()
            );
            let made = event(now, operator.into(), EventKind::LinkMade, said);
            tx.append(&access, &made).await?;
            let what = format!(
                "A link for the admin of {} was made, good until {}.",
                access.record().name,
                until.long()
            );
            tx.append_own(&of_customer(&access, NewEvent { what, ..made }))
                .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        make.await.map_err(Problem::from)?;
        Ok(format!("{}/join/{token}", self.inner.public_url))
    }

    /// Revokes a link that nobody has used.
    pub async fn revoke_link(
        &self,
        operator: &Operator,
        customer: CustomerId,
        link: LinkId,
    ) -> Answer<()> {
        let now = self.now();
        let revoke = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Change).await?;
            tx.lock_own().await?;
            let Some(known) = tx.link(&access, link).await? else {
                return Err(Problem::not_found().into());
            };
            // The button was pressed twice, or the link was used in between. The page then shows
            // the link's state.
            if tx.revoke_link(&access, link, now).await? {
                let said = format!(
                    "The link for the customer's admin of {} was revoked.",
                    known.made.long()
                );
                let revoked = event(now, operator.into(), EventKind::LinkRevoked, said);
                tx.append(&access, &revoked).await?;
                let what = format!(
                    "The link of {} for the admin of {} was revoked.",
                    known.made.long(),
                    access.record().name
                );
                tx.append_own(&of_customer(&access, NewEvent { what, ..revoked }))
                    .await?;
            }
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        revoke.await.map_err(Problem::from)
    }

    /// Who invites with a link, and whether it is still good. The link is not used up.
    pub async fn invitation(&self, token: &str) -> Answer<Invitation> {
        let now = self.now();
        let read = async {
            let Some((mut tx, link)) = self.peek(token).await? else {
                return Ok(Invitation {
                    state: InvitationState::Unknown,
                    told: None,
                });
            };
            let access = tx.for_system(link.customer).await?;
            let state = self.state_of(&mut tx, &link, now).await?;
            let told = self.told(&mut tx, &access, &link).await?;
            Ok::<_, Failure>(Invitation { state, told })
        };
        read.await.map_err(Problem::from)
    }

    /// Gives the address at the customer's authority. The link is not used up.
    pub async fn join_link(&self, token: &str, browser: &str) -> Answer<String> {
        let now = self.now();
        let join = async {
            let Some((mut tx, link)) = self.peek(token).await? else {
                return Err(unusable(InvitationState::Unknown).into());
            };
            let state = self.state_of(&mut tx, &link, now).await?;
            if state != InvitationState::Open {
                return Err(unusable(state).into());
            }
            let access = tx.for_system(link.customer).await?;
            tx.note_link_asked(&access, link.id, now).await?;
            let again = link
                .asked
                .is_some_and(|at| now.millis_since(at) < ASKED_AGAIN);
            let ask = Ask {
                actor: Actor::System,
                way: Way::Link,
                home: None,
                return_to: None,
                link: Some(link.id),
                replaces: false,
                quiet: again,
            };
            let url = self.ask(&mut tx, &access, ask, browser).await?;
            tx.commit().await?;
            Ok::<_, Failure>(url)
        };
        join.await.map_err(Problem::from)
    }

    async fn peek(&self, token: &str) -> Result<Option<(Tx, Link)>, Failure> {
        if token.is_empty() || token.len() > LONGEST_TOKEN {
            return Ok(None);
        }
        Ok(self.store().peek_link(token).await?)
    }

    /// The state of a link now. The operator who made it must still have the right.
    pub(crate) async fn state_of(
        &self,
        tx: &mut Tx,
        link: &Link,
        now: Timestamp,
    ) -> Result<InvitationState, Failure> {
        if link.used.is_some() {
            return Ok(InvitationState::Used);
        }
        if let Some((_, why)) = link.voided {
            return Ok(match why {
                Voided::Revoked => InvitationState::Revoked,
                Voided::Disconnected => InvitationState::Disconnected,
                Voided::Role => InvitationState::Role,
            });
        }
        let home = tx.partner_home().await?;
        let maker = tx.operator(link.made_by).await?;
        let may = maker
            .and_then(|maker| maker.role)
            .is_some_and(|role| role.may(Right::Change));
        if !may || !self.inner.partner_tenants.contains(&home) {
            return Ok(InvitationState::Role);
        }
        Ok(if link.until <= now {
            InvitationState::Expired
        } else {
            InvitationState::Open
        })
    }

    async fn told(
        &self,
        tx: &mut Tx,
        access: &CustomerAccess,
        link: &Link,
    ) -> Result<Option<InvitationTold>, Failure> {
        let Some(maker) = tx.operator(link.made_by).await? else {
            return Ok(None);
        };
        let record = access.record();
        Ok(Some(InvitationTold {
            partner: self.partner_named(tx).await?,
            customer: record.name.clone(),
            customer_domain: record.domain.clone(),
            maker: maker.name,
            maker_upn: maker.upn,
            made: link.made,
            until: link.until,
        }))
    }

    /// The name of the transaction's partner.
    pub(crate) async fn partner_named(&self, tx: &mut Tx) -> Result<PartnerName, Failure> {
        let home = tx.partner_home().await?;
        Ok(PartnerName {
            name: self.inner.invitations.partner_names.get(&home).cloned(),
            domain: tx.partner_name().await?,
        })
    }
}
