//! A long address that may be broken at its @, rather than anywhere.

use leptos::prelude::*;

use super::Erase as _;

/// Empty: nothing is shown.
pub fn breakable(address: &str) -> AnyView {
    match address.split_once('@') {
        Some((name, domain)) => view! { {format!("{name}@")}<wbr/>{domain.to_owned()} }.any(),
        None => address.to_owned().into_any(),
    }
}
