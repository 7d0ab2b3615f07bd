//! The terms of Postern as types, and the rules that need no input or output.
//!
//! All of it runs in the browser and on the server, so both check the same input in the same way.

pub mod address;
pub mod application;
pub mod cmdlet;
pub mod confine;
pub mod connection;
pub mod effects;
pub mod exposure;
pub mod history;
pub mod id;
pub mod invitation;
pub mod made;
pub mod name;
pub mod path;
pub mod permission;
pub mod person;
pub mod plan;
pub mod problem;
pub mod proof;
pub mod provable;
pub mod proving;
pub mod reach;
pub mod recipient;
pub mod script;
pub mod secret;
pub mod setup;
pub mod step;
pub mod time;
pub mod view;

pub use problem::Problem;
pub use time::Timestamp;
