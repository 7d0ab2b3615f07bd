//! Mail addresses on narrow ground.

use domain::address::MailAddress;
use leptos::prelude::*;

use super::Erase as _;

/// An address that breaks behind its `@` where it does not fit into a line.
pub fn mail_address(address: &MailAddress) -> AnyView {
    let text = address.to_string();
    match text.split_once('@') {
        Some((local, domain)) => view! { {format!("{local}@")}<wbr/>{domain.to_owned()} }.any(),
        None => text.into_any(),
    }
}
