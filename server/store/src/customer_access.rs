//! The proof that an operator may work with a customer.

use domain::{
    Timestamp,
    id::{CustomerId, PartnerId, TenantId},
    person::{Operator, Right},
};

use crate::{Error, Result, Tx};

/// The stored data of the customer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRecord {
    pub id: CustomerId,
    pub partner: PartnerId,
    pub tenant: TenantId,
    pub name: String,
    pub domain: String,
    pub created: Timestamp,
}

/// Why an operator gets no access.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The customer does not exist, or belongs to another partner. The answer is the same for both.
    #[error("not found")]
    NotFound,
    /// The operator's role does not carry the right.
    #[error("the role does not allow this")]
    Forbidden,
    /// The operator has no role yet.
    #[error("the operator has no role")]
    NoRole,
    #[error(transparent)]
    Store(#[from] Error),
}

/// A customer that was loaded for somebody who has the right in it.
///
/// Only [`Tx::access`], which checks the operator, and [`Tx::for_system`] make it. Functions that
/// carry out a change for an operator need [`Right::Change`] in it, and return [`Error::Forbidden`]
/// without. Records that Postern itself writes (tokens that Microsoft rotated, health, history)
/// take either right, because viewing a customer makes such records.
#[derive(Clone, Debug)]
pub struct CustomerAccess {
    record: CustomerRecord,
    right: Right,
}

impl CustomerAccess {
    /// The customer as it was when it was loaded.
    pub fn record(&self) -> &CustomerRecord {
        &self.record
    }

    pub fn partner(&self) -> PartnerId {
        self.record.partner
    }

    pub fn right(&self) -> Right {
        self.right
    }

    pub(crate) fn new(record: CustomerRecord, right: Right) -> Self {
        Self { record, right }
    }
}

impl Tx {
    /// Loads a customer for `operator`, who must have `right`. For [`Right::Change`] the operator's
    /// current role in the database must carry the right too, and the role is locked until this
    /// transaction ends. A caller that asks Microsoft something between reading and writing asks
    /// for access again in the transaction that writes.
    pub async fn access(
        &mut self,
        operator: &Operator,
        customer: CustomerId,
        right: Right,
    ) -> Result<CustomerAccess, AccessError> {
        let role = operator.role.ok_or(AccessError::NoRole)?;
        if operator.partner != self.partner() {
            return Err(AccessError::NotFound);
        }
        let record = self
            .customer(customer)
            .await?
            .ok_or(AccessError::NotFound)?;
        if !role.may(right) {
            return Err(AccessError::Forbidden);
        }
        if right != Right::Read {
            self.may_still(operator.id, right).await?;
        }
        Ok(CustomerAccess::new(record, right))
    }

    /// Loads a customer for Postern itself, with the right to change it. Only for work that an
    /// operator or a customer's admin has asked for before: jobs, one-time links, the purge.
    pub async fn for_system(
        &mut self,
        customer: CustomerId,
    ) -> Result<CustomerAccess, AccessError> {
        let record = self
            .customer(customer)
            .await?
            .ok_or(AccessError::NotFound)?;
        Ok(CustomerAccess::new(record, Right::Change))
    }

    /// Partner and customer of a proof with either right. A proof counts only in transactions of
    /// its own partner.
    pub(crate) fn reads(&self, access: &CustomerAccess) -> Result<(PartnerId, CustomerId)> {
        if access.partner() == self.partner() {
            Ok((access.partner(), access.record.id))
        } else {
            Err(Error::NotFound)
        }
    }

    /// Partner and customer of a proof that must hold [`Right::Change`].
    pub(crate) fn changes(&self, access: &CustomerAccess) -> Result<(PartnerId, CustomerId)> {
        match access.right {
            Right::Change | Right::Administer => self.reads(access),
            Right::Read => Err(Error::Forbidden),
        }
    }
}

#[cfg(test)]
#[path = "customer_access_tests.rs"]
mod tests;
