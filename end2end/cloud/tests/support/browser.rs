//! A browser without scripts: it opens pages and sends their forms.

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};

use super::{REDIRECT, World};

/// Where an interactive sign-in ended.
#[derive(Debug)]
pub enum Landed {
    /// Back at the client, with these parameters.
    Client(Vec<(String, String)>),
    /// On a page.
    Page(StatusCode, String),
}

impl Landed {
    pub fn parameter(&self, name: &str) -> Option<String> {
        match self {
            Self::Client(pairs) => pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone()),
            Self::Page(..) => None,
        }
    }

    pub fn code(&self) -> String {
        self.parameter("code")
            .unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    pub fn page(&self) -> &str {
        match self {
            Self::Page(_, html) => html,
            Self::Client(pairs) => panic!("no page: {pairs:?}"),
        }
    }
}

/// A browser's cookie jar and habits.
pub struct Browser<'a> {
    world: &'a World,
    cookie: Option<String>,
}

/// The value of a hidden field, or of the button with that name.
fn field(html: &str, name: &str) -> Option<String> {
    let marker = format!("name=\"{name}\" value=\"");
    let rest = &html[html.find(&marker)? + marker.len()..];
    Some(rest[..rest.find('"')?].to_owned())
}

/// Where the page's form goes.
fn action(html: &str) -> Option<String> {
    let rest = &html[html.find("action=\"")? + 8..];
    Some(rest[..rest.find('"')?].to_owned())
}

impl<'a> Browser<'a> {
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            cookie: None,
        }
    }

    /// Opens the authorize address.
    pub async fn open(&mut self, authority: &str, extra: &[(&str, &str)]) -> Landed {
        let mut query = vec![
            ("client_id", self.world.client_id()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("state", "the state"),
            ("nonce", "the nonce"),
        ];
        for pair in extra {
            query.retain(|(name, _)| name != &pair.0);
            query.push(*pair);
        }
        let request = self
            .world
            .http
            .get(
                self.world
                    .url(&format!("/{authority}/oauth2/v2.0/authorize")),
            )
            .query(&query)
            .headers(self.headers());
        let response = request.send().await.unwrap();
        self.land(response).await
    }

    /// Opens any other address.
    pub async fn visit(&mut self, path: &str) -> Landed {
        let request = self
            .world
            .http
            .get(self.world.url(path))
            .headers(self.headers());
        let response = request.send().await.unwrap();
        self.land(response).await
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = &self.cookie {
            headers.insert("cookie", cookie.parse().unwrap());
        }
        headers
    }

    async fn land(&mut self, response: Response) -> Landed {
        if let Some(cookie) = response.headers().get("set-cookie") {
            let text = cookie.to_str().unwrap();
            self.cookie = Some(text.split(';').next().unwrap().to_owned());
        }
        match response.headers().get(LOCATION) {
            Some(location) => {
                let location = location.to_str().unwrap().to_owned();
                let query = location.split_once('?').map_or("", |(_, query)| query);
                Landed::Client(cloud::http_parts::parse_pairs(query))
            }
            None => {
                let status = response.status();
                Landed::Page(status, response.text().await.unwrap())
            }
        }
    }

    /// Sends the form of a page.
    pub async fn submit(&mut self, page: &str, fields: &[(&str, &str)]) -> Landed {
        let flow = field(page, "flow").expect("the page has no form");
        let mut form = vec![("flow", flow.as_str())];
        form.extend_from_slice(fields);
        let response = self
            .world
            .http
            .post(self.world.url(&action(page).unwrap()))
            .form(&form)
            .headers(self.headers())
            .send()
            .await
            .unwrap();
        self.land(response).await
    }

    /// Signs in with the password `demo`, and accepts what is asked.
    pub async fn sign_in(&mut self, authority: &str, upn: &str, extra: &[(&str, &str)]) -> Landed {
        let landed = self.open(authority, extra).await;
        let landed = match &landed {
            Landed::Page(_, html) if html.contains("name=\"password\"") => {
                self.submit(html, &[("login", upn), ("password", "demo")])
                    .await
            }
            _ => landed,
        };
        match &landed {
            Landed::Page(_, html) if html.contains("name=\"decision\"") => {
                self.submit(html, &[("decision", "accept")]).await
            }
            _ => landed,
        }
    }
}
