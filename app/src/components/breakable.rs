//! A long address that may break at its @ instead of anywhere.

use leptos::prelude::*;

use super::Erase as _;

/// Renders the address. An empty address renders nothing.
pub fn breakable(address: &str) -> AnyView {
    match address.split_once('@') {
        Some((name, domain)) => view! { {format!("{name}@")}<wbr/>{domain.to_owned()} }.any(),
        None => address.to_owned().into_any(),
    }
}
