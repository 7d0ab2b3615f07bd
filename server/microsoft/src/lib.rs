//! Clients of Entra, Microsoft Graph and Exchange's admin API.
//!
//! [`Microsoft`] is shared by the whole process: it signs people in ([`entra`]), and gives a
//! [`Customer`] for each tenant in which Postern acts. Every call gives a [`Call`] (the value and
//! what was sent for it) or an [`Error`] that becomes a [`domain::Problem`].
//!
//! The knowledge about the services comes from MICROSOFT.md. No code is shared with the simulated
//! cloud.

mod call;
pub mod clock;
mod customer;
mod endpoints;
pub mod entra;
mod error;
pub mod exchange;
pub mod graph;
mod http;
mod microsoft;
mod names;
mod problems;
pub mod scan;
mod tokens;

pub use call::{Call, Trace};
pub use clock::{Clock, SystemClock};
pub use customer::Customer;
pub use endpoints::{Endpoints, NotAnEndpoint};
pub use error::{Error, Fault, IdentityFault, Kind, Result, Service};
pub use microsoft::{AppIdentity, Certificate, Credential, HttpOptions, Microsoft, NotUsable};
pub use scan::Scan;
pub use tokens::{AccessToken, RefreshStore, StoreFault};
