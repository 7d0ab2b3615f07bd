//! Change notifications: one stream of server-sent events per tab.
//!
//! The stream follows one setup while its page is open, and the partner's lists otherwise.

use std::{sync::Arc, time::Duration};

use domain::{
    id::{CustomerId, SetupId},
    view::SetupView,
};
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// The connection state of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not opened yet. On the server the state is always this.
    Opening,
    Open,
    /// Disconnected. The browser retries until it works.
    Lost,
    /// The server refuses the stream: the session has ended, or the operator may not see this any
    /// more.
    Refused,
}

/// The tab's stream, provided by the layout.
#[derive(Clone, Copy)]
pub struct Live {
    pub link: RwSignal<Link>,
    /// Counts changes that lists and counters should reflect.
    pub changed: RwSignal<u32>,
    /// Counts scans that were requested, began or ended.
    pub scanned: RwSignal<u32>,
    /// The newest state of the followed setup from the stream.
    pub setup: RwSignal<Option<Arc<SetupView>>>,
    following: RwSignal<Option<(CustomerId, SetupId)>>,
    /// Counts openings.
    attempt: RwSignal<u32>,
    /// How often in a row it was not given: the more often, the longer until the next try.
    refused: StoredValue<u32>,
}

impl Live {
    /// Starts the tab's stream. Does nothing on the server, where effects do not run.
    pub fn provide() -> Self {
        let live = Self {
            link: RwSignal::new(Link::Opening),
            changed: RwSignal::new(0),
            scanned: RwSignal::new(0),
            setup: RwSignal::new(None),
            following: RwSignal::new(None),
            attempt: RwSignal::new(0),
            refused: StoredValue::new(0),
        };
        provide_context(live);
        Effect::new(move |_| {
            live.attempt.track();
            // The source is dropped, and so closed, before the effect runs again and together with
            // the layout.
            StoredValue::new_local(live.open(live.following.get()));
        });
        live
    }

    /// Follows one setup until the calling component goes away.
    pub fn follow(self, customer: CustomerId, setup: SetupId) {
        self.setup.set(None);
        self.following.set(Some((customer, setup)));
        on_cleanup(move || {
            // Another setup's page may follow its own setup already.
            if self.following.try_get_untracked() == Some(Some((customer, setup))) {
                self.following.try_set(None);
            }
        });
    }

    fn open(self, following: Option<(CustomerId, SetupId)>) -> Option<Source> {
        let url = following.map_or_else(
            || "/live/setups".to_owned(),
            |(customer, setup)| format!("/live/setups/{customer}/{setup}"),
        );
        let inner = EventSource::new(&url).ok()?;
        let mut source = Source {
            inner,
            handlers: Vec::new(),
        };
        source.on("open", move |_| {
            self.refused.set_value(0);
            // Progress on the page may have changed while the page was loading, without a
            // notification.
            if crate::browser::shows(".drawn [role=status]") {
                self.scanned.update(|count| *count = count.wrapping_add(1));
            }
            if matches!(self.link.get_untracked(), Link::Lost | Link::Refused) {
                // Changes during the interruption were missed.
                self.changed.update(|count| *count = count.wrapping_add(1));
                self.scanned.update(|count| *count = count.wrapping_add(1));
            }
            self.link.set(Link::Open);
        });
        source.on("changed", move |_| {
            self.changed.update(|count| *count = count.wrapping_add(1));
        });
        source.on("scanned", move |_| {
            self.scanned.update(|count| *count = count.wrapping_add(1));
        });
        source.on("setup", move |event| {
            let Some(text) = event.data().as_string() else {
                return;
            };
            match serde_json::from_str::<SetupView>(&text) {
                Ok(view) => {
                    self.setup.set(Some(Arc::new(view)));
                    self.changed.update(|count| *count = count.wrapping_add(1));
                }
                Err(error) => leptos::logging::error!("an event could not be read: {error}"),
            }
        });
        let watched = source.inner.clone();
        source.on("error", move |_| {
            // The browser retries by itself unless the server answered with an error.
            let refused = watched.ready_state() == EventSource::CLOSED;
            self.link
                .set(if refused { Link::Refused } else { Link::Lost });
            if refused {
                let refused = self.refused.get_value().saturating_add(1);
                self.refused.set_value(refused);
                let seconds = u64::from(refused.min(5)) * 2;
                set_timeout(
                    move || {
                        // The layout may be gone when the timer fires.
                        self.attempt
                            .try_update(|count| *count = count.wrapping_add(1));
                    },
                    Duration::from_secs(seconds),
                );
            }
        });
        Some(source)
    }
}

/// The tab's stream.
pub fn use_live() -> Option<Live> {
    use_context::<Live>()
}

struct Source {
    inner: EventSource,
    /// The handlers live as long as the stream.
    handlers: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

impl Source {
    fn on(&mut self, event: &str, handler: impl FnMut(MessageEvent) + 'static) {
        let handler = Closure::<dyn FnMut(MessageEvent)>::new(handler);
        // Fails only for an object that takes no listeners.
        let _ = self
            .inner
            .add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
        self.handlers.push(handler);
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.inner.close();
    }
}
