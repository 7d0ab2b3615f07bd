//! The document around the pages. Only the server renders it. The body is hydrated.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::{App, components::Erase as _};

/// The build's files that every document links to or embeds. The server provides them as a context.
/// Addresses are paths from the portal's root.
#[derive(Clone, Debug)]
pub struct SiteFiles {
    /// The script that loads the WebAssembly and exports `hydrate`.
    pub script: Arc<str>,
    pub wasm: Arc<str>,
    pub stylesheet: Arc<str>,
    /// The text of the style sheet. It is embedded in the document, so that the first render needs
    /// no second response. Without it the document links to the file.
    pub style: Option<Arc<str>>,
}

/// The logo, embedded in the page, which saves a request.
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
                // A browser with JavaScript would treat a `noscript` in the body as text, which
                // breaks hydration.
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

/// The script that loads the program and hydrates the body. Links and forms work before, so it runs
/// when the browser has painted and is idle. No hint in the document requests the files earlier.
/// First it makes the only policy by which texts become markup (`trusted-types` of the page's
/// policy): the program sets markup that it holds itself or that the server rendered, and no text
/// ever becomes code or the address of code. Both files are requested at once. Some browsers have
/// no `requestIdleCallback`.
fn hydration(SiteFiles { script, wasm, .. }: &SiteFiles) -> String {
    format!(
        "window.trustedTypes?.createPolicy('default',{{createHTML:text=>text}});\
         const begin=()=>{{const wasm=fetch({wasm:?});\
         import({script:?}).then(it=>it.default({{module_or_path:wasm}}).then(()=>it.hydrate()))}};\
         window.requestIdleCallback?requestIdleCallback(begin,{{timeout:2000}}):setTimeout(begin)"
    )
}
