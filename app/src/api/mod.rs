//! Server functions: the thin shells between pages and the engine. Each finds the operator, calls
//! the engine and maps the error; none holds a rule.
//!
//! On the server they are functions of leptos. The browser's half of them is written here, once
//! for all of them: what leptos would generate for each is half of the WASM that a page loads.

mod call;
#[cfg(feature = "ssr")]
pub mod context;
pub mod forms;
mod reads;

pub use call::{Call, Later, Sent, read, send};
pub use reads::*;
