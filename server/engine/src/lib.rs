//! The operations of Postern, one file per operation and per step.
//!
//! An operation takes the operator who asks, loads what it needs through the store's proof objects,
//! and answers with the types that pages show. Every failure is a [`Problem`] for the person who
//! asked. Its cause is logged here, once.

mod applications;
mod callback;
mod config;
mod connect;
mod connection;
mod customers;
mod failure;
mod flights;
mod forms;
mod history;
mod link;
mod live;
mod mailboxes;
mod pace;
mod people;
mod places;
mod purge;
mod reading;
mod scan;
mod session;
mod settings;
mod setup;
mod shutdown;
mod sign_in;
mod tenant;
mod wizard;
mod worker;

pub use callback::{CallbackQuery, Finished};
pub use config::{Engine, EngineConfig, FirstOwner, InvitationRules, SignInRules};
pub use failure::Failure;
pub use forms::FormHolder;
pub use pace::Pace;
pub use places::{Place, Places};
pub use scan::Download;
pub use setup::{reviewed::Started, script::Script};
pub use shutdown::stopped;

use domain::Problem;
use futures::stream::BoxStream;

/// The result of every operation.
pub type Answer<T> = Result<T, Problem>;

/// The stream of a download, in portions. It ends with an error when something is missing.
pub type Portions<T> = BoxStream<'static, Answer<Vec<T>>>;
