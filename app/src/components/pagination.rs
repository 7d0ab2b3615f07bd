//! Pagination as links, which work without JavaScript and can be sent to somebody.

use leptos::prelude::*;

use super::Erase as _;
use crate::query::Query;

/// Previous and next of numbered pages.
#[component]
pub fn Pages(
    page: i64,
    pages: i64,
    /// The current filter of the list.
    query: Query,
    #[prop(into)] path: String,
) -> impl IntoView {
    let link = |number: i64, rel: &'static str, label: &'static str| {
        let fits = (1..=pages).contains(&number);
        fits.then(|| {
            let href = query.clone().with("page", &number.to_string()).link(&path);
            view! { <a class="btn small" rel=rel href=href>{label}</a> }.any()
        })
    };
    (pages > 1).then(|| {
        view! {
            <nav class="pages" aria-label="Pages">
                {link(page - 1, "prev", "Previous")}
                <span>{format!("Page {page} of {pages}")}</span>
                {link(page + 1, "next", "Next")}
            </nav>
        }
        .any()
    })
}
