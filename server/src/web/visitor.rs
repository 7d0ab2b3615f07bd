//! The request context: who makes a request. It is determined once, before anything else is done.

use std::fmt;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use domain::{id::SessionRef, person::Operator};
use tower_sessions::Session;

use super::{Web, browser, forms, limits, refusal::Refusal, session};

/// The person and the browser behind a request.
#[derive(Clone, Default)]
pub(super) struct Visitor {
    /// None when nobody is signed in.
    pub operator: Option<Operator>,
    pub session: Option<SessionRef>,
    /// The secret that binds attempts to sign in or to consent to this browser.
    pub browser: Option<String>,
}

/// Leaves out the browser's secret.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field(
                "operator",
                &self.operator.as_ref().map(|operator| operator.id),
            )
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Visitor {
    /// The operator, if the operator has a role. Otherwise the error response.
    pub(super) fn with_role(&self) -> Result<&Operator, Refusal> {
        let operator = self.operator.as_ref().ok_or_else(Refusal::signed_out)?;
        match operator.role {
            Some(_) => Ok(operator),
            None => Err(Refusal::no_role()),
        }
    }
}

/// Paths where an attempt begins that must return to the same browser.
const BEGINNINGS: [&str; 4] = [
    "/auth/sign-in",
    "/api/connect",
    "/api/reconnect",
    "/api/join",
];

/// Puts the [`Visitor`] into the request, and redirects people who may not see the page.
pub(super) async fn identify(
    State(web): State<Web>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    // Some requests are no use of the session: a stream of events stays open for hours without
    // anybody there, and a page makes background requests without anybody having touched it.
    let counts =
        !path.starts_with("/live/") && !request.headers().contains_key(app::BACKGROUND_HEADER);
    let strangers = &web.inner.limits_of_strangers;
    let named = match strangers.named(&session, &request) {
        Ok(named) => named,
        Err(wait) => return limits::too_often(wait),
    };
    let signed_in = match session::signed_in(&web, &session, counts).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(named) = named {
        strangers.learn(&named, signed_in.is_some());
    }
    let begins = BEGINNINGS.contains(&path.as_str());
    let browser = browser::secret(request.headers()).or_else(|| begins.then(browser::new_secret));
    let cookie = begins
        .then(|| browser.as_deref().and_then(browser::cookie))
        .flatten();
    let (operator, session) = signed_in.unzip();
    let visitor = Visitor {
        operator,
        session,
        browser,
    };
    if let Some(failed) = forms::arrived(&web, &visitor, request.uri_mut()) {
        request.extensions_mut().insert(failed);
    }
    if let Some(elsewhere) = sent_elsewhere(&request, &visitor) {
        return elsewhere;
    }
    let form = path
        .starts_with("/api/")
        .then(|| (path.to_owned(), visitor.clone()));
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    if let Some((form, visitor)) = form {
        forms::leaves(&web, &visitor, &form, &mut response);
    }
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Pages that need a role. All other routes check by themselves: server functions and downloads
/// answer with an error instead of a redirect.
const GUARDED: [&str; 5] = ["/customers", "/exposure", "/running", "/people", "/account"];

fn sent_elsewhere(request: &Request, visitor: &Visitor) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri().path();
    let guarded = GUARDED.iter().any(|page| {
        path.strip_prefix(page)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if !guarded {
        return None;
    }
    let to = match &visitor.operator {
        None => {
            let here = request
                .uri()
                .path_and_query()
                .map_or(path, |whole| whole.as_str());
            format!("/?return_to={}", encoded(here))
        }
        Some(operator) if operator.role.is_none() => "/waiting".to_owned(),
        Some(_) => return None,
    };
    see_other(&to)
}

/// `303 See Other`. None when the address cannot stand in a header.
pub(super) fn see_other(to: &str) -> Option<Response> {
    let to = HeaderValue::from_str(to).ok()?;
    Some((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
}

/// Percent-encodes a text as a query value.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for half in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                    out.push(digit.to_ascii_uppercase());
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::body::Body;

    use super::*;

    fn elsewhere(method: &str, uri: &str) -> Option<String> {
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .body(Body::empty())
            .unwrap();
        let response = sent_elsewhere(&request, &Visitor::default())?;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let to = response.headers().get(header::LOCATION)?;
        Some(to.to_str().unwrap().to_owned())
    }

    #[test]
    fn pages_come_back_after_the_sign_in() {
        assert_eq!(
            elsewhere("GET", "/customers?search=a%20b&page=2").as_deref(),
            Some("/?return_to=/customers%3Fsearch%3Da%2520b%26page%3D2")
        );
        assert_eq!(
            elsewhere("HEAD", "/running").as_deref(),
            Some("/?return_to=/running")
        );
    }

    #[test]
    fn what_is_open_or_answers_by_itself_stays() {
        for (method, uri) in [
            ("GET", "/"),
            ("GET", "/waiting"),
            ("GET", "/join/abc"),
            ("GET", "/auth/sign-in"),
            ("GET", "/customersx"),
            ("POST", "/api/customers"),
            ("POST", "/customers"),
        ] {
            assert_eq!(elsewhere(method, uri), None, "{method} {uri}");
        }
    }
}
