//! The document around the pages. Made on the server only; the body is hydrated.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::{App, components::Erase as _};

/// The files of a build that every document names or holds: a context of whoever serves pages.
/// Addresses are paths from the portal's root.
#[derive(Clone, Debug)]
pub struct SiteFiles {
    /// Loads the WebAssembly and has `hydrate`.
    pub script: Arc<str>,
    pub wasm: Arc<str>,
    pub stylesheet: Arc<str>,
    /// What is in the style sheet: it stands in the document itself, so that what is shown first
    /// waits for no second answer. Without it the document names the file.
    pub style: Option<Arc<str>>,
}

/// The gate, in the page itself: one request less.
const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%230b8a7d' stroke-width='2.4'%3E%3Cpath d='M4 21V11a8 8 0 0 1 16 0v10M9 21v-8a3 3 0 0 1 6 0v8M2 21h20'/%3E%3C/svg%3E";

/// The whole HTML document of a page. Needs [`SiteFiles`].
pub fn shell() -> impl IntoView {
    let files = expect_context::<SiteFiles>();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                {style(&files)}
                <link rel="icon" href=FAVICON type="image/svg+xml"/>
                <script id="hydration" type="module" nonce=use_nonce() inner_html=hydration(&files)></script>
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

fn style(files: &SiteFiles) -> AnyView {
    match &files.style {
        Some(text) => view! { <style nonce=use_nonce() inner_html=text.to_string()></style> }.any(),
        None => view! { <link rel="stylesheet" href=files.stylesheet.to_string()/> }.any(),
    }
}

/// Loads the program and lets it take over the body. Links and forms work before, so it comes when
/// the browser has painted and has nothing else to do: no hint in the document asks for it earlier.
/// Before anything else it makes the one policy by which texts become markup (`trusted-types` of the
/// page's policy): the program sets markup that it holds itself or that the server drew, and no
/// text ever becomes code or the address of code.
/// Both files are asked for at once. `requestIdleCallback` is not in every browser.
fn hydration(SiteFiles { script, wasm, .. }: &SiteFiles) -> String {
    format!(
        "window.trustedTypes?.createPolicy('default',{{createHTML:text=>text}});\
         const begin=()=>{{const wasm=fetch({wasm:?});\
         import({script:?}).then(it=>it.default({{module_or_path:wasm}}).then(()=>it.hydrate()))}};\
         window.requestIdleCallback?requestIdleCallback(begin,{{timeout:2000}}):setTimeout(begin)"
    )
}
