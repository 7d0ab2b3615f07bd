//! Setups: operators start them, the worker carries them out, pages watch them.

pub(crate) mod again;
pub(crate) mod ask;
pub(crate) mod carry_out;
pub(crate) mod claim;
pub(crate) mod effects;
pub(crate) mod hurdles;
pub(crate) mod list;
pub(crate) mod look;
pub(crate) mod names;
pub(crate) mod open;
mod passing;
pub(crate) mod reviewed;
pub(crate) mod save;
pub(crate) mod script;
pub(crate) mod secret;
mod settle;
mod siblings;
pub(crate) mod start;
pub(crate) mod steps;
pub(crate) mod undo;
pub(crate) mod view;
pub(crate) mod work;
