//! Ends a person's authority. No other place does so.

use domain::{
    Problem, Timestamp,
    history::EventKind,
    id::{CustomerId, OperatorId},
    person::{Actor, Right, Role},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    NewEvent, Result, Tx,
    clean::{self, moment},
    notices,
};

/// What was removed together with a person's authority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityEnded {
    pub sessions: i64,
    /// Started round trips to Entra.
    pub attempts: u64,
    /// Consent invitations for customers' admins.
    pub links: u64,
    /// Customers in which Postern acted with this person's own account.
    pub customers: Vec<CustomerId>,
}

impl Tx {
    /// Removes what the person's new role no longer allows. A person without a role, or with a role
    /// that may not change anything, loses the links, the attempts and the own account with which
    /// Postern acts in customers. A person without a role loses the sessions too. `problem` becomes
    /// the problem of the affected connections.
    ///
    /// Other processes are notified on commit: they end the person's streams and refetch pages. The
    /// partner's history records what ended and `by` whom.
    pub async fn end_authority(
        &mut self,
        person: OperatorId,
        role: Option<Role>,
        problem: &Problem,
        by: &Actor,
        now: Timestamp,
    ) -> Result<AuthorityEnded> {
        let ended = self.end_all_of(person, role, problem, now).await?;
        if ended != AuthorityEnded::default() {
            let upn = self.operator(person).await?.map(|person| person.upn);
            self.append_own(&NewEvent {
                at: now,
                actor: by.clone(),
                kind: EventKind::AuthorityEnded,
                setup: None,
                what: format!(
                    "{}: {}",
                    upn.as_deref().unwrap_or("Somebody"),
                    problem.happened
                ),
                before: None,
                after: Some(json!({
                    "person": person, "upn": upn, "sessions": ended.sessions,
                    "attempts": ended.attempts, "links": ended.links,
                    "customers": ended.customers,
                })),
                requests: Vec::new(),
            })
            .await?;
        }
        Ok(ended)
    }

    async fn end_all_of(
        &mut self,
        person: OperatorId,
        role: Option<Role>,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<AuthorityEnded> {
        let mut ended = AuthorityEnded::default();
        if role.is_none() {
            ended.sessions = self.end_all_sessions(person).await?;
        } else {
            notices::authority_changed(self, person).await?;
        }
        if role.is_some_and(|role| role.may(Right::Change)) {
            return Ok(ended);
        }
        ended.attempts = self.end_attempts(person).await?;
        ended.links = self.void_links_of_operator(person, now).await?;
        ended.customers = self.end_own_account(person, problem).await?;
        Ok(ended)
    }

    /// Deletes the round trips to Entra that an operator has started for customers.
    pub async fn end_attempts(&mut self, operator: OperatorId) -> Result<u64> {
        let partner = self.partner();
        let gone = sqlx::query("delete from sign_ins where partner_id = $1 and operator_id = $2")
            .bind(partner.0)
            .bind(operator.0)
            .execute(self.conn())
            .await?;
        Ok(gone.rows_affected())
    }

    /// Deletes the tokens of GDAP connections that belong to this person's own account. A guest of
    /// the customer has an object id of its own there (MICROSOFT.md §6.3).
    async fn end_own_account(
        &mut self,
        operator: OperatorId,
        problem: &Problem,
    ) -> Result<Vec<CustomerId>> {
        let partner = self.partner();
        let customers: Vec<Uuid> = sqlx::query_scalar(
            "update connections c
             set refresh_token = null, key_id = null, problem = $3,
                 token_version = c.token_version + 1
             from operators o
             where c.partner_id = $1 and o.partner_id = $1 and o.id = $2
               and c.way = 'gdap' and c.disconnected_at is null
               and (c.operator_id = o.id or c.account_oid = o.oid
                    or lower(c.account_upn) = lower(o.upn))
               and c.refresh_token is not null
             returning c.customer_id",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(clean::to_json(problem)?)
        .fetch_all(self.conn())
        .await?;
        let customers: Vec<CustomerId> = customers.into_iter().map(CustomerId).collect();
        for customer in &customers {
            notices::account_ended(self, *customer).await?;
        }
        Ok(customers)
    }

    /// Revokes the unused links that an operator made. Returns how many. A person who is on the way
    /// back from Entra with such a link gets an error there.
    pub async fn void_links_of_operator(
        &mut self,
        operator: OperatorId,
        now: Timestamp,
    ) -> Result<u64> {
        let partner = self.partner();
        let gone = sqlx::query(
            "update links set voided_at = $3, voided_why = 'role'
             where partner_id = $1 and made_by = $2 and used_at is null and voided_at is null",
        )
        .bind(partner.0)
        .bind(operator.0)
        .bind(moment(now))
        .execute(self.conn())
        .await?;
        Ok(gone.rows_affected())
    }
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
