//! The user interface of Postern: pages, components and the server functions behind them.
//!
//! Rendered by the server first and hydrated in the browser. With the feature `ssr` it calls the
//! engine; with `hydrate` it calls the server.

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

/// On requests that a page makes by itself, without anybody having just touched it. They keep no
/// session alive.
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
