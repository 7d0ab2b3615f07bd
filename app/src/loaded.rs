//! Data that a page reads: on the server while it renders the page, in the browser when the address
//! changes.
//!
//! All data travels as JSON text through one kind of resource. A separate resource type for every
//! data type would be most of the WASM.

use std::{marker::PhantomData, sync::Arc};

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{self, Call},
    error::Answer,
};

/// Data that is read from the server and can be refetched (`again`).
pub struct Loaded<T> {
    text: StoredValue<ArcResource<Answer<String>>>,
    is: PhantomData<fn() -> T>,
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loaded<T> {}

type Ask = Arc<dyn Fn() -> Answer<Request> + Send + Sync>;

/// A call whose answer is text.
struct Request {
    /// Identifies the request. The same request is not made twice.
    key: String,
    run: Box<dyn FnOnce() -> api::Later<Answer<String>> + Send>,
}

impl<T: Serialize + DeserializeOwned + 'static> Loaded<T> {
    /// Reads before the page is sent. `call` names the data. It is evaluated again when a signal
    /// that it reads changes.
    pub fn first(call: impl Fn() -> Answer<Call<T>> + Send + Sync + 'static) -> Self {
        let ask: Ask = Arc::new(move || {
            call().map(|call| Request {
                key: format!("{} {}", call.path, call.body),
                run: Box::new(move || call.text()),
            })
        });
        Self {
            text: StoredValue::new(resource(ask)),
            is: PhantomData,
        }
    }

    /// Waits for the answer. Use inside a `Suspend`.
    pub async fn get(self) -> Answer<T> {
        match self.text.try_get_value() {
            Some(text) => api::read(&text.await?),
            // The page is gone, but its view was woken once more.
            None => std::future::pending().await,
        }
    }

    pub fn again(self) {
        if let Some(text) = self.text.try_get_value() {
            text.refetch();
        }
    }
}

fn resource(ask: Ask) -> ArcResource<Answer<String>> {
    let key = {
        let ask = ask.clone();
        move || ask().map(|request| request.key)
    };
    let fetch = move |_: Answer<String>| -> api::Later<Answer<String>> {
        match untrack(|| ask()) {
            Ok(request) => (request.run)(),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    };
    ArcResource::new_blocking(key, fetch)
}
