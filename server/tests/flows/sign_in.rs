//! Signing in, staying signed in, signing out.

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::{Browser, Stack};

const SESSION: &str = "__Host-postern";

fn has_session(browser: &Browser) -> bool {
    browser.portal_cookies().contains_key(SESSION)
}

async fn me(browser: &mut Browser) -> (u16, Value) {
    browser.call("/api/me", &json!({})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_becomes_owner_and_later_ones_wait() {
    let stack = Stack::start().await;
    let mut owner = stack.browser();
    let page = owner.sign_in(&stack.accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.url.ends_with("/customers"), "{}", page.url);
    assert_eq!(me(&mut owner).await.1["role"], "owner");

    let mut second = stack.browser();
    let page = second.sign_in(&stack.accounts.engineer()).await;
    assert!(page.url.ends_with("/waiting"), "{}", page.url);
    assert_eq!(me(&mut second).await.1["role"], Value::Null);
    let (status, _) = second.call("/api/people", &json!({})).await;
    assert_eq!(status, 403);

    let mut second = stack
        .with_role(&mut owner, &stack.accounts.engineer(), "engineer")
        .await;
    assert_eq!(me(&mut second).await.1["role"], "engineer");
    let page = second.open("/customers").await;
    assert!(page.url.ends_with("/customers"), "{}", page.url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn people_of_other_tenants_stay_outside() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.sign_in("admin@fabrikam.example").await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert_eq!(page.problem().as_deref(), Some("sign_in.foreign_tenant"));
    assert!(page.body.trim_end().ends_with("</html>"));
    assert!(!has_session(&browser));
    assert_eq!(me(&mut browser).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refused_consent_leaves_no_half_session() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open("/auth/sign-in").await;
    let page = browser
        .consent(page, &stack.accounts.owner(), "cancel")
        .await;
    // Entra asks for the simple scopes once per tenant; who has consented before is not asked.
    if page.status == 200 {
        assert!(has_session(&browser));
    } else {
        assert_eq!(page.status, 400, "{}", page.text());
        assert!(page.text().contains("Try again"), "{}", page.text());
        assert!(!has_session(&browser));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_attempt_works_once_and_in_one_browser() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open("/auth/sign-in").await;
    let page = browser
        .through_entra(page, &stack.accounts.owner(), "accept")
        .await;
    let back = browser.follow_until_back(page).await;

    let mut thief = stack.browser();
    let page = thief.open(&back).await;
    assert_eq!(page.status, 400, "{}", page.text());
    assert_eq!(page.problem().as_deref(), Some("sign_in.unknown"));
    assert!(!has_session(&thief));

    let page = browser.open(&back).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(has_session(&browser));

    let page = browser.open(&back).await;
    assert_eq!(page.status, 400, "{}", page.text());
    assert_eq!(page.problem().as_deref(), Some("sign_in.unknown"));
    assert_eq!(me(&mut browser).await.0, 200, "who was signed in stays so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_attempt_is_good_for_ten_minutes() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open("/auth/sign-in").await;
    let page = browser
        .through_entra(page, &stack.accounts.owner(), "accept")
        .await;
    let back = browser.follow_until_back(page).await;
    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query("update sign_ins set created_at = created_at - interval '11 minutes', expires_at = expires_at - interval '11 minutes'")
        .execute(&mut database)
        .await
        .expect("an update");
    database.close().await.expect("an end");
    let page = browser.open(&back).await;
    assert_eq!(page.status, 400, "{}", page.text());
    assert_eq!(page.problem().as_deref(), Some("sign_in.expired"));
    assert!(!has_session(&browser));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_authority_that_is_away_is_told() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open("/auth/sign-in").await;
    let page = browser
        .through_entra(page, &stack.accounts.owner(), "accept")
        .await;
    let back = browser.follow_until_back(page).await;
    stack
        .cloud
        .fault(json!({ "host": "entra", "operation": "token:*", "action": { "status": 503 } }))
        .expect("a fault");
    let page = browser.open(&back).await;
    assert_eq!(page.status, 502, "{}", page.text());
    assert!(page.problem().is_some(), "{}", page.text());
    assert!(!has_session(&browser));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clocks_that_differ_too_much_are_told() {
    let stack = Stack::start().await;
    for (skew, status) in [(120, 200), (3600, 400), (-7200, 400)] {
        stack
            .control("delays", &json!({ "token_skew": skew }))
            .await;
        let mut browser = stack.browser();
        let page = browser.sign_in(&stack.accounts.owner()).await;
        let told = page.text();
        if status == 200 {
            assert_eq!(page.status, 200, "{skew}: {told}");
            assert!(has_session(&browser), "{skew}");
            continue;
        }
        assert!(page.status >= status, "{skew}: {} {told}", page.status);
        assert!(told.contains("clock"), "{skew}: {told}");
        assert!(!has_session(&browser), "{skew}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_browser_comes_back_to_where_it_was_going() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open("/running?filter=all").await;
    assert_eq!(page.status, 200);
    assert!(page.url.contains("/?return_to=/running"), "{}", page.url);
    let page = browser
        .open("/auth/sign-in?return_to=%2Frunning%3Ffilter%3Dall")
        .await;
    let page = browser
        .consent(page, &stack.accounts.owner(), "accept")
        .await;
    assert!(page.url.ends_with("/running?filter=all"), "{}", page.url);

    for evil in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let mut browser = stack.browser();
        let page = browser
            .open(&format!(
                "/auth/sign-in?return_to={}",
                evil.replace('/', "%2F")
            ))
            .await;
        let page = browser
            .consent(page, &stack.accounts.owner(), "accept")
            .await;
        assert!(
            page.url.ends_with("/customers"),
            "{evil} led to {}",
            page.url
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cookies_are_as_strict_as_can_be() {
    let stack = Stack::start().await;
    let mut browser = stack.browser();
    let page = browser.open_once("/auth/sign-in").await;
    let attempt = page.header("set-cookie").to_owned();
    let start = browser.follow(page).await;
    let page = browser
        .through_entra(start, &stack.accounts.owner(), "accept")
        .await;
    let back = browser.follow_until_back(page).await;
    let page = browser.open_once(&back).await;
    assert_eq!(page.status, 303, "{}", page.text());
    // Beside it the cookie of the attempt is taken away.
    let session = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().expect("a cookie").to_owned())
        .find(|cookie| cookie.starts_with("__Host-postern="))
        .expect("a session");
    for (cookie, name) in [
        (attempt, "__Host-postern-signin="),
        (session, "__Host-postern="),
    ] {
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{part} is missing in {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_sign_in_gets_a_new_id_and_ends_the_old_session() {
    let stack = Stack::start().await;
    let mut browser = stack.owner().await;
    let before = browser.portal_cookies()[SESSION].clone();
    let old = browser.clone();
    let page = browser.sign_in(&stack.accounts.owner()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_ne!(browser.portal_cookies()[SESSION], before);
    assert_eq!(me(&mut old.clone()).await.0, 401);
    let sessions = browser.read("/api/sessions", &json!({})).await;
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "{sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_are_listed_and_can_be_ended() {
    let stack = Stack::start().await;
    let mut first = stack.owner().await;
    let mut second = stack.owner().await;
    let mut third = stack.owner().await;
    let sessions = first.read("/api/sessions", &json!({})).await;
    let rows = sessions.as_array().expect("rows").clone();
    assert_eq!(rows.len(), 3, "{sessions}");
    assert!(
        rows.iter().all(|row| row["device"] == "Firefox on Linux"),
        "{sessions}"
    );
    assert_eq!(rows.iter().filter(|row| row["current"] == true).count(), 1);

    let page = second.send_form("/auth/sign-out", &[]).await;
    assert_eq!(page.status, 200);
    assert!(!has_session(&second));
    assert_eq!(me(&mut second).await.0, 401);
    assert_eq!(me(&mut first).await.0, 200);

    let stolen = third.clone();
    let page = first.send_form("/auth/sign-out-everywhere", &[]).await;
    assert_eq!(page.status, 200);
    assert!(!has_session(&first));
    assert_eq!(me(&mut third).await.0, 401);
    assert_eq!(me(&mut stolen.clone()).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_made_up_or_old_cookie_is_nobody() {
    let stack = Stack::start().await;
    for value in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA", "\u{1}", "%00"] {
        let mut browser = stack.browser();
        let jar = browser.cookies.entry(stack.portal.url.clone()).or_default();
        jar.insert(SESSION.to_owned(), value.replace('\u{1}', "~"));
        assert_eq!(me(&mut browser).await.0, 401, "{value}");
    }
    let mut browser = stack.owner().await;
    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query("update sessions set expires_at = now() - interval '1 second'")
        .execute(&mut database)
        .await
        .expect("an update");
    assert_eq!(me(&mut browser).await.0, 401);
    database.close().await.expect("an end");
}
