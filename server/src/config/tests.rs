#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use engine::FirstOwner;
use secrecy::ExposeSecret as _;

const ID: &str = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";
// This key was made for this test.
const KEYS: &str = "k1:pV0sZJq3xkL9cTfWm2YhRb8uGdN5oXiE1aKvQj7SwHM=";

fn arguments() -> ServeArguments {
    ServeArguments {
        role: "all".into(),
        listen: "127.0.0.1:3000".into(),
        public_url: "http://localhost:3000".into(),
        metrics_listen: None,
        client_id: Some(ID.into()),
        authority: "https://login.microsoftonline.com".into(),
        graph: "https://graph.microsoft.com".into(),
        exchange: "https://outlook.office365.com".into(),
        partner_tenants: Some(ID.into()),
        first_owner: Some("olivia@partner.example".into()),
        guests: "refuse".into(),
        invitation_hours: "48".into(),
        partner_names: None,
        session_idle_minutes: "60".into(),
        session_hours: "12".into(),
        trusted_proxies: None,
        pace: "1".into(),
        site: ".".into(),
        workers: "8".into(),
        call_seconds: "60".into(),
    }
}

fn log() -> LogArguments {
    LogArguments { log: "json".into() }
}

fn environment(more: &[(&str, &str)]) -> Environment {
    let secrets = [
        (
            "DATABASE_URL",
            "postgres://postern_server:hunter2@db/postern",
        ),
        ("POSTERN_CLIENT_SECRET", "s3cr3t-value"),
        ("POSTERN_MASTER_KEYS", KEYS),
    ];
    secrets
        .iter()
        .filter(|(name, _)| !more.iter().any(|(other, _)| other == name))
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn mistakes(arguments: &ServeArguments, more: &[(&str, &str)]) -> Vec<Mistake> {
    match Settings::read(arguments, &log(), &environment(more)) {
        Ok(_) => Vec::new(),
        Err(wrong) => wrong.mistakes,
    }
}

fn names(mistakes: &[Mistake]) -> Vec<&str> {
    mistakes
        .iter()
        .map(|mistake| mistake.name.as_str())
        .collect()
}

#[test]
fn reads_what_is_right_and_shows_no_secret() {
    let settings = Settings::read(&arguments(), &log(), &environment(&[])).unwrap();
    assert_eq!(settings.role, Role::All);
    assert_eq!(settings.metrics_listen, None);
    let shown = format!("{settings:?}");
    for secret in ["hunter2", "s3cr3t-value", "pV0sZJq3"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn tells_all_mistakes_at_once() {
    let arguments = ServeArguments {
        role: "boss".into(),
        listen: "localhost".into(),
        public_url: "http://portal.example".into(),
        metrics_listen: Some("9000".into()),
        client_id: None,
        authority: "http://login.example".into(),
        graph: "https://graph.example/v1.0".into(),
        exchange: "ftp://exchange".into(),
        partner_tenants: Some("fabrikam".into()),
        first_owner: Some("olivia".into()),
        guests: "some".into(),
        invitation_hours: "169".into(),
        partner_names: Some("Northwind IT".into()),
        session_idle_minutes: "1".into(),
        session_hours: "25".into(),
        trusted_proxies: Some("many".into()),
        pace: "0.5".into(),
        site: "/there/is/no/such/folder".into(),
        workers: "0".into(),
        call_seconds: "0".into(),
    };
    let found = mistakes(
        &arguments,
        &[
            ("DATABASE_URL", "mysql://root:hunter2@db/x"),
            ("POSTERN_CLIENT_SECRET", " "),
            ("POSTERN_MASTER_KEYS", "k1:c2hvcnQ="),
        ],
    );
    assert_eq!(
        names(&found),
        [
            "POSTERN_ROLE",
            "POSTERN_LISTEN",
            "POSTERN_PUBLIC_URL",
            "POSTERN_METRICS_LISTEN",
            "DATABASE_URL",
            "POSTERN_CLIENT_ID",
            "POSTERN_CLIENT_SECRET",
            "POSTERN_AUTHORITY",
            "POSTERN_GRAPH",
            "POSTERN_EXCHANGE",
            "POSTERN_PARTNER_TENANTS",
            "POSTERN_FIRST_OWNER",
            "POSTERN_GUESTS",
            "POSTERN_INVITATION_HOURS",
            "POSTERN_PARTNER_NAMES",
            "POSTERN_SESSION_IDLE_MINUTES",
            "POSTERN_SESSION_HOURS",
            "POSTERN_TRUSTED_PROXIES",
            "POSTERN_MASTER_KEYS",
            "POSTERN_PACE",
            "POSTERN_SITE",
            "POSTERN_WORKERS",
            "POSTERN_CALL_SECONDS",
        ]
    );
    let text = Wrong { mistakes: found }.to_string();
    assert!(text.starts_with("23 settings are not right."), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(
        text.contains("For example: POSTERN_LISTEN=127.0.0.1:3000"),
        "{text}"
    );
}

#[test]
fn refuses_names_that_are_none() {
    let found = mistakes(
        &arguments(),
        &[
            ("POSTERN_LISTN", "127.0.0.1:1"),
            ("POSTERN_COLOUR_OF_THE_GATE", "green"),
            ("POSTERN_PG_PORT", "5"),
            ("PATH", "/bin"),
        ],
    );
    assert_eq!(
        names(&found),
        ["POSTERN_COLOUR_OF_THE_GATE", "POSTERN_LISTN"]
    );
    let what: Vec<_> = found.iter().map(|mistake| mistake.what.as_str()).collect();
    assert_eq!(what.first(), Some(&"there is no such setting."));
    assert_eq!(
        what.last(),
        Some(&"there is no such setting. Did you mean POSTERN_LISTEN?")
    );
}

#[test]
fn takes_secrets_from_files() {
    let folder = std::env::temp_dir().join(format!("postern-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let (full, empty) = (folder.join("secret"), folder.join("empty"));
    std::fs::write(&full, "from-a-file\n").unwrap();
    std::fs::write(&empty, "\n").unwrap();
    let with = |file: &std::path::Path, inline: &str| {
        let more = [
            ("POSTERN_CLIENT_SECRET", inline),
            ("POSTERN_CLIENT_SECRET_FILE", file.to_str().unwrap()),
        ];
        Settings::read(&arguments(), &log(), &environment(&more))
    };
    let settings = with(&full, "").unwrap();
    let Credential::Secret(secret) = &settings.credential else {
        panic!("{settings:?}");
    };
    assert_eq!(secrecy::ExposeSecret::expose_secret(secret), "from-a-file");
    assert_eq!(
        names(&with(&empty, "").unwrap_err().mistakes),
        ["POSTERN_CLIENT_SECRET_FILE"]
    );
    assert_eq!(
        names(&with(&folder.join("none"), "").unwrap_err().mistakes),
        ["POSTERN_CLIENT_SECRET_FILE"]
    );
    assert_eq!(
        names(&with(&full, "inline").unwrap_err().mistakes),
        ["POSTERN_CLIENT_SECRET"]
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_owner_needs_only_its_url() {
    let read = |pairs: &[(&str, &str)]| {
        let environment = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        OwnerSettings::read(&log(), &environment)
    };
    let owner = ("DATABASE_OWNER_URL", "postgres://owner:pw@db/postern");
    assert_eq!(read(&[owner]).unwrap().server_role, "postern_server");
    let server = ("DATABASE_URL", "postgres://other:pw@db/postern");
    assert_eq!(read(&[owner, server]).unwrap().server_role, "other");
    assert_eq!(
        names(&read(&[]).unwrap_err().mistakes),
        ["DATABASE_OWNER_URL"]
    );
}

#[test]
fn takes_a_secret_or_a_certificate() {
    let certificate = ("POSTERN_CLIENT_CERTIFICATE", "no certificate, but private");
    let alone = mistakes(&arguments(), &[certificate, ("POSTERN_CLIENT_SECRET", "")]);
    assert_eq!(names(&alone), ["POSTERN_CLIENT_CERTIFICATE"]);
    assert!(!format!("{alone:?}").contains("private\""), "{alone:?}");
    let both = mistakes(&arguments(), &[certificate]);
    assert_eq!(names(&both), ["POSTERN_CLIENT_SECRET"]);
}

#[test]
fn security_f10_a_database_elsewhere_needs_a_checked_certificate() {
    let url = "postgres://server:hunter2@db.example/postern?sslmode=require";
    let found = mistakes(&arguments(), &[("DATABASE_URL", url)]);
    assert_eq!(names(&found), ["DATABASE_URL"]);
    let text = Wrong { mistakes: found }.to_string();
    assert!(
        text.contains("sslrootcert") && !text.contains("hunter2"),
        "{text}"
    );
    let known = [
        ("DATABASE_URL", url),
        ("POSTERN_DATABASE_TLS", "unverified"),
    ];
    assert_eq!(mistakes(&arguments(), &known), []);
    let odd = [("POSTERN_DATABASE_TLS", "maybe")];
    assert_eq!(
        names(&mistakes(&arguments(), &odd)),
        ["POSTERN_DATABASE_TLS"]
    );
    let here = [("DATABASE_URL", "postgres://a:b@127.0.0.1/x?sslmode=disable")];
    assert_eq!(mistakes(&arguments(), &here), []);
}

#[test]
fn security_f12_a_command_may_print_the_key_ring() {
    let read = |more: &[(&str, &str)]| {
        let all = [more, &[("POSTERN_MASTER_KEYS", " ")]].concat();
        mistakes(&arguments(), &all)
    };
    let command = format!("printf '{KEYS}'");
    assert_eq!(read(&[("POSTERN_MASTER_KEYS_COMMAND", &command)]), []);
    for (command, part) in [
        ("exit 3", "exit status: 3"),
        ("true", "printed nothing"),
        ("echo k1:c2hvcnQ=", "it needs 32"),
    ] {
        let found = read(&[("POSTERN_MASTER_KEYS_COMMAND", command)]);
        assert_eq!(names(&found), ["POSTERN_MASTER_KEYS_COMMAND"], "{command}");
        assert!(found[0].what.contains(part), "{found:?}");
    }
    let both = [("POSTERN_MASTER_KEYS_COMMAND", command.as_str())];
    assert_eq!(
        names(&mistakes(&arguments(), &both)),
        ["POSTERN_MASTER_KEYS"]
    );
}

#[test]
fn security_f12_a_worker_needs_the_master_keys() {
    let whole = Settings::read(&arguments(), &log(), &environment(&[])).unwrap();
    let ring = whole.vault.for_web().unwrap();
    let web = [("POSTERN_MASTER_KEYS", ring.expose_secret())];
    assert_eq!(
        names(&mistakes(&arguments(), &web)),
        ["POSTERN_MASTER_KEYS"]
    );
    let pages = ServeArguments {
        role: "web".into(),
        ..arguments()
    };
    assert_eq!(mistakes(&pages, &web), []);
}

#[test]
fn security_f02_the_first_owner_is_named() {
    let read = |text: Option<&str>| {
        let arguments = ServeArguments {
            first_owner: text.map(Into::into),
            ..arguments()
        };
        let settings = Settings::read(&arguments, &log(), &environment(&[])).unwrap();
        settings.access.first_owners
    };
    assert_eq!(read(None), []);
    let account = format!("{ID}:{ID}");
    assert_eq!(
        read(Some(&format!("{account}, olivia@partner.example"))),
        [
            FirstOwner::Account {
                tenant: ID.parse().unwrap(),
                object: ID.parse().unwrap(),
            },
            FirstOwner::Upn("olivia@partner.example".into()),
        ]
    );
}

/// The process speaks plain http, so an https address means a proxy. Without a setting about the
/// proxy all people would share one allowance, which a single stranger can use up.
#[test]
fn security_f03_behind_https_the_proxies_must_be_said() {
    let read = |url: &str, role: &str, proxies: Option<&str>| {
        let arguments = ServeArguments {
            public_url: url.into(),
            role: role.into(),
            trusted_proxies: proxies.map(Into::into),
            ..arguments()
        };
        Settings::read(&arguments, &log(), &environment(&[]))
            .map(|settings| settings.strangers.trusted_proxies)
            .map_err(|wrong| wrong.mistakes)
    };
    let https = "https://portal.example";
    for role in ["all", "web"] {
        for unset in [None, Some(""), Some(" ")] {
            let found = read(https, role, unset).unwrap_err();
            assert_eq!(names(&found), ["POSTERN_TRUSTED_PROXIES"], "{role}");
            for part in ["X-Forwarded-For", "Say 0 if none does"] {
                assert!(found[0].what.contains(part), "{found:?}");
            }
            assert_eq!(found[0].example, "POSTERN_TRUSTED_PROXIES=1");
        }
    }
    assert_eq!(read(https, "all", Some("0")), Ok(0));
    assert_eq!(read(https, "all", Some("2")), Ok(2));
    // A worker serves no pages, and on this machine there need be no proxy.
    assert_eq!(read(https, "worker", None), Ok(0));
    assert_eq!(read("http://localhost:3000", "all", None), Ok(0));
    for wrong in ["-1", "17", "all"] {
        let found = read(https, "all", Some(wrong)).unwrap_err();
        assert_eq!(names(&found), ["POSTERN_TRUSTED_PROXIES"], "{wrong}");
    }
}

#[test]
fn security_f01_partners_have_names_from_the_settings() {
    let read = |names: &str, hours: &str| {
        let arguments = ServeArguments {
            partner_names: Some(names.into()),
            invitation_hours: hours.into(),
            ..arguments()
        };
        Settings::read(&arguments, &log(), &environment(&[])).map(|settings| settings.invitations)
    };
    let rules = read(&format!(" {ID} = Northwind IT, Inc. ; "), "1").unwrap();
    let named = rules.partner_names.get(&ID.parse().unwrap());
    assert_eq!(named.map(String::as_str), Some("Northwind IT, Inc."));
    assert_eq!(rules.lives, 3_600_000);
    for wrong in ["Northwind", "Northwind=IT", &format!("{ID}= ")] {
        let found = read(wrong, "48").unwrap_err().mistakes;
        assert_eq!(names(&found), ["POSTERN_PARTNER_NAMES"], "{wrong}");
    }
    for wrong in ["0", "169", "two"] {
        let found = read("", wrong).unwrap_err().mistakes;
        assert_eq!(names(&found), ["POSTERN_INVITATION_HOURS"], "{wrong}");
    }
}
