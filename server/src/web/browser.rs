//! The cookie that binds attempts to sign in or to consent to one browser.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

const COOKIE: &str = "__Host-postern-signin";
const BYTES: usize = 32;
/// As long as an attempt is valid, in seconds.
const LIVES: u32 = 10 * 60;

/// A new secret for a browser that has none.
pub(super) fn new_secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>())
}

/// The secret that the browser sent. None when it does not have the form of our secrets.
pub(super) fn secret(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
        .filter(|value| {
            URL_SAFE_NO_PAD
                .decode(value)
                .is_ok_and(|bytes| bytes.len() == BYTES)
        })
        .map(str::to_owned)
}

/// The `Set-Cookie` header. It also extends an existing cookie to the lifetime of the attempt that
/// begins now.
pub(super) fn cookie(secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!(
        "{COOKIE}={secret}; Path=/; Max-Age={LIVES}; HttpOnly; Secure; SameSite=Lax"
    ))
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that removes the cookie.
pub(super) fn removal() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-postern-signin=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sent(cookies: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        secret(&headers)
    }

    #[test]
    fn finds_its_own_secret_among_others() {
        let secret = new_secret();
        assert_eq!(
            sent(&format!("a=b; {COOKIE}={secret}; c=d")).as_ref(),
            Some(&secret)
        );
        assert!(cookie(&secret).is_some());
        assert_ne!(secret, new_secret());
        assert!(
            removal()
                .to_str()
                .unwrap()
                .starts_with(&format!("{COOKIE}=;"))
        );
    }

    #[test]
    fn takes_nothing_that_it_did_not_make() {
        for cookies in [
            "a=b".to_owned(),
            format!("{COOKIE}="),
            format!("{COOKIE}=short"),
            format!("{COOKIE}={}", "x".repeat(5000)),
            format!("other-{COOKIE}={}", new_secret()),
        ] {
            assert_eq!(sent(&cookies), None, "{cookies}");
        }
    }
}
