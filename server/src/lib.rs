//! The binary `postern` as a library, so that tests run the production code.

mod cli;
mod commands;
pub mod config;
mod listener;
mod logs;
mod shutdown;
pub mod web;

pub use cli::{Cli, Failed, run};
pub use commands::serve::{Listeners, Running};
