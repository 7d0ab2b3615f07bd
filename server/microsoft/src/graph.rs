//! Microsoft Graph: the directory of a customer, and mail for the proof (MICROSOFT.md §5, §7).

mod answer;
pub(crate) mod applications;
pub(crate) mod batch;
mod directory;
mod mail;
mod pages;
mod send_answers;

pub use applications::{MailboxGrant, ResourcePrincipal, ServicePrincipal};
pub use directory::{DirectoryGroup, EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, Organization};
pub use mail::{SendOutcome, Sender};
pub use send_answers::{Meaning, meaning};
