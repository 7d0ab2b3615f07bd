//! The binary itself: its settings, its exit codes, its log.

use std::{
    net::TcpListener,
    process::{Output, Stdio},
};

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
        .env(
            "POSTERN_MASTER_KEYS",
            "k1:l6iqhPUvZfFLQMXFAVFslPKsSwwCTror0PX763viik4=",
        )
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
    let (port, metrics) = (free_port(), free_port());
    let url = format!("http://localhost:{port}");
    let mut command = postern(&["serve"]);
    settings(&mut command, cloud, accounts, database);
    command
        .env("POSTERN_LISTEN", format!("127.0.0.1:{port}"))
        .env("POSTERN_METRICS_LISTEN", format!("127.0.0.1:{metrics}"))
        .env("POSTERN_PUBLIC_URL", &url);
    let mut child = command.spawn().expect("the binary");
    let mut stream = child.stderr.take().expect("a log");
    let log = tokio::spawn(async move {
        let mut log = String::new();
        stream.read_to_string(&mut log).await.expect("a log");
        log
    });
    let health = format!("{url}/healthz");
    until("the portal", || async {
        let answer = reqwest::get(&health).await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    Process {
        child,
        log,
        url,
        metrics: format!("http://127.0.0.1:{metrics}"),
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
    let (cloud, accounts) = start_cloud().await;
    let database = TestDatabase::create().await.expect("a database");
    let process = start(cloud.url(), &accounts, &database).await;
    let mut owner = Browser::new(&process.url);
    let page = owner.open("/auth/sign-in").await;
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

    let mut secrets: Vec<String> = owner.portal_cookies().into_values().collect();
    secrets.push(secret);
    secrets.push(stack.accounts.client_secret.clone());
    secrets.push(link.rsplit('/').next().expect("a token").to_owned());
    let (_, query) = back.split_once('?').expect("a query");
    secrets.extend(query.split('&').map(|pair| {
        let (_, value) = pair.split_once('=').expect("a value");
        value.to_owned()
    }));
    secrets.retain(|secret| secret.len() > 12);
    assert!(secrets.len() >= 6, "{secrets:?}");
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
