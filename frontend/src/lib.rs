//! Runs only in the browser: takes over the pages that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Makes the page react. Called by the script that the shell puts into every page, once this module
/// is loaded.
#[wasm_bindgen]
pub fn hydrate() {
    // A panic leaves a dead page; the console should at least say where it was.
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
