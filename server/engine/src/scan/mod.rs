//! Reading customers for the reach: one, all of them, every night.

mod again;
mod application;
mod customer;
mod exposure;
mod fleet;
mod result;
mod run;
mod turns;
mod words;

pub use exposure::Download;
