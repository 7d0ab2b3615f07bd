//! Scans of customers, one or all, on request and every night; and what pages show of them.

mod again;
mod application;
mod customer;
mod customer_page;
mod downloads;
mod exposure;
mod fleet;
mod may_still;
mod not_looked_at;
mod power_words;
mod proven;
mod result;
mod run;
mod sign_in;
mod strays;
mod turns;
mod unread;
mod words;

pub(crate) use application::name_of;
pub(crate) use downloads::Turns;
pub use exposure::Download;
pub(crate) use power_words::acts_as;
pub(crate) use proven::{against, is_as_proven};
pub(crate) use unread::{nothing_read, unread};
pub(crate) use words::{Names, Words};
