//! Server functions: thin functions between pages and the engine. Each gets the operator, calls the
//! engine and maps the error. None holds a business rule.
//!
//! On the server they are functions of leptos. The browser's half is written here once for all of
//! them, because the code that leptos would generate for each is half of the WASM that a page
//! loads.

mod call;
#[cfg(feature = "ssr")]
pub mod context;
pub mod forms;
mod reads;

pub use call::{Call, Later, Sent, read, send};
pub use reads::*;
