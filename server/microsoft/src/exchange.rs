//! Exchange's admin API: cmdlets over HTTPS (MICROSOFT.md §1, §2).

mod appearances;
pub(crate) mod batch;
mod fault;
mod groups;
pub(crate) mod invoke;
mod mailboxes;
mod policies;
mod recipients;
mod roles;
mod row;
mod uses;

pub(crate) use fault::NOT_IN_ROLE;
pub use groups::{ExGroup, Member};
pub use mailboxes::Mailboxes;
pub use policies::{OrganizationConfig, TestAnswer};
pub use recipients::{Recipient, Taken};
pub use row::Row;
pub use uses::Uses;
