//! The binary itself: its settings, its exit codes, its log.

use std::{
    net::TcpListener,
    process::{Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::history::Event;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::Connection as _;
use store::testing::TestDatabase;
use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    task::JoinHandle,
};

use crate::support::{Accounts, Browser, SPEED, Stack, free_port, start_cloud, until};

/// The key of the process under test.
const KEY: &str = "iSizq2GDdSHENlNMr7IU3rzZf7Mf3G8mdjqptlcjFPE=";

/// Without any setting of whoever runs the tests.
fn postern(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .args(arguments)
        .env_clear()
        .envs(std::env::var("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn text(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

async fn run(mut command: Command) -> (i32, String, String) {
    text(&command.output().await.expect("the binary"))
}

#[tokio::test]
async fn says_what_it_is() {
    let (code, out, _) = run(postern(&["--version"])).await;
    assert_eq!(code, 0);
    assert!(out.starts_with("postern "), "{out}");
    let (code, out, _) = run(postern(&["serve", "--help"])).await;
    assert_eq!(code, 0);
    for name in [
        "POSTERN_LISTEN",
        "POSTERN_PARTNER_TENANTS",
        "POSTERN_MASTER_KEYS",
        "DATABASE_URL",
    ] {
        assert!(out.contains(name), "{name} is not in {out}");
    }
}

#[tokio::test]
async fn tells_all_that_is_wrong_with_its_settings() {
    let mut command = postern(&["serve"]);
    command
        .env("POSTERN_LISTN", "127.0.0.1:1")
        .env("POSTERN_PUBLIC_URL", "http://portal.example")
        .env("POSTERN_MASTER_KEYS", "not-a-key-but-secret");
    let (code, out, err) = run(command).await;
    assert_eq!(code, 2, "{err}");
    assert_eq!(out, "");
    for part in [
        "POSTERN_LISTN: there is no such setting. Did you mean POSTERN_LISTEN?",
        "POSTERN_PUBLIC_URL: ",
        "DATABASE_URL: it is not set.",
        "POSTERN_CLIENT_ID: it is not set.",
        "POSTERN_CLIENT_SECRET: it is not set, and neither is POSTERN_CLIENT_CERTIFICATE.",
        "POSTERN_MASTER_KEYS: ",
    ] {
        assert!(err.contains(part), "{part} is missing in {err}");
    }
    assert!(!err.contains("not-a-key-but-secret"), "{err}");
}

/// The settings of a process beside a cloud.
fn settings(command: &mut Command, cloud: &str, accounts: &Accounts, database: &TestDatabase) {
    let site = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    command
        .env("DATABASE_URL", database.server_url.expose_secret())
        .env("POSTERN_CLIENT_ID", &accounts.client_id)
        .env("POSTERN_CLIENT_SECRET", &accounts.client_secret)
        .env("POSTERN_PARTNER_TENANTS", &accounts.partner_tenant)
        .env("POSTERN_FIRST_OWNER", accounts.owner())
        .env("POSTERN_MASTER_KEYS", format!("k1:{KEY}"))
        .env("POSTERN_PACE", SPEED.to_string())
        .env("POSTERN_SITE", site)
        .env("POSTERN_AUTHORITY", cloud)
        .env("POSTERN_GRAPH", cloud)
        .env("POSTERN_EXCHANGE", cloud);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_taken_port_is_told_by_its_setting() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = postern(&["serve", "--listen", &address]);
    settings(&mut command, cloud.url(), &accounts, &database);
    let (code, _, err) = run(command).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("POSTERN_LISTEN"), "{err}");
    assert!(err.contains("is taken by another program"), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refuses_a_database_role_that_sees_too_much() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let mut command = postern(&["serve", "--listen", &format!("127.0.0.1:{}", free_port())]);
    settings(&mut command, cloud.url(), &accounts, &database);
    command.env("DATABASE_URL", database.superuser_url().expose_secret());
    let (code, _, err) = run(command).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("superuser"), "{err}");
}

/// A whole portal as a process, with its log, which is read all the time: a pipe holds little.
struct Process {
    child: Child,
    log: JoinHandle<String>,
    url: String,
    metrics: String,
}

async fn start(cloud: &str, accounts: &Accounts, database: &TestDatabase) -> Process {
    start_with(cloud, accounts, database, &[]).await
}

/// `more`: settings beside the usual ones.
async fn start_with(
    cloud: &str,
    accounts: &Accounts,
    database: &TestDatabase,
    more: &[(&str, &str)],
) -> Process {
    let (port, metrics) = (free_port(), free_port());
    let url = format!("http://localhost:{port}");
    let mut command = postern(&["serve"]);
    settings(&mut command, cloud, accounts, database);
    command
        .env("POSTERN_LISTEN", format!("127.0.0.1:{port}"))
        .env("POSTERN_METRICS_LISTEN", format!("127.0.0.1:{metrics}"))
        .env("POSTERN_PUBLIC_URL", &url)
        .envs(more.iter().copied());
    let mut child = command.spawn().expect("the binary");
    let mut stream = child.stderr.take().expect("a log");
    let log = tokio::spawn(async move {
        let mut log = String::new();
        stream.read_to_string(&mut log).await.expect("a log");
        log
    });
    let metrics = format!("http://127.0.0.1:{metrics}");
    let health = format!("{metrics}/healthz");
    until("the portal", || async {
        let answer = reqwest::get(&health).await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    Process {
        child,
        log,
        url,
        metrics,
    }
}

impl Process {
    /// SIGTERM. Gives the exit code and the log.
    async fn stop(mut self) -> (i32, String) {
        let id = self.child.id().expect("a process").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.expect("kill").success());
        let log = self.log.await.expect("a log");
        let status = self.child.wait().await.expect("an end");
        (status.code().unwrap_or(-1), log)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn neither_log_nor_numbers_tell_secrets() {
    nothing_tells_secrets(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f20_nor_does_the_log_whatever_rust_log_says() {
    let everything = "trace,hyper=trace,hyper::proto=trace,h2=trace,reqwest=trace,rustls=trace,\
                      sqlx=trace,tower_sessions=trace,tower_sessions_core=trace";
    nothing_tells_secrets(&[("RUST_LOG", everything)]).await;
}

/// Takes an attempt out of the database and puts it back: only so can a test know its verifier.
async fn peek(database: &TestDatabase, state: &str, browser: &str) -> [String; 2] {
    let key = STANDARD.decode(KEY).expect("a key");
    let ring = vec![("k1".to_owned(), key.try_into().expect("32 bytes"))];
    let vault = store::Vault::new(ring).expect("a vault");
    let store = store::Store::connect(&database.server_url, 2, vault)
        .await
        .expect("a store");
    let taken = store
        .take_sign_in(state, browser, domain::Timestamp::from_millis(0))
        .await
        .expect("an answer");
    let store::TakenSignIn::Found(attempt) = taken else {
        panic!("the attempt is not there: {taken:?}");
    };
    store
        .put_sign_in(&attempt, state, browser)
        .await
        .expect("an attempt");
    store.close().await;
    [attempt.nonce, attempt.verifier.expose_secret().to_owned()]
}

async fn nothing_tells_secrets(more: &[(&str, &str)]) {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let process = start_with(cloud.url(), &accounts, &database, more).await;
    let mut owner = Browser::new(&process.url);
    let page = owner.open("/auth/sign-in").await;
    let state = cloud
        .with_world(|world| {
            world
                .entra
                .flows
                .values()
                .map(|flow| flow.state.clone())
                .next()
        })
        .flatten()
        .expect("an attempt at Entra");
    let browser = owner.portal_cookies()["__Host-postern-signin"].clone();
    let mut secrets: Vec<String> = peek(&database, &state, &browser).await.into();
    secrets.push(browser);
    let page = owner.through_entra(page, &accounts.owner(), "accept").await;
    let back = owner.follow_until_back(page).await;
    let page = owner.open(&back).await;
    assert_eq!(page.status, 200, "{}", page.text());

    let stack = Stack::beside(cloud, accounts, database).await;
    let domain = "fabrikam.example";
    let customer = stack.connect(&mut owner, domain).await;
    let (_, link) = owner
        .call_form("/api/make_link", &[("customer", &customer)])
        .await;
    let link = link.as_str().expect("a link").to_owned();
    Browser::new(&process.url).open(&link).await;
    let chosen = stack
        .choose(&mut owner, &customer, domain, "Reception Mailer")
        .await;
    let secret = chosen.application.secret.clone();
    let setup = chosen.start(&mut owner, &secret).await;
    let mut events = owner
        .events(&format!("/live/setups/{customer}/{setup}"), None)
        .await
        .expect("a stream");
    stack.settled(&owner, &customer, &setup, &["done"]).await;

    let numbers = reqwest::get(format!("{}/metrics", process.metrics))
        .await
        .expect("numbers")
        .text()
        .await
        .expect("text");
    assert!(numbers.contains("http_requests_total{"), "{numbers}");
    for path in ["/healthz", "/readyz"] {
        let answer = reqwest::get(format!("{}{path}", process.metrics)).await;
        assert_eq!(answer.expect("an answer").status(), 200, "{path}");
    }
    assert!(events.next().await.is_some());
    // A stream is open: it ends, and so does the process.
    let (code, log) = tokio::time::timeout(std::time::Duration::from_secs(20), process.stop())
        .await
        .expect("it does not stop");
    assert_eq!(code, 0, "{log}");

    secrets.extend(owner.portal_cookies().into_values());
    let refresh_tokens: Vec<String> = stack
        .cloud
        .with_world(|world| world.entra.refresh.keys().cloned().collect());
    assert!(refresh_tokens.len() >= 2, "{refresh_tokens:?}");
    secrets.extend(refresh_tokens);
    secrets.push(secret);
    secrets.push(stack.accounts.client_secret.clone());
    secrets.push(link.rsplit('/').next().expect("a token").to_owned());
    let (_, query) = back.split_once('?').expect("a query");
    secrets.extend(query.split('&').map(|pair| {
        let (_, value) = pair.split_once('=').expect("a value");
        value.to_owned()
    }));
    secrets.retain(|secret| secret.len() > 12);
    assert!(secrets.len() >= 10, "{secrets:?}");
    // What every JSON Web Token begins with: access tokens, ID tokens, assertions.
    secrets.push("eyJ".to_owned());
    for secret in &secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
        assert!(!numbers.contains(secret), "{secret} is among the numbers");
    }
    for name in [customer.as_str(), setup.as_str(), domain] {
        assert!(!numbers.contains(name), "{name} is among the numbers");
    }
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["message"].is_string(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn history_is_verified() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    let verify = || {
        let mut command = postern(&["verify-history"]);
        command.env(
            "DATABASE_OWNER_URL",
            stack.database.owner_url.expose_secret(),
        );
        command.env("POSTERN_MASTER_KEYS", store::testing::RING);
        run(command)
    };
    let (code, out, err) = verify().await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains(&format!("whole  customer {customer}")),
        "{out}"
    );
    assert!(out.contains(" 0 broken"), "{out}");

    // Only somebody who can switch off the triggers can change an entry; and it shows.
    let mut database = stack.database.superuser().await.expect("a connection");
    for statement in [
        "alter table events disable trigger all",
        "update events set what = 'Nothing happened.' where seq = 2",
    ] {
        sqlx::query(statement)
            .execute(&mut database)
            .await
            .expect("a change");
    }
    database.close().await.expect("an end");
    let (code, out, _) = verify().await;
    assert_eq!(code, 1);
    assert!(
        out.contains(&format!("BROKEN  customer {customer}, entry 2")),
        "{out}"
    );
    let (status, _) = owner.call("/api/me", &json!({})).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f24_health_is_told_where_the_numbers_are() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let process = start(cloud.url(), &accounts, &database).await;
    for path in ["/healthz", "/readyz"] {
        for (place, status) in [(&process.metrics, 200), (&process.url, 404)] {
            let answer = reqwest::get(format!("{place}{path}")).await;
            assert_eq!(answer.expect("an answer").status(), status, "{place}{path}");
        }
    }
    let (code, log) = process.stop().await;
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("is no loopback address"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f03_behind_https_the_proxies_are_said_or_the_server_does_not_start() {
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let https = ("POSTERN_PUBLIC_URL", "https://portal.example");
    let mut command = postern(&["serve"]);
    settings(&mut command, cloud.url(), &accounts, &database);
    let (code, _, err) = run({
        command.envs([https]);
        command
    })
    .await;
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("POSTERN_TRUSTED_PROXIES: it is not set."),
        "{err}"
    );
    for (proxies, warned) in [("0", true), ("1", false)] {
        let more = [https, ("POSTERN_TRUSTED_PROXIES", proxies)];
        let process = start_with(cloud.url(), &accounts, &database, &more).await;
        let (code, log) = process.stop().await;
        assert_eq!(code, 0, "{log}");
        assert_eq!(log.contains("counts as one client"), warned, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_heads_are_written_and_compared_and_a_ring_that_is_missing_is_said() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    let folder = std::env::temp_dir().join(format!("postern-heads-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).expect("a folder");
    let file = folder.join("heads.txt");
    let file = file.to_str().expect("a path");
    let verify = |arguments: &[&str], keys: bool| {
        let mut command = postern(&[&["verify-history"], arguments].concat());
        command.env(
            "DATABASE_OWNER_URL",
            stack.database.owner_url.expose_secret(),
        );
        if keys {
            command.env("POSTERN_MASTER_KEYS", store::testing::RING);
        }
        run(command)
    };
    let (code, out, err) = verify(&["--write", file], true).await;
    assert_eq!(code, 0, "{out} {err}");
    let heads = std::fs::read_to_string(file).expect("heads");
    assert!(heads.contains(&format!("customer:{customer} ")), "{heads}");
    assert!(heads.contains("partner:"), "{heads}");
    let (code, out, _) = verify(&["--against", file], true).await;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("all 2 heads that were kept are there"),
        "{out}"
    );
    // Without the ring nothing is called whole.
    let (code, out, _) = verify(&["--against", file], false).await;
    assert_eq!(code, 3, "{out}");
    assert!(
        out.contains("UNCHECKED") && out.contains("the key test"),
        "{out}"
    );
    assert!(!out.contains("whole  "), "{out}");
    // A file without heads compares nothing.
    let empty = folder.join("empty.txt");
    std::fs::write(&empty, "INFO postern is up\n").expect("a file");
    let (code, _, err) = verify(&["--against", empty.to_str().expect("a path")], true).await;
    assert_eq!(code, 1);
    assert!(err.contains("nothing could be compared"), "{err}");

    // The newest entry is cut off: the chain is whole, and one line shorter than it was.
    let mut database = stack.database.superuser().await.expect("a connection");
    for statement in [
        "alter table events disable trigger all",
        "delete from events where seq = (select max(seq) from events)",
    ] {
        sqlx::query(statement)
            .execute(&mut database)
            .await
            .expect("a change");
    }
    database.close().await.expect("an end");
    let (code, out, _) = verify(&[], true).await;
    assert_eq!(code, 0, "{out}");
    let (code, out, _) = verify(&["--against", file], true).await;
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("the newest entries were cut off"), "{out}");
    std::fs::remove_dir_all(folder).expect("gone");
}

/// Whoever can write into the database can write a whole chain anew in the form without a key.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn security_f09_entries_without_a_key_are_said_until_a_kept_head_stands_behind_them() {
    let stack = Stack::start().await;
    let mut owner = stack.owner().await;
    let customer = stack.connect(&mut owner, "contoso.example").await;
    let file = std::env::temp_dir().join(format!("postern-heads-{}.txt", uuid::Uuid::new_v4()));
    let path = file.to_str().expect("a path");
    let verify = |arguments: &[&str]| {
        let mut command = postern(&[&["verify-history"], arguments].concat());
        command.env(
            "DATABASE_OWNER_URL",
            stack.database.owner_url.expose_secret(),
        );
        command.env("POSTERN_MASTER_KEYS", store::testing::RING);
        run(command)
    };
    let (code, out, _) = verify(&[]).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.contains(" 0 without a key"), "{out}");
    let download = owner
        .open(&format!("/customers/{customer}/history.json"))
        .await;
    let mut events: Vec<Event> = serde_json::from_str(&download.body).expect("entries");
    events.sort_by_key(|event| event.seq);
    let mut database = stack.database.superuser().await.expect("a connection");
    sqlx::query("alter table events disable trigger all")
        .execute(&mut database)
        .await
        .expect("a change");
    let mut previous = store::FIRST.to_owned();
    for event in &mut events {
        event.key = None;
        event.previous_hash = previous;
        event.hash = store::hash_of(event);
        sqlx::query(
            "update events set key_id = null, previous_hash = decode($2, 'hex'),
                               hash = decode($3, 'hex')
             where customer_id = $1::uuid and seq = $4",
        )
        .bind(&customer)
        .bind(&event.previous_hash)
        .bind(&event.hash)
        .bind(event.seq)
        .execute(&mut database)
        .await
        .expect("a change");
        previous = event.hash.clone();
    }
    database.close().await.expect("an end");
    let said = format!(
        "WITHOUT KEY  customer {customer}, entries 1 to {}",
        events.len()
    );
    let (code, out, _) = verify(&["--write", path]).await;
    assert_eq!(code, 3, "{out}");
    assert!(out.contains(&said), "{out}");
    assert!(
        out.contains(&format!("not all checked  customer {customer}")),
        "{out}"
    );
    // Of old entries it is from now on known that they stay as they are.
    let (code, out, _) = verify(&["--against", path]).await;
    assert_eq!(code, 0, "{out}");
    assert!(!out.contains("WITHOUT KEY"), "{out}");
    // Beside heads that know nothing of them, they do not become known by a new file.
    let heads = std::fs::read_to_string(&file).expect("heads");
    let others = heads.lines().filter(|line| !line.contains(&customer));
    std::fs::write(&file, others.collect::<Vec<_>>().join("\n")).expect("a file");
    let (code, out, _) = verify(&["--against", path, "--write", path]).await;
    assert_eq!(code, 3, "{out}");
    assert!(out.contains(&format!("{path} was not written")), "{out}");
    std::fs::remove_file(file).expect("gone");
}
