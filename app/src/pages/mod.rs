//! The pages, one file each; those with parts have a folder.

mod account;
mod connect;
mod customer;
mod customers;
mod drawn;
mod history;
mod join;
mod not_found;
mod people;
mod running;
mod setup;
mod start;
mod waiting;
mod wizard;

pub use account::Account;
pub use connect::Connect;
pub use customer::Customer;
pub use customers::Customers;
#[cfg(feature = "ssr")]
pub use drawn::draw;
pub use drawn::{Drawn, DrawnPage};
pub use history::{History, OwnHistory};
pub use join::Join;
pub use not_found::NotFound;
pub use people::People;
pub use running::Running;
pub use setup::Setup;
pub use start::Start;
pub use waiting::Waiting;
pub use wizard::NewSetup;

use std::str::FromStr;

use domain::{Problem, id::CustomerId};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::error::Answer;

/// The customer in the address.
fn use_customer() -> LiveId<CustomerId> {
    use_id("id")
}

/// An id in the address. After the page is gone it gives "not found".
#[derive(Clone, Copy)]
struct LiveId<Id: Send + Sync + 'static>(Memo<Answer<Id>>);

impl<Id: Clone + Send + Sync + 'static> LiveId<Id> {
    fn get(self) -> Answer<Id> {
        self.0
            .try_get()
            .unwrap_or_else(|| Err(Problem::not_found().into()))
    }
}

/// An id in the address. A text that is no id gives "not found".
fn use_id<Id>(name: &'static str) -> LiveId<Id>
where
    Id: FromStr + Clone + PartialEq + Send + Sync + 'static,
{
    let params = use_params_map();
    LiveId(Memo::new(move |_| {
        params.with(|params| {
            params
                .get_str(name)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Problem::not_found().into())
        })
    }))
}
