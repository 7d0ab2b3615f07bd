//! Reading customers for the reach: one, all of them, every night.

mod application;
mod customer;
mod exposure;
mod fleet;
mod run;
mod turns;

pub use exposure::Download;
