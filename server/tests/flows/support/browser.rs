//! A browser without scripts: cookies, redirects, forms, and the headers that browsers add.

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{ACCEPT, COOKIE, LOCATION, ORIGIN, REFERER, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;

use super::{events::Events, page::Page};

const MOST_REDIRECTS: usize = 12;
const PASSWORD: &str = "demo";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

#[derive(Clone)]
pub struct Browser {
    client: Client,
    portal: String,
    /// Cookies by origin, then by name.
    pub cookies: BTreeMap<String, BTreeMap<String, String>>,
    at: String,
}

fn origin(url: &str) -> String {
    Url::parse(url)
        .expect("an address")
        .origin()
        .ascii_serialization()
}

/// Whether a browser accepts a `Set-Cookie` value. A browser accepts no cookie whose name begins
/// with `__Host-` without `Secure` and `Path=/`, or with `Domain`. This holds for a removal too.
fn takes(text: &str) -> bool {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    if !parts.next().is_some_and(|pair| pair.starts_with("__host-")) {
        return true;
    }
    let attributes: Vec<String> = parts.collect();
    let has = |attribute: &str| attributes.iter().any(|part| part == attribute);
    has("secure") && has("path=/") && !attributes.iter().any(|part| part.starts_with("domain"))
}

#[test]
fn security_f13_this_browser_takes_cookies_as_others_do() {
    for (text, taken) in [
        ("__Host-postern=x; Path=/; Secure; HttpOnly", true),
        (
            "__Host-postern=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            false,
        ),
        ("__Host-postern=; Path=/; Max-Age=0; secure", true),
        ("__Host-postern=x; Secure", false),
        ("__Host-postern=x; Path=/a; Secure", false),
        (
            "__Host-postern=x; Path=/; Secure; Domain=portal.example",
            false,
        ),
        ("other=x", true),
    ] {
        assert_eq!(takes(text), taken, "{text}");
    }
}

impl Browser {
    pub fn new(portal: &str) -> Self {
        let client = Client::builder()
            .redirect(Policy::none())
            .user_agent(AGENT)
            .build()
            .expect("a client");
        Self {
            client,
            portal: portal.to_owned(),
            cookies: BTreeMap::new(),
            at: format!("{portal}/"),
        }
    }

    fn address(&self, target: &str) -> String {
        Url::parse(&self.at)
            .and_then(|at| at.join(target))
            .map(|url| url.to_string())
            .expect("an address")
    }

    pub fn portal_address(&self, path: &str) -> String {
        format!("{}{path}", self.portal)
    }

    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let jar = self.cookies.get(&origin(url));
        let cookies: Vec<String> = jar
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self.client.request(method, url);
        if cookies.is_empty() {
            request
        } else {
            request.header(COOKIE, cookies.join("; "))
        }
    }

    fn keep_cookies(&mut self, url: &str, response: &Response) {
        let jar = self.cookies.entry(origin(url)).or_default();
        for header in response.headers().get_all(SET_COOKIE) {
            let text = header.to_str().expect("a cookie");
            if !takes(text) {
                continue;
            }
            let mut parts = text.split(';').map(str::trim);
            let (name, value) = parts
                .next()
                .and_then(|pair| pair.split_once('='))
                .expect("a cookie");
            if parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Sends one request without following redirects.
    pub async fn once(&mut self, request: RequestBuilder) -> Page {
        let request = request.build().expect("a request");
        let url = request.url().to_string();
        let response = self.client.execute(request).await.expect("an answer");
        self.keep_cookies(&url, &response);
        Page {
            status: response.status().as_u16(),
            url,
            headers: response.headers().clone(),
            body: response.text().await.expect("a whole answer"),
        }
    }

    fn page_request(&self, url: &str) -> RequestBuilder {
        let same = origin(url) == origin(&self.at);
        self.request(Method::GET, url)
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(
                "sec-fetch-site",
                if same { "same-origin" } else { "cross-site" },
            )
    }

    /// Opens an address and follows redirects.
    pub async fn open(&mut self, target: &str) -> Page {
        let page = self.open_once(target).await;
        self.follow(page).await
    }

    /// Opens an address without following redirects.
    pub async fn open_once(&mut self, target: &str) -> Page {
        let url = if target.starts_with('/') {
            self.portal_address(target)
        } else {
            self.address(target)
        };
        let request = self.page_request(&url);
        self.once(request).await
    }

    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..MOST_REDIRECTS {
            self.at.clone_from(&page.url);
            if !(300..400).contains(&page.status) || page.status == 304 {
                return page;
            }
            let location = page.header(LOCATION.as_str()).to_owned();
            let url = self.address(&location);
            let request = self.page_request(&url);
            page = self.once(request).await;
        }
        panic!("too many redirects, the last to {}", page.url);
    }

    /// Follows redirects as long as they stay away from the portal. Returns the address with which
    /// the browser would come back.
    pub async fn follow_until_back(&mut self, mut page: Page) -> String {
        for _ in 0..MOST_REDIRECTS {
            self.at.clone_from(&page.url);
            let location = page.header(LOCATION.as_str()).to_owned();
            assert!(
                !location.is_empty(),
                "{} leads nowhere: {}",
                page.url,
                page.text()
            );
            let url = self.address(&location);
            if url.starts_with(&self.portal_address("/auth/callback")) {
                return url;
            }
            let request = self.page_request(&url);
            page = self.once(request).await;
        }
        panic!("too many redirects, the last to {}", page.url);
    }

    fn form_request(&self, target: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let url = self.address(target);
        self.request(Method::POST, &url)
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(ORIGIN, origin(&self.at))
            .header(REFERER, &self.at)
            .header("sec-fetch-site", "same-origin")
            .form(fields)
    }

    /// Sends a form of the current page and follows redirects.
    pub async fn submit(&mut self, target: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.submit_once(target, fields).await;
        self.follow(page).await
    }

    pub async fn submit_once(&mut self, target: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.form_request(target, fields);
        self.once(request).await
    }

    /// Sends a form of the portal, as from its list of customers.
    pub async fn send_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.at = self.portal_address("/customers");
        self.submit(path, fields).await
    }

    /// Calls a server function as the hydrated page does. Returns the status and the answer.
    pub async fn call(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let url = self.portal_address(path);
        let request = self
            .request(Method::POST, &url)
            .header(ACCEPT, "application/json")
            .header(ORIGIN, &self.portal)
            .header("sec-fetch-site", "same-origin")
            .json(body);
        let page = self.once(request).await;
        let value = serde_json::from_str(&page.body).unwrap_or(Value::String(page.body));
        (page.status, value)
    }

    /// Sends a form as the hydrated page does. Returns the status and the answer.
    pub async fn call_form(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let url = self.portal_address(path);
        let request = self
            .request(Method::POST, &url)
            .header(ACCEPT, "application/json")
            .header(ORIGIN, &self.portal)
            .header("sec-fetch-site", "same-origin")
            .form(fields);
        let page = self.once(request).await;
        let value = serde_json::from_str(&page.body).unwrap_or(Value::String(page.body));
        (page.status, value)
    }

    /// Calls a server function that must succeed.
    pub async fn read(&mut self, path: &str, body: &Value) -> Value {
        let (status, value) = self.call(path, body).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// A bare request to the portal, as another program would make it.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, &self.portal_address(path))
    }

    /// Opens a stream of events.
    pub async fn events(&self, path: &str, last_seen: Option<&str>) -> Result<Events, u16> {
        let mut request = self
            .request(Method::GET, &self.portal_address(path))
            .header(ACCEPT, "text/event-stream")
            .header("sec-fetch-site", "same-origin");
        if let Some(last) = last_seen {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        if response.status().is_success() {
            Ok(Events::new(response))
        } else {
            Err(response.status().as_u16())
        }
    }

    /// Signs in from the start page.
    pub async fn sign_in(&mut self, upn: &str) -> Page {
        let page = self.open("/auth/sign-in").await;
        self.consent(page, upn, "accept").await
    }

    /// Goes through Entra's pages, until they lead back to the portal or to an error.
    pub async fn consent(&mut self, page: Page, upn: &str, decision: &str) -> Page {
        let page = self.through_entra(page, upn, decision).await;
        self.follow(page).await
    }

    /// Goes through Entra's pages, and stops at the redirect after the last of them.
    pub async fn through_entra(&mut self, mut page: Page, upn: &str, decision: &str) -> Page {
        for _ in 0..6 {
            let Some(form) = page.forms().into_iter().next() else {
                return page;
            };
            if page.body.contains("AADSTS") {
                return page;
            }
            let mut fields = form.fields.clone();
            let mut add = |name: &str, value: &str| fields.push((name.into(), value.into()));
            if form.offers("login") {
                add("login", upn);
                add("password", PASSWORD);
            } else if form.offers("account") {
                add("account", "other");
            } else if form.offers("decision") {
                add("decision", decision);
            } else {
                return page;
            }
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let answer = self.submit_once(&form.action, &fields).await;
            if answer.status == 200 {
                page = answer;
                continue;
            }
            let next = self.address(answer.header(LOCATION.as_str()));
            if next.starts_with(&self.portal) {
                return answer;
            }
            page = self.follow(answer).await;
        }
        panic!("Entra asks without end: {}", page.text());
    }

    /// The same browser, with its cookies, at another process of the same portal.
    pub fn moved_to(&self, portal: &str) -> Self {
        let mut moved = self.clone();
        moved
            .cookies
            .insert(portal.to_owned(), self.portal_cookies());
        portal.clone_into(&mut moved.portal);
        moved.at = format!("{portal}/");
        moved
    }

    pub fn portal_cookies(&self) -> BTreeMap<String, String> {
        self.cookies.get(&self.portal).cloned().unwrap_or_default()
    }
}
