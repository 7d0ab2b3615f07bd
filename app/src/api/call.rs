//! Calls of server functions that read.

use std::{future::Future, marker::PhantomData, pin::Pin};

use domain::Problem;
use serde::de::DeserializeOwned;

use crate::error::{Answer, AppError};

/// A boxed future. In the browser it only ever runs on the page's one thread.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A prepared call that has not been made yet.
pub struct Call<T> {
    /// The path of the request. Path and body together identify the call.
    pub path: &'static str,
    pub body: String,
    #[cfg(feature = "ssr")]
    run: Later<Answer<T>>,
    answers: PhantomData<fn() -> T>,
}

impl<T> Call<T> {
    #[cfg(feature = "ssr")]
    pub fn new(path: &'static str, body: String, run: Later<Answer<T>>) -> Self {
        Self {
            path,
            body,
            run,
            answers: PhantomData,
        }
    }

    #[cfg(not(feature = "ssr"))]
    pub fn new(path: &'static str, body: String) -> Self {
        Self {
            path,
            body,
            answers: PhantomData,
        }
    }
}

#[cfg(feature = "ssr")]
impl<T: serde::Serialize + 'static> Call<T> {
    /// Makes the call. Returns the answer as JSON.
    pub fn text(self) -> Later<Answer<String>> {
        Box::pin(async move {
            let answer = self.run.await?;
            serde_json::to_string(&answer).map_err(|error| {
                tracing::error!(%error, path = self.path, "an answer could not be written");
                unreadable()
            })
        })
    }
}

#[cfg(not(feature = "ssr"))]
impl<T> Call<T> {
    /// Makes the call. Returns the answer as JSON.
    pub fn text(self) -> Later<Answer<String>> {
        Box::pin(send_wrapper::SendWrapper::new(async move {
            let sent = send(self.path, "application/json", self.body).await?;
            Ok(sent.text)
        }))
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: DeserializeOwned> Call<T> {
    pub async fn answer(self) -> Answer<T> {
        read(&self.text().await?)
    }
}

#[cfg(feature = "ssr")]
impl<T> Call<T> {
    pub async fn answer(self) -> Answer<T> {
        self.run.await
    }
}

/// Parses the JSON of an answer.
pub fn read<T: DeserializeOwned>(text: &str) -> Answer<T> {
    serde_json::from_str(text).map_err(|error| {
        leptos::logging::error!("an answer of the server could not be read: {error}");
        unreadable()
    })
}

fn unreadable() -> AppError {
    AppError::Problem(Problem::internal("the time of this request"))
}

/// The server's answer to a post.
pub struct Sent {
    pub text: String,
    /// Where the page should go now.
    pub location: Option<String>,
}

/// Posts to the server. Works in the browser only: the server does not call itself.
#[cfg(feature = "ssr")]
pub async fn send(_path: &str, _kind: &str, _body: String) -> Answer<Sent> {
    Err(unreadable())
}

/// Posts to the server.
#[cfg(not(feature = "ssr"))]
pub async fn send(path: &str, kind: &str, body: String) -> Answer<Sent> {
    let answer = crate::browser::post(path, kind, &body)
        .await
        .ok_or_else(crate::error::unreachable)?;
    // A failed action may redirect to a page of its own, which says why.
    if (200..300).contains(&answer.status) || answer.location.is_some() {
        return Ok(Sent {
            text: answer.text,
            location: answer.location,
        });
    }
    // A body that is no `AppError` was written by something before the server functions, such as a
    // proxy or a size limit.
    Err(serde_json::from_str(&answer.text).unwrap_or_else(|_| crate::error::refused(answer.status)))
}
