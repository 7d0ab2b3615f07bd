//! The user interface of Postern: pages, components and the server functions behind them.
//!
//! The server renders pages first, and the browser hydrates them. With the feature `ssr` the code
//! calls the engine. With `hydrate` it calls the server.

// View types nest as deep as the pages they describe.
#![recursion_limit = "512"]

pub mod api;
mod browser;
mod components;
mod diff;
mod error;
mod layout;
mod live;
mod loaded;
mod pages;
mod paths;
mod query;
mod routes;
#[cfg(feature = "ssr")]
mod shell;
mod viewer;

/// Marks requests that a page makes by itself, without anybody having just touched it. Such
/// requests do not extend a session.
pub const BACKGROUND_HEADER: &str = "x-postern-background";

pub use error::{Answer, AppError};
pub use routes::App;
#[cfg(feature = "ssr")]
pub use {
    api::context::{Server, provide, status_of},
    components::FailedForm,
    query::decode as unescaped,
    shell::{SiteFiles, shell},
};
