//! The clients against a server that answers as MICROSOFT.md says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod consent;
mod exchange;
mod graph;
mod identity;
mod objects;
mod recipients;
mod scan;
mod send;
mod support;
mod tokens;
mod transport;
