//! The request context of pages and server functions. One function provides it for both.

use http::request::Parts;
use leptos::{nonce::Nonce, prelude::*};

use super::{Web, visitor::Visitor};

/// Called once per request, inside its reactive owner.
pub(super) fn provide(web: &Web) {
    let parts = use_context::<Parts>();
    let found = parts.as_ref().map(|parts| &parts.extensions);
    // Leptos has provided a nonce of its own, but the header carries the nonce made here.
    if let Some(nonce) = found.and_then(|found| found.get::<Nonce>()) {
        provide_context(nonce.clone());
    }
    provide_context(web.inner.files.clone());
    let visitor = found
        .and_then(|found| found.get::<Visitor>())
        .cloned()
        .unwrap_or_default();
    app::provide(app::Server {
        engine: web.engine().clone(),
        operator: visitor.operator,
        session: visitor.session,
        browser: visitor.browser,
        failed: found
            .and_then(|found| found.get::<app::FailedForm>())
            .cloned(),
    });
}
