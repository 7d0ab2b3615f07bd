//! The page for an unknown address.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{Erase as _, gate},
    paths,
};

#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    crate::api::context::page_not_found();
    view! {
        <Title text="Not found · Postern"/>
        <div class="start">
            <header>
                <a class="brand" href="/">{gate()}"Postern"</a>
            </header>
            <main id="main">
                <h1>"There is no such page"</h1>
                <p class="lead">"The address may be mistyped, or the page may have moved."</p>
                <p class="actions"><a class="btn primary large" href=paths::CUSTOMERS>"All customers"</a></p>
            </main>
        </div>
    }.any()
}
