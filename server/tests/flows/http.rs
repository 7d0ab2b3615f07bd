//! What every answer looks like, whatever it says.

use std::time::Duration;

use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ORIGIN},
};
use serde_json::json;

use crate::support::{Page, Stack};

fn nonce(page: &Page) -> String {
    let policy = page.header("content-security-policy");
    let (_, rest) = policy.split_once("'nonce-").expect("a nonce");
    rest.split('\'').next().expect("a nonce").to_owned()
}

/// Nothing was cut off: behind the document stand at most the scripts with its data, whole too.
fn is_whole(body: &str) -> bool {
    let Some((_, after)) = body.split_once("</html>") else {
        return false;
    };
    let mut rest = after.replace("<!>", "");
    while let Some((script, more)) = rest.split_once("</script>") {
        if !script.trim_start().starts_with("<script nonce=") {
            return false;
        }
        rest = more.to_owned();
    }
    rest.trim().is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_whole_and_guarded() {
    let stack = Stack::start().await;
    let mut nobody = stack.browser();
    let mut owner = stack.owner().await;
    let mut nonces = Vec::new();
    let mut pages = vec![
        nobody.open_once("/").await,
        nobody.open_once("/no/such/page").await,
        nobody.open_once("/join/abc").await,
        nobody.open_once("/auth/callback?state=x&code=y").await,
    ];
    for path in [
        "/customers",
        "/customers/connect",
        "/customers/6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4",
        "/customers/not-an-id/history",
        "/running",
        "/people",
        "/account",
    ] {
        pages.push(owner.open_once(path).await);
    }
    for page in &pages {
        let url = &page.url;
        assert!(is_whole(&page.body), "{url}: {}", page.body);
        assert_eq!(page.count("h1"), 1, "{url}");
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "'strict-dynamic'",
            "'wasm-unsafe-eval'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(
                policy.contains(part),
                "{url}: {part} is missing in {policy}"
            );
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        assert!(
            policy.contains(&format!("form-action 'self' {};", stack.cloud.url())),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(page.header(name), value, "{url}: {name}");
        }
        assert!(!page.header("x-request-id").is_empty(), "{url}");
        let nonce = nonce(page);
        for script in page.body.split("<script").skip(1) {
            assert!(
                script.contains(&format!("nonce=\"{nonce}\"")),
                "{url}: a script without the nonce: {}",
                script.chars().take(200).collect::<String>()
            );
        }
        assert!(
            !page.body.contains(" style=\""),
            "{url} has an inline style"
        );
        // Pages of the app have their style in themselves, the others name the file.
        let style = format!("<style nonce=\"{nonce}\">body {{ margin: 0 }}</style>");
        let linked = page.body.contains("rel=\"stylesheet\"");
        assert!(page.body.contains(&style) != linked, "{url}: {}", page.body);
        nonces.push(nonce);
    }
    let count = nonces.len();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), count, "a nonce was used twice");
    let statuses: Vec<u16> = pages.iter().map(|page| page.status).collect();
    assert_eq!(
        statuses,
        [200, 404, 200, 400, 200, 200, 404, 404, 200, 200, 200]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn other_sites_change_nothing() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    for (site, origin) in [
        (Some("cross-site"), Some("https://evil.example")),
        (Some("same-site"), Some("http://localhost:1")),
        (None, Some("https://evil.example")),
        (None, Some("null")),
    ] {
        let mut request = owner
            .bare(Method::POST, "/auth/sign-out")
            .header(ACCEPT, "text/html");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let page = owner.once(request).await;
        assert_eq!(page.status, 403, "{site:?} {origin:?}");
        assert_eq!(page.problem().as_deref(), Some("request.cross_site"));
    }
    let (status, _) = owner.call("/api/me", &json!({})).await;
    assert_eq!(status, 200, "still signed in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nonsense_gets_a_clear_answer() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let api = |path: &str| {
        owner
            .bare(Method::POST, path)
            .header(ACCEPT, "application/json")
            .header(ORIGIN, &stack.portal.url)
            .header(CONTENT_TYPE, "application/json")
    };
    let requests = [
        (api("/api/customers").body("{"), [400, 422].as_slice()),
        (api("/api/customers").body("[]"), &[400, 422]),
        (api("/api/customers").body(vec![0xff_u8; 100]), &[400, 422]),
        (api("/api/customers").body("x".repeat(300 * 1024)), &[413]),
        (api("/api/no_such_function").body("{}"), &[404, 405]),
        (
            owner
                .bare(Method::GET, "/api/customers")
                .header(ACCEPT, "application/json"),
            &[405],
        ),
        (
            owner
                .bare(Method::GET, "/auth/sign-out")
                .header(ACCEPT, "application/json"),
            &[405],
        ),
        (
            owner
                .bare(Method::GET, "/customers/x/history.csv")
                .header(ACCEPT, "application/json"),
            &[404],
        ),
        (
            owner
                .bare(Method::GET, "/auth/callback?code=a&code=b&state=c")
                .header(ACCEPT, "application/json"),
            &[400],
        ),
        (
            owner
                .bare(Method::GET, "/live/setups/x/y")
                .header(ACCEPT, "text/event-stream"),
            &[404],
        ),
    ];
    for (request, expected) in requests {
        let page = owner.once(request).await;
        assert!(
            expected.contains(&page.status),
            "{}: {} {}",
            page.url,
            page.status,
            page.body
        );
        if page.status != 404 || page.header("content-type") == "application/json" {
            let told: serde_json::Value =
                serde_json::from_str(&page.body).unwrap_or_else(|_| panic!("{}", page.body));
            assert!(
                told["problem"]["happened"].is_string(),
                "{}: {told}",
                page.url
            );
        }
        for leak in ["panicked", "src/", "sqlx", "serde"] {
            assert!(!page.body.contains(leak), "{}: {}", page.url, page.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_come_compressed_and_say_how_long_they_last() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let request = browser.bare(Method::GET, "/pkg/postern.js");
    let plain = browser.once(request).await;
    assert_eq!(plain.status, 200);
    assert_eq!(plain.header("cache-control"), "no-cache");
    assert!(plain.header("content-type").contains("javascript"));
    let tag = plain.header("etag").to_owned();
    assert!(!tag.is_empty());
    let request = browser
        .bare(Method::GET, "/pkg/postern.js")
        .header("if-none-match", tag);
    assert_eq!(browser.once(request).await.status, 304);

    let request = browser
        .bare(Method::GET, "/pkg/postern.0123456789abcdef.js")
        .header(ACCEPT_ENCODING, "br, gzip");
    let hashed = browser.once(request).await;
    assert_eq!(
        hashed.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(hashed.header("content-encoding"), "br");
    assert_eq!(hashed.body, "compressed before");

    let request = browser.bare(Method::GET, "/pkg/postern.wasm");
    assert_eq!(
        browser.once(request).await.header("content-type"),
        "application/wasm"
    );
    for missing in [
        "/pkg/none.js",
        "/pkg/../Cargo.toml",
        "/pkg/%2e%2e/hash.txt",
        "/pkg/",
    ] {
        let request = browser.bare(Method::GET, missing);
        assert_eq!(browser.once(request).await.status, 404, "{missing}");
    }
    let request = browser.bare(Method::GET, "/favicon.svg");
    assert_eq!(
        browser.once(request).await.header("content-type"),
        "image/svg+xml"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_compressed() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    for (accepts, gets) in [("gzip, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        let request = browser
            .bare(Method::GET, "/")
            .header(ACCEPT, "text/html")
            .header(ACCEPT_ENCODING, accepts);
        let response = request.send().await.expect("an answer");
        let encoding = response
            .headers()
            .get("content-encoding")
            .map_or("", |value| value.to_str().expect("text"));
        assert_eq!(encoding, gets);
    }
    // Not to be guessed from a cache: what it sends depends on the browser.
    let page = browser.open_once("/").await;
    assert!(
        page.header("vary")
            .to_lowercase()
            .contains("accept-encoding")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn health_is_told_without_signing_in() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    for path in ["/healthz", "/readyz"] {
        let request = browser.bare(Method::GET, path);
        assert_eq!(browser.once(request).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_page_begins_while_microsoft_is_still_asked() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "fabrikam.example").await;
    let fault = json!({ "host": "graph", "action": { "hang": "before" } });
    stack.cloud.fault(fault).expect("a fault");
    for encoding in ["identity", "br", "gzip"] {
        let mut response = owner
            .bare(Method::GET, &format!("/customers/{customer}"))
            .header(ACCEPT, "text/html")
            .header(ACCEPT_ENCODING, encoding)
            .send()
            .await
            .expect("an answer");
        let mut seen = Vec::new();
        let enough = |seen: &[u8]| match encoding {
            "identity" => String::from_utf8_lossy(seen).contains("Fabrikam A/S"),
            _ => seen.len() > 500,
        };
        while !enough(&seen) {
            let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk());
            let chunk = chunk.await.expect("it waits for Microsoft");
            seen.extend(chunk.expect("a chunk").expect("the page ends too soon"));
        }
    }
}
