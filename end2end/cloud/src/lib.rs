//! A simulated Microsoft cloud: Entra, Microsoft Graph and Exchange's admin API behind one
//! listener, for demonstrations and tests.
//!
//! It behaves as MICROSOFT.md says, with its unpleasant sides. What that document leaves open is
//! decided in [`decisions`]. It shares no code with the clients that are tested against it, so
//! that a mistake made once is not made twice.
//!
//! ```no_run
//! # async fn example() -> Result<(), cloud::StartError> {
//! let cloud = cloud::Cloud::start(cloud::Config::default()).await?;
//! println!("{}", cloud.url());
//! cloud.advance(3600); // an hour later
//! # Ok(()) }
//! ```

pub mod books;
pub mod campaign;
pub mod clock;
pub mod config;
pub mod control;
pub mod decisions;
pub mod entra;
pub mod exchange;
pub mod faults;
pub mod graph;
pub mod http_parts;
pub mod journal;
pub mod permissions;
pub mod seed;
pub mod server;
pub mod spoil;
pub mod world;

pub use config::{Config, StartError};
pub use decisions::Delays;
pub use seed::Seed;
pub use server::Cloud;
