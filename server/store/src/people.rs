//! Partners and operators.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{ObjectId, OperatorId, PartnerId, TenantId},
    person::{Operator, Role},
    view::PersonRow,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Error, Result, Store, Tx,
    clean::{self, moment},
    tx::set,
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

/// Whom Entra vouched for.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    pub home: TenantId,
    pub object: ObjectId,
    pub name: &'a str,
    pub upn: &'a str,
    /// A guest of the partner's tenant.
    pub guest: bool,
    /// The settings name this person as the owner of a partner that has none.
    pub first_owner: bool,
    /// What a new partner is called.
    pub partner_name: &'a str,
}

impl Store {
    /// The operator behind a sign-in that Entra vouched for, made at the first one.
    ///
    /// The partner is made when its first person signs in. Nobody becomes anything by coming
    /// first: whoever the settings name becomes owner as long as there is none, and everybody else
    /// waits for a role.
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
        // The lock makes sign-ins of a partner wait for each other, so that one owner comes of two.
        let partner: Uuid =
            sqlx::query_scalar("select id from partners where home_tid = $1 for update")
                .bind(who.home.0)
                .fetch_one(&mut *tx)
                .await?;
        set(&mut tx, "partner", &partner.to_string()).await?;
        let row: OperatorRow = sqlx::query_as(
            "with owner as (
                 select case when $8 and not exists (select from operators where role = 'owner')
                             then 'owner' end as role)
             insert into operators
                 (id, partner_id, tid, oid, name, upn, role, guest, created_at, last_seen_at)
             values ($1, $2, $3, $4, $5, $6, (select role from owner), $9, $7, $7)
             on conflict (tid, oid) do update set
                 name = excluded.name, upn = excluded.upn, guest = excluded.guest,
                 last_seen_at = excluded.last_seen_at,
                 role = coalesce((select role from owner), operators.role)
             returning id, partner_id, tid, oid, name, upn, role",
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
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        row.operator()
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

    /// The tenant whose people the partner's operators are.
    pub async fn partner_home(&mut self) -> Result<TenantId> {
        let partner = self.partner();
        Ok(TenantId(
            sqlx::query_scalar("select home_tid from partners where id = $1")
                .bind(partner.0)
                .fetch_one(self.conn())
                .await?,
        ))
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

    /// Gives a role, or takes it with `None`. The last owner stays one ([`Error::Conflict`]).
    pub async fn set_role(&mut self, person: OperatorId, role: Option<Role>) -> Result<()> {
        let partner = self.partner();
        // Locked in one order, so that two owners who take each other's role do not both succeed.
        let owners: Vec<Uuid> = sqlx::query_scalar(
            "select id from operators where partner_id = $1 and role = 'owner'
             order by id for update",
        )
        .bind(partner.0)
        .fetch_all(self.conn())
        .await?;
        if role != Some(Role::Owner) && owners == [person.0] {
            return Err(Error::conflict(
                "This is the last owner. Make somebody else an owner first.",
            ));
        }
        let changed =
            sqlx::query("update operators set role = $3 where partner_id = $1 and id = $2")
                .bind(partner.0)
                .bind(person.0)
                .bind(role.map(Role::as_str))
                .execute(self.conn())
                .await?;
        if changed.rows_affected() == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
