//! Reading customers for the reach: one, all of them, every night.

mod application;
mod customer;
mod customer_page;
mod exposure;
mod fleet;
mod run;
mod turns;

pub(crate) use application::{Words, name_of};
pub use exposure::Download;
