//! Addresses of pages, in one place.

use domain::id::{CustomerId, SetupId};
#[cfg(feature = "ssr")]
use domain::{id::ObjectId, plan::Draft};

#[cfg(feature = "ssr")]
use crate::query::Query;
use crate::query::encode;

pub const EXPOSURE: &str = "/exposure";
pub const CUSTOMERS: &str = "/customers";
pub const CONNECT: &str = "/customers/connect";
pub const RUNNING: &str = "/running";
pub const PEOPLE: &str = "/people";
pub const OWN_HISTORY: &str = "/people/history";
pub const ACCOUNT: &str = "/account";
pub const WAITING: &str = "/waiting";
pub const SIGN_OUT: &str = "/auth/sign-out";
pub const SIGN_OUT_EVERYWHERE: &str = "/auth/sign-out-everywhere";

pub fn customer(id: CustomerId) -> String {
    format!("/customers/{id}")
}

pub fn history(id: CustomerId) -> String {
    format!("/customers/{id}/history")
}

#[cfg(feature = "ssr")]
/// The page that explains an application's effective access. `object`: its service principal.
pub fn application(id: CustomerId, object: ObjectId) -> String {
    format!("/customers/{id}/applications/{object}")
}

#[cfg(feature = "ssr")]
/// The page with the applications that reach a mailbox.
pub fn mailboxes(id: CustomerId) -> String {
    format!("/customers/{id}/mailboxes")
}

pub fn new_setup(id: CustomerId) -> String {
    format!("/customers/{id}/setups/new")
}

/// The wizard for one application. Real mail is on by default.
pub fn confine(id: CustomerId, application: &str) -> String {
    format!("{}?app={}&prove=1", new_setup(id), encode(application))
}

#[cfg(feature = "ssr")]
/// The review of a draft, after a start that was refused.
pub fn review(id: CustomerId, draft: &Draft, changed: &str) -> String {
    Query::of_draft(draft)
        .with("step", "review")
        .with("changed", changed)
        .link(&new_setup(id))
}

pub fn setup(customer: CustomerId, setup: SetupId) -> String {
    format!("/customers/{customer}/setups/{setup}")
}

pub fn script(customer: CustomerId, setup: SetupId) -> String {
    format!("/customers/{customer}/setups/{setup}/script.ps1")
}

/// The sign-in address. The browser returns to `return_to` afterwards.
pub fn sign_in(return_to: &str) -> String {
    format!("/auth/sign-in?return_to={}", encode(return_to))
}

#[cfg(feature = "ssr")]
/// The start page, which offers to sign in and return to `return_to`.
pub fn start(return_to: &str) -> String {
    format!("/?return_to={}", encode(return_to))
}
