//! Entra: sign-in, consent and tokens (DESIGN §6, MICROSOFT.md §6).

pub(crate) mod adapter;
pub(crate) mod assertion;
mod authorize;
mod identity;
pub(crate) mod keys;
mod refusal;
pub mod scopes;
mod tenant;
mod token;

pub use assertion::NotACertificate;
pub use authorize::{Attempt, Authorize, Prompt, new_attempt};
pub use identity::Identity;
pub use token::Redeemed;
