//! Flows through the whole server: a real Postgres, the simulated cloud over HTTP, the real router
//! and worker. `POSTERN_TEST_DATABASE_URL` names the Postgres; `./dev test` sets it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod agreement;
mod asked;
mod authority;
mod bootstrap;
mod campaign;
mod claims;
mod command;
mod connect;
mod downloads;
mod entra_refusals;
mod fleet;
mod gdap;
mod hostile;
mod http;
mod hurdles;
mod invitations;
mod kill;
mod live;
mod lost;
mod matrix;
mod means;
mod odd_tenants;
mod powers_read;
mod processes;
mod proofs;
mod reach;
mod record;
mod refusals;
mod review;
mod scans;
mod setup;
mod sign_in;
mod small_findings;
mod strangers;
mod support;
mod tenancy;
mod trouble;
mod undone;
