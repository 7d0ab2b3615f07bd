//! What each subcommand does.

pub(crate) mod migrate;
pub(crate) mod owner;
pub(crate) mod serve;
pub(crate) mod verify_history;
pub(crate) mod web_keys;
