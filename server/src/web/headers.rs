//! Security headers of every response.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;

use super::Web;

const FIXED: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-write=(self)",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
/// Makes the browser clear cached pages of the session and the site's storage on sign-out. The
/// value does not include "cookies", which would also clear those of other programs on this host.
pub(super) const FORGET: (HeaderName, HeaderValue) = (
    HeaderName::from_static("clear-site-data"),
    HeaderValue::from_static("\"cache\", \"storage\""),
);
/// Two years, as HSTS preload lists require.
const HSTS: &str = "max-age=63072000; includeSubDomains";
/// The policy of every response that is no page: nothing in it may run or load.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Creates the page's nonce, and sets the headers.
pub(super) async fn secure(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    complete_cookies(headers);
    let https = web.inner.public_url.is_https();
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(HSTS),
        );
    }
    let policy = if is_page(headers) {
        HeaderValue::from_str(&page_policy(
            &nonce.to_string(),
            &web.inner.authority,
            https,
        ))
        .unwrap_or(HeaderValue::from_static(NOTHING))
    } else {
        HeaderValue::from_static(NOTHING)
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    // Pages behind a session must not stay in a cache. Files set their own cache lifetime.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Adds the missing attributes to `__Host-` cookies. Browsers accept such a cookie only with
/// `Secure`, also when it is removed, and the session layer removes its cookie without `Secure` and
/// the other attributes.
fn complete_cookies(headers: &mut HeaderMap) {
    if !headers.contains_key(header::SET_COOKIE) {
        return;
    }
    let cookies: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(complete)
        .collect();
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
}

fn complete(cookie: &HeaderValue) -> HeaderValue {
    const NEEDED: [(&str, &str); 4] = [
        ("path", "Path=/"),
        ("httponly", "HttpOnly"),
        ("secure", "Secure"),
        ("samesite", "SameSite=Lax"),
    ];
    let Ok(text) = cookie.to_str() else {
        return cookie.clone();
    };
    if !text.starts_with("__Host-") {
        return cookie.clone();
    }
    let has = |name: &str| {
        text.split(';').skip(1).any(|part| {
            let (found, _) = part.split_once('=').unwrap_or((part, ""));
            found.trim().eq_ignore_ascii_case(name)
        })
    };
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|(name, _)| !has(name))
        .map(|(_, attribute)| attribute)
        .collect();
    if missing.is_empty() {
        return cookie.clone();
    }
    let mut whole = HeaderValue::from_str(&format!("{text}; {}", missing.join("; ")))
        .unwrap_or_else(|_| cookie.clone());
    whole.set_sensitive(true);
    whole
}

fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"))
}

/// The content security policy of pages. `form-action` names Entra too, because browsers apply it
/// to the redirects after a form.
///
/// `trusted-types`: texts become markup only through the policy that the document itself makes, and
/// never become code or the address of code (`app::shell`).
fn page_policy(nonce: &str, authority: &str, https: bool) -> String {
    // On plain http the portal is reachable on this machine only, and has no https to upgrade to.
    let upgrade = if https {
        "; upgrade-insecure-requests"
    } else {
        ""
    };
    format!(
        "default-src 'none'; \
         script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; \
         connect-src 'self'; \
         font-src 'self'; \
         manifest-src 'self'; \
         form-action 'self' {authority}; \
         base-uri 'none'; \
         frame-ancestors 'none'; \
         require-trusted-types-for 'script'; \
         trusted-types default{upgrade}"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn completed(cookies: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie.parse().unwrap());
        }
        complete_cookies(&mut headers);
        headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn security_f13_a_removal_is_one_that_browsers_take() {
        let whole = "__Host-postern=x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=3600";
        assert_eq!(
            completed(&[
                "__Host-postern=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                whole,
                "other=1; Path=/x",
                "__Host-postern-signin=; Secure",
            ]),
            [
                "__Host-postern=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
                 HttpOnly; Secure; SameSite=Lax",
                whole,
                "other=1; Path=/x",
                "__Host-postern-signin=; Secure; Path=/; HttpOnly; SameSite=Lax",
            ]
        );
        assert!(completed(&[]).is_empty());
    }

    #[test]
    fn security_f24_only_https_is_upgraded() {
        let of = |https| page_policy("n", "https://login.example", https);
        assert!(of(true).ends_with("; upgrade-insecure-requests"));
        assert!(!of(false).contains("upgrade-insecure-requests"));
        for policy in [of(true), of(false)] {
            assert!(policy.contains("; require-trusted-types-for 'script'; trusted-types default"));
        }
    }
}
