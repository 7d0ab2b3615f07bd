//! The partner's customers.

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, TenantId},
    person::{Operator, Right},
    view::Counts,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    AccessError, CustomerAccess, CustomerRecord, Result, Tx,
    clean::{self, moment},
};

#[derive(FromRow)]
struct CustomerRow {
    id: Uuid,
    partner_id: Uuid,
    tid: Uuid,
    name: String,
    domain: String,
    created_at: DateTime<Utc>,
}

impl From<CustomerRow> for CustomerRecord {
    fn from(row: CustomerRow) -> Self {
        Self {
            id: CustomerId(row.id),
            partner: PartnerId(row.partner_id),
            tenant: TenantId(row.tid),
            name: row.name,
            domain: row.domain,
            created: row.created_at.into(),
        }
    }
}

impl Tx {
    /// A customer of this partner. The record proves no right: see [`Tx::access`].
    pub async fn customer(&mut self, id: CustomerId) -> Result<Option<CustomerRecord>> {
        let partner = self.partner();
        let row: Option<CustomerRow> = sqlx::query_as(
            "select id, partner_id, tid, name, domain, created_at from customers
             where partner_id = $1 and id = $2",
        )
        .bind(partner.0)
        .bind(id.0)
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(Into::into))
    }

    /// The customer with this tenant. None when the partner does not have it.
    pub async fn customer_by_tenant(&mut self, tenant: TenantId) -> Result<Option<CustomerRecord>> {
        let partner = self.partner();
        let row: Option<CustomerRow> = sqlx::query_as(
            "select id, partner_id, tid, name, domain, created_at from customers
             where partner_id = $1 and tid = $2",
        )
        .bind(partner.0)
        .bind(tenant.0)
        .fetch_optional(self.conn())
        .await?;
        Ok(row.map(Into::into))
    }

    /// Adds a customer for an operator who may change things. An existing customer is loaded
    /// unchanged. Returns true when the customer is new. `domain` also serves as the name until
    /// Microsoft reports a better one.
    pub async fn add_customer(
        &mut self,
        operator: &Operator,
        tenant: TenantId,
        domain: &str,
        now: Timestamp,
    ) -> Result<(CustomerAccess, bool), AccessError> {
        let role = operator.role.ok_or(AccessError::NoRole)?;
        if operator.partner != self.partner() || !role.may(Right::Change) {
            return Err(AccessError::Forbidden);
        }
        let partner = self.partner();
        let added = sqlx::query(
            "insert into customers (id, partner_id, tid, name, domain, created_at)
             values ($1, $2, $3, $4, $4, $5)
             on conflict (partner_id, tid) do nothing",
        )
        .bind(Uuid::new_v4())
        .bind(partner.0)
        .bind(tenant.0)
        .bind(clean::text(domain))
        .bind(moment(now))
        .execute(self.conn())
        .await
        .map_err(crate::Error::from)?
        .rows_affected();
        let record = self
            .customer_by_tenant(tenant)
            .await?
            .ok_or(AccessError::NotFound)?;
        Ok((CustomerAccess::new(record, Right::Change), added == 1))
    }

    /// Stores the customer's name as Microsoft reports it.
    pub async fn rename_customer(
        &mut self,
        access: &CustomerAccess,
        name: &str,
        domain: &str,
    ) -> Result<()> {
        let (partner, customer) = self.reads(access)?;
        sqlx::query(
            "update customers set name = $3, domain = $4
             where partner_id = $1 and id = $2 and (name, domain) is distinct from ($3, $4)",
        )
        .bind(partner.0)
        .bind(customer.0)
        .bind(clean::name(name))
        .bind(clean::text(domain))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The numbers in the navigation.
    pub async fn counts(&mut self) -> Result<Counts> {
        let partner = self.partner();
        let (customers, broken, unrestricted, running, needs_you) = sqlx::query_as(
            "select (select count(*) from customers where partner_id = $1),
                    (select count(*) from connections
                     where partner_id = $1 and problem is not null and disconnected_at is null),
                    (select coalesce(sum(power + unrestricted), 0)::bigint from reach_sums
                     where partner_id = $1 and kind = 'customer' and permission = ''),
                    count(*) filter (where state in ('running', 'waiting', 'rolling_back')),
                    count(*) filter (where state in ('needs_secret', 'failed'))
             from setups
             where partner_id = $1 and active",
        )
        .bind(partner.0)
        .fetch_one(self.conn())
        .await?;
        Ok(Counts {
            customers,
            broken,
            running,
            needs_you,
            unrestricted,
        })
    }
}

#[cfg(test)]
#[path = "customers_tests.rs"]
mod tests;
