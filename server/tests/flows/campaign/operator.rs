//! An operator who uses either of two portals, one of which may be dead at the moment.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use http::{
    Method,
    header::{ACCEPT, ORIGIN},
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{Browser, setups::shown};

/// Longer than a portal in trouble takes to answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Operator {
    browsers: Vec<Browser>,
    turn: AtomicUsize,
}

impl Operator {
    /// A person who signed in at one portal. The same session is valid at the others.
    pub fn new(browser: &Browser, others: &[&str]) -> Self {
        let moved = others.iter().map(|url| browser.moved_to(url));
        Self {
            browsers: std::iter::once(browser.clone()).chain(moved).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The review's form fields. Empty texts when there was no answer or no valid plan.
    pub async fn reviewed(&self, customer: &str, draft: &Value) -> [String; 2] {
        let body = json!({ "customer": customer, "draft": draft });
        let answer = self.send("review", |request| request.json(&body)).await;
        shown(&answer.map_or(Value::Null, |(_, review)| review))
    }

    /// Sends a form to one portal or the other. None when there was no answer.
    pub async fn ask(&self, what: &str, fields: &[(&str, &str)]) -> Option<(u16, Value)> {
        self.send(what, |request| request.form(fields)).await
    }

    async fn send(
        &self,
        what: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Option<(u16, Value)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.browsers.len();
        let browser = &self.browsers[turn];
        let request = browser
            .bare(Method::POST, &format!("/api/{what}"))
            .header(ACCEPT, "application/json")
            .header(ORIGIN, browser.portal_address(""))
            .header("sec-fetch-site", "same-origin")
            .timeout(PATIENCE);
        let answer = with(request).send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some((status, value))
    }
}
