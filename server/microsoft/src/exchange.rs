//! Exchange's admin API: cmdlets over HTTPS (MICROSOFT.md §1, §2).

pub(crate) mod batch;
mod fault;
mod groups;
pub(crate) mod invoke;
mod mailboxes;
mod policies;
mod roles;
mod row;

pub(crate) use fault::NOT_IN_ROLE;
pub use groups::{ExGroup, Member};
pub use mailboxes::Mailboxes;
pub use policies::{OrganizationConfig, TestAnswer};
pub use row::Row;
