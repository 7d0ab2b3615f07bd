//! Partners and operators.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    history::EventKind,
    id::{ObjectId, OperatorId, PartnerId, TenantId},
    person::{Actor, Operator, Right, Role},
    view::PersonRow,
};
use serde_json::json;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    AccessError, Error, NewEvent, Result, Store, Tx,
    clean::{self, moment},
};

#[derive(FromRow)]
struct OperatorRow {
    id: Uuid,
    partner_id: Uuid,
    tid: Uuid,
    oid: Uuid,
    name: String,
    upn: String,
    role: Option<String>,
}

impl OperatorRow {
    fn operator(self) -> Result<Operator> {
        Ok(Operator {
            id: OperatorId(self.id),
            partner: PartnerId(self.partner_id),
            tenant: TenantId(self.tid),
            object: ObjectId(self.oid),
            name: self.name,
            upn: self.upn,
            role: role(self.role)?,
        })
    }
}

fn role(text: Option<String>) -> Result<Option<Role>> {
    text.map(|text| clean::word("operators.role", &text, |text| text.parse().ok()))
        .transpose()
}

/// A person for whom Entra vouched.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    pub home: TenantId,
    pub object: ObjectId,
    pub name: &'a str,
    pub upn: &'a str,
    /// The person is a guest of the partner's tenant.
    pub guest: bool,
    /// The settings name this person as the owner of a partner that has none.
    pub first_owner: bool,
    /// The name for a new partner.
    pub partner_name: &'a str,
}

impl Store {
    /// The operator for a sign-in that Entra vouched for. The first sign-in creates the operator.
    ///
    /// The partner is created when its first person signs in. Being first gives no role: the person
    /// whom the settings name becomes owner as long as there is none, and everybody else waits for
    /// a role.
    pub async fn sign_in(&self, who: &SignedIn<'_>, now: Timestamp) -> Result<Operator> {
        let mut tx = self
            .begin_with_key("home_tid", &who.home.to_string())
            .await?;
        sqlx::query(
            "insert into partners (id, home_tid, name, created_at) values ($1, $2, $3, $4)
             on conflict (home_tid) do nothing",
        )
        .bind(Uuid::new_v4())
        .bind(who.home.0)
        .bind(clean::name(who.partner_name))
        .bind(moment(now))
        .execute(&mut *tx)
        .await?;
        // The lock makes sign-ins of a partner wait for each other, so that two sign-ins make only
        // one owner.
        let partner: Uuid =
            sqlx::query_scalar("select id from partners where home_tid = $1 for update")
                .bind(who.home.0)
                .fetch_one(&mut *tx)
                .await?;
        let mut tx = self.carry_on(tx, PartnerId(partner)).await?;
        let row: SignedInRow = sqlx::query_as(
            "with owner as (
                 select case when $8 and not exists (select from operators where role = 'owner')
                             then 'owner' end as role),
             before as (
                 select role, guest from operators where tid = $3 and oid = $4)
             insert into operators
                 (id, partner_id, tid, oid, name, upn, role, guest, created_at, last_seen_at)
             values ($1, $2, $3, $4, $5, $6, (select role from owner), $9, $7, $7)
             on conflict (tid, oid) do update set
                 name = excluded.name, upn = excluded.upn, guest = excluded.guest,
                 last_seen_at = excluded.last_seen_at,
                 role = coalesce((select role from owner), operators.role)
             returning id, partner_id, tid, oid, name, upn, role,
                 not exists (select from before) as first,
                 (select role from before) as role_before",
        )
        .bind(Uuid::new_v4())
        .bind(partner)
        .bind(who.home.0)
        .bind(who.object.0)
        .bind(clean::name(who.name))
        .bind(clean::text(who.upn))
        .bind(moment(now))
        .bind(who.first_owner)
        .bind(who.guest)
        .fetch_one(tx.conn())
        .await?;
        let SignedInRow {
            operator,
            first,
            role_before,
        } = row;
        let operator = operator.operator()?;
        tx.note_sign_in(&operator, first, role(role_before)?, who.guest, now)
            .await?;
        tx.commit().await?;
        Ok(operator)
    }
}

#[derive(FromRow)]
struct SignedInRow {
    #[sqlx(flatten)]
    operator: OperatorRow,
    /// No one signed in with this account before.
    first: bool,
    role_before: Option<String>,
}

impl Tx {
    /// Records in the partner's history who signed in for the first time, and whom the settings
    /// made owner.
    async fn note_sign_in(
        &mut self,
        operator: &Operator,
        first: bool,
        before: Option<Role>,
        guest: bool,
        now: Timestamp,
    ) -> Result<()> {
        let entry = |kind, what: String| NewEvent {
            at: now,
            actor: operator.into(),
            kind,
            setup: None,
            what,
            before: None,
            after: None,
            requests: Vec::new(),
        };
        if first {
            let what = format!("{} signed in for the first time.", operator.upn);
            self.append_own(&NewEvent {
                after: Some(json!({ "guest": guest })),
                ..entry(EventKind::FirstSignIn, what)
            })
            .await?;
        }
        if operator.role != before {
            let what = format!(
                "{} became an owner: the settings name this account, and there was no owner.",
                operator.upn
            );
            self.append_own(&NewEvent {
                actor: Actor::System,
                before: Some(json!({ "role": before })),
                after: Some(
                    json!({ "role": operator.role, "person": operator.id, "upn": operator.upn }),
                ),
                ..entry(EventKind::RoleGiven, what)
            })
            .await?;
        }
        Ok(())
    }
}

#[derive(FromRow)]
struct PersonRecord {
    id: Uuid,
    name: String,
    upn: String,
    role: Option<String>,
    guest: bool,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
}

impl Tx {
    /// The partner's name.
    pub async fn partner_name(&mut self) -> Result<String> {
        let partner = self.partner();
        Ok(
            sqlx::query_scalar("select name from partners where id = $1")
                .bind(partner.0)
                .fetch_one(self.conn())
                .await?,
        )
    }

    /// The partner's home tenant, to which its operators belong.
    pub async fn partner_home(&mut self) -> Result<TenantId> {
        let partner = self.partner();
        Ok(TenantId(
            sqlx::query_scalar("select home_tid from partners where id = $1")
                .bind(partner.0)
                .fetch_one(self.conn())
                .await?,
        ))
    }

    /// The partner's people who were guests of its tenant when they last signed in.
    pub async fn guests(&mut self) -> Result<Vec<OperatorId>> {
        let partner = self.partner();
        let found: Vec<Uuid> = sqlx::query_scalar(
            "select id from operators where partner_id = $1 and guest order by id",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        Ok(found.into_iter().map(OperatorId).collect())
    }

    /// An operator of this partner.
    pub async fn operator(&mut self, id: OperatorId) -> Result<Option<Operator>> {
        let partner = self.partner();
        let row: Option<OperatorRow> = sqlx::query_as(
            "select id, partner_id, tid, oid, name, upn, role from operators
             where partner_id = $1 and id = $2",
        )
        .bind(partner.0)
        .bind(id.0)
        .fetch_optional(self.conn())
        .await?;
        row.map(OperatorRow::operator).transpose()
    }

    /// Whether an operator's current role in the database carries a right. The role is locked until
    /// this transaction ends, so that the operator still has the right for all that it writes.
    pub async fn may_still(
        &mut self,
        operator: OperatorId,
        right: Right,
    ) -> Result<(), AccessError> {
        let partner = self.partner();
        let found: Option<Option<String>> = sqlx::query_scalar(
            "select role from operators where partner_id = $1 and id = $2 for share",
        )
        .bind(partner.0)
        .bind(operator.0)
        .fetch_optional(self.conn())
        .await
        .map_err(Error::from)?;
        match role(found.flatten())? {
            None => Err(AccessError::NoRole),
            Some(role) if role.may(right) => Ok(()),
            Some(_) => Err(AccessError::Forbidden),
        }
    }

    /// Everybody of the partner who ever signed in, by name. `me` is marked.
    pub async fn people(&mut self, me: OperatorId) -> Result<Vec<PersonRow>> {
        let partner = self.partner();
        let rows: Vec<PersonRecord> = sqlx::query_as(
            "select id, name, upn, role, guest, created_at, last_seen_at from operators
             where partner_id = $1 order by lower(name), id",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        let mut sessions = self.sessions_of_everybody().await?;
        rows.into_iter()
            .map(|row| {
                Ok(PersonRow {
                    guest: row.guest,
                    sessions: sessions.remove(&row.id).unwrap_or_default(),
                    id: OperatorId(row.id),
                    name: row.name,
                    upn: row.upn,
                    role: role(row.role)?,
                    first_seen: row.created_at.into(),
                    last_seen: row.last_seen_at.into(),
                    me: row.id == me.0,
                })
            })
            .collect()
    }

    /// The partner's owners. The set of owners is locked until this transaction ends.
    pub async fn owners(&mut self) -> Result<Vec<OperatorId>> {
        let partner = self.partner();
        // The rows are locked in one order, so that two owners who remove each other's role do not
        // both succeed.
        let owners: Vec<Uuid> = sqlx::query_scalar(
            "select id from operators where partner_id = $1 and role = 'owner'
             order by id for update",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        Ok(owners.into_iter().map(OperatorId).collect())
    }

    /// Sets a role, or removes it with `None`. Returns the role before. The last owner cannot lose
    /// the role ([`Error::Conflict`]).
    pub async fn set_role(
        &mut self,
        person: OperatorId,
        role: Option<Role>,
    ) -> Result<Option<Role>> {
        let partner = self.partner();
        let owners = self.owners().await?;
        if role != Some(Role::Owner) && owners == [person] {
            return Err(Error::conflict(
                "This is the last owner. Make somebody else an owner first.",
            ));
        }
        let before: Option<Option<String>> = sqlx::query_scalar(
            "with before as (
                 select id, role from operators where partner_id = $1 and id = $2 for update)
             update operators o set role = $3 from before where o.id = before.id
             returning before.role",
        )
        .bind(partner.0)
        .bind(person.0)
        .bind(role.map(Role::as_str))
        .fetch_optional(self.conn())
        .await?;
        self::role(before.ok_or(Error::NotFound)?)
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
