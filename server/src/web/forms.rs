//! Problems of forms that were sent without JavaScript. They travel in the address to which the
//! browser is redirected. Only a problem that this Postern sealed for this browser is rendered.

use app::{AppError, FailedForm};
use axum::{
    http::{HeaderValue, Uri, header, uri::PathAndQuery},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::FormHolder;

use super::{Web, visitor::Visitor};

/// The query parameters in which leptos puts a form's path and its problem.
const PATH: &str = "__path";
const ERROR: &str = "__err";
/// The header of a failed server function. The last problem in the address is then this function's.
const FAILED: &str = "serverfnerror";

/// The owner of a form's problem. None: the browser is unknown, so no problem can be sent back to
/// it.
fn holder(visitor: &Visitor) -> Option<FormHolder> {
    let session = visitor.session.map(FormHolder::Session);
    session.or_else(|| visitor.browser.clone().map(FormHolder::Browser))
}

/// Removes both parameters from a request's address. Returns the problem if it was sealed here for
/// this browser and this page.
pub(super) fn arrived(web: &Web, visitor: &Visitor, uri: &mut Uri) -> Option<FailedForm> {
    let (kept, sealed) = split(uri.query()?)?;
    let page = uri.path().to_owned();
    let whole = with_query(&page, &kept);
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole.as_str()).ok()?);
    *uri = Uri::from_parts(parts).ok()?;
    let sealed = URL_SAFE_NO_PAD.decode(sealed.trim_end_matches('=')).ok()?;
    let holder = holder(visitor)?;
    let (form, error) = web.engine().open_form_error(&holder, &page, &sealed)?;
    let error: AppError = serde_json::from_str(&error).ok()?;
    Some(FailedForm { form, error })
}

/// Seals the problem in the address to which a form's response redirects the browser. A problem
/// that cannot be sealed is left out.
pub(super) fn leaves(web: &Web, visitor: &Visitor, form: &str, response: &mut Response) {
    let Some(location) = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
    else {
        return;
    };
    let Some((before, query)) = location.split_once('?') else {
        return;
    };
    let Some((kept, plain)) = split(query) else {
        return;
    };
    // Without a failure the problem does not come from this form: the page before may have had it
    // in its address.
    let failed = response.headers().contains_key(FAILED);
    let sealed = failed
        .then(|| seal(web, visitor, path_of(before), form, &plain))
        .flatten();
    let mut query = kept;
    if let Some(sealed) = sealed {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&format!("{ERROR}={sealed}"));
    }
    let whole = with_query(before, &query);
    if let Ok(value) = HeaderValue::from_str(&whole) {
        response.headers_mut().insert(header::LOCATION, value);
    }
}

fn seal(web: &Web, visitor: &Visitor, page: &str, form: &str, plain: &str) -> Option<String> {
    let json = URL_SAFE_NO_PAD.decode(plain.trim_end_matches('=')).ok()?;
    let error = String::from_utf8(json).ok()?;
    let sealed = web
        .engine()
        .seal_form_error(&holder(visitor)?, page, form, &error)?;
    Some(URL_SAFE_NO_PAD.encode(sealed))
}

/// The path of an address, with or without its origin.
fn path_of(address: &str) -> &str {
    let path = address
        .split_once("://")
        .map(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    path.unwrap_or(address)
}

fn with_query(before: &str, query: &str) -> String {
    if query.is_empty() {
        before.to_owned()
    } else {
        format!("{before}?{query}")
    }
}

/// The query without both parameters, and the last problem in it, decoded. None when neither is
/// there.
fn split(query: &str) -> Option<(String, String)> {
    let mut kept: Vec<&str> = Vec::new();
    let mut error = None;
    let mut there = false;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Compared after decoding, because readers of addresses decode parameter names as well.
        match unescaped(name).as_str() {
            ERROR => {
                there = true;
                error = Some(unescaped(value));
            }
            PATH => there = true,
            _ => kept.push(pair),
        }
    }
    there.then(|| (kept.join("&"), error.unwrap_or_default()))
}

/// Decodes text from an address. Undecodable text stays unchanged, and opens nothing.
fn unescaped(text: &str) -> String {
    app::unescaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_f07_finds_both_names_however_they_are_written() {
        for (query, kept, error) in [
            ("__err=abc&__path=%2Fapi%2Fjoin", "", "abc"),
            ("a=1&__path=x&__err=e%3D&b=%26", "a=1&b=%26", "e="),
            ("%5F_err=abc&tenant=x+y", "tenant=x+y", "abc"),
            ("__err=one&__err=two", "", "two"),
            ("__path=x&a=1", "a=1", ""),
        ] {
            assert_eq!(
                split(query),
                Some((kept.to_owned(), error.to_owned())),
                "{query}"
            );
        }
        assert_eq!(split("a=1&err=2"), None);
    }

    #[test]
    fn security_f07_a_page_is_named_by_its_path() {
        for (address, path) in [
            ("/customers", "/customers"),
            ("https://portal.example/join/abc", "/join/abc"),
            ("https://portal.example", "/"),
        ] {
            assert_eq!(path_of(address), path);
        }
    }
}
