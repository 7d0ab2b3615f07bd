//! The web server: routes, and the middleware around them.

mod auth;
mod browser;
mod context;
mod csv;
mod device;
mod download;
mod files;
mod forms;
mod headers;
pub(crate) mod health;
mod layers;
mod limits;
mod live;
pub(crate) mod metrics;
mod moved;
mod observe;
mod page;
mod refusal;
mod session;
mod streams;
mod visitor;

use std::sync::Arc;

use app::SiteFiles;
use axum::{Router, extract::FromRef, middleware};
use engine::Engine;
use leptos::config::LeptosOptions;
use leptos_axum::{ErrorHandler, LeptosRoutes as _, generate_route_list};
use microsoft::{Clock, SystemClock};
use store::Store;
use tokio::sync::watch;

use crate::config::{PublicUrl, SessionLimits, Settings};
pub(crate) use limits::network;

/// The state that every request can reach. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Web {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    store: Store,
    options: LeptosOptions,
    public_url: PublicUrl,
    /// Entra's origin. Forms reach it by redirects.
    authority: String,
    files: SiteFiles,
    clock: Arc<dyn Clock>,
    limits: SessionLimits,
    /// Whether the portal serves `/healthz` and `/readyz`, because there is no metrics listener.
    tells_health: bool,
    limits_of_strangers: limits::Limits,
    streams: streams::Streams,
    stop: watch::Receiver<bool>,
}

impl Web {
    /// `stop` turns true when the process is asked to end. Streams end then.
    pub fn new(
        settings: &Settings,
        engine: Engine,
        store: Store,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                engine,
                store,
                files: files::of_site(&settings.site),
                options: files::options(&settings.site),
                public_url: settings.public_url.clone(),
                authority: settings
                    .endpoints
                    .authority()
                    .origin()
                    .ascii_serialization(),
                clock: Arc::new(SystemClock),
                limits: settings.sessions,
                tells_health: settings.metrics_listen.is_none(),
                limits_of_strangers: limits::Limits::new(&settings.strangers),
                streams: streams::Streams::default(),
                stop,
            }),
        }
    }

    fn engine(&self) -> &Engine {
        &self.inner.engine
    }
}

impl FromRef<Web> for LeptosOptions {
    fn from_ref(web: &Web) -> Self {
        web.inner.options.clone()
    }
}

/// The whole portal.
pub fn router(web: &Web) -> Router {
    let provide = {
        let web = web.clone();
        move || context::provide(&web)
    };
    let options = web.inner.options.clone();
    let known = Router::new()
        .leptos_routes_with_context(
            web,
            generate_route_list(app::App),
            provide.clone(),
            app::shell,
        )
        .merge(auth::routes())
        .merge(download::routes())
        .merge(moved::routes())
        .merge(live::routes())
        .fallback_service(ErrorHandler::new_with_context(
            provide,
            |_| app::shell(),
            options,
        ))
        .layer(middleware::from_fn_with_state(
            web.clone(),
            visitor::identify,
        ))
        .layer(session::layer(&web.inner.store, web.inner.limits));
    let mut all = known.merge(files::routes(&web.inner.options));
    if web.inner.tells_health {
        all = all.merge(health::routes(&web.inner.store));
    }
    layers::around(all, web).with_state(web.clone())
}
