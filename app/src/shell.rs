//! The document around the pages. Made on the server only; the body is hydrated.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::{App, components::Erase as _};

/// The style sheet as a context: it stands in the document itself, so that what is shown first
/// waits for no second answer. Without it the document names the file.
#[derive(Clone, Debug)]
pub struct StyleText(pub Arc<str>);

/// The gate, in the page itself: one request less.
const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%230b8a7d' stroke-width='2.4'%3E%3Cpath d='M4 21V11a8 8 0 0 1 16 0v10M9 21v-8a3 3 0 0 1 6 0v8M2 21h20'/%3E%3C/svg%3E";

/// The whole HTML document of a page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                {style(&options)}
                <link rel="icon" href=FAVICON type="image/svg+xml"/>
                // After the first paint: links and forms work before.
                <HydrationScripts options defer=true/>
                // A `noscript` in the body would be text to a browser with JavaScript, and break hydration.
                <noscript>
                    <style nonce=use_nonce()>".needs-js{display:none!important}.needs-no-js{display:block!important}"</style>
                </noscript>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

fn style(options: &LeptosOptions) -> AnyView {
    match use_context::<StyleText>() {
        Some(StyleText(text)) => {
            view! { <style nonce=use_nonce() inner_html=text.to_string()></style> }.any()
        }
        None => view! { <HashedStylesheet options=options.clone()/> }.any(),
    }
}
