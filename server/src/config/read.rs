//! From texts to settings.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;
use domain::id::{AppId, TenantId};
use microsoft::{Certificate, Credential, Endpoints};
use secrecy::{ExposeSecret as _, SecretString};
use store::Vault;

use super::{
    Environment, LogArguments, OwnerSettings, Role, ServeArguments, Settings,
    wrong::{Mistakes, Wrong},
};

const SOME_ID: &str = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";
const DATABASE_EXAMPLE: &str = "postgres://postern_server:password@127.0.0.1:5432/postern";
const OWNER_EXAMPLE: &str = "postgres://postern_owner:password@127.0.0.1:5432/postern";
const MOST_WORKERS: usize = 64;
/// Exchange itself gives up after 15 minutes (MICROSOFT.md §1.2).
const LONGEST_CALL: u64 = 450;
const FASTEST: f64 = 1_000_000.0;

impl Settings {
    /// Checks everything that `postern serve` needs.
    ///
    /// # Errors
    /// All mistakes together.
    pub fn read(
        arguments: &ServeArguments,
        log: &LogArguments,
        environment: &Environment,
    ) -> Result<Self, Wrong> {
        let mut wrong = Mistakes::default();
        environment.check_names(&mut wrong);
        let log = one_of("POSTERN_LOG", &log.log, &mut wrong);
        let role = one_of::<Role>("POSTERN_ROLE", &arguments.role, &mut wrong);
        let listen = wrong.take(
            "POSTERN_LISTEN",
            "127.0.0.1:3000",
            address(&arguments.listen),
        );
        let public_url = wrong.take(
            "POSTERN_PUBLIC_URL",
            "https://portal.example",
            arguments.public_url.parse(),
        );
        let metrics_listen = match given(arguments.metrics_listen.as_ref()) {
            None => Some(None),
            Some(text) => wrong
                .take("POSTERN_METRICS_LISTEN", "127.0.0.1:9000", address(text))
                .map(Some),
        };
        let database_url = environment
            .secret("DATABASE_URL", DATABASE_EXAMPLE, &mut wrong)
            .and_then(|url| database("DATABASE_URL", DATABASE_EXAMPLE, url, &mut wrong));
        let client_id = wrong.take(
            "POSTERN_CLIENT_ID",
            SOME_ID,
            client_id(arguments.client_id.as_ref()),
        );
        let credential = credential(environment, &mut wrong);
        let endpoints = endpoints(arguments, &mut wrong);
        let partner_tenants = wrong.take(
            "POSTERN_PARTNER_TENANTS",
            SOME_ID,
            tenants(arguments.partner_tenants.as_ref()),
        );
        let vault = environment
            .secret("POSTERN_MASTER_KEYS", KEYS_EXAMPLE, &mut wrong)
            .and_then(|ring| wrong.take("POSTERN_MASTER_KEYS", KEYS_EXAMPLE, Vault::parse(&ring)));
        let pace = wrong.take("POSTERN_PACE", "1", pace(&arguments.pace));
        let site = match role {
            // A worker shows nothing.
            Some(Role::Worker) => Some(PathBuf::from(&arguments.site)),
            _ => wrong.take("POSTERN_SITE", "target/site", site(&arguments.site)),
        };
        let workers = wrong.take("POSTERN_WORKERS", "32", workers(&arguments.workers));
        let call = wrong.take(
            "POSTERN_CALL_SECONDS",
            "60",
            call_seconds(&arguments.call_seconds),
        );
        let read = || {
            Some(Self {
                role: role?,
                listen: listen?,
                public_url: public_url?,
                metrics_listen: metrics_listen?,
                database_url: database_url?,
                client_id: client_id?,
                credential: credential?,
                endpoints: endpoints?,
                partner_tenants: partner_tenants?,
                vault: vault?,
                pace: pace?,
                site: site?,
                workers: workers?,
                call: call?,
                log: log?,
            })
        };
        done(read(), wrong)
    }
}

impl OwnerSettings {
    /// Checks what `postern migrate` and `postern verify-history` need.
    ///
    /// # Errors
    /// All mistakes together.
    pub fn read(log: &LogArguments, environment: &Environment) -> Result<Self, Wrong> {
        let mut wrong = Mistakes::default();
        environment.check_names(&mut wrong);
        let log = one_of("POSTERN_LOG", &log.log, &mut wrong);
        let database_owner_url = environment
            .secret("DATABASE_OWNER_URL", OWNER_EXAMPLE, &mut wrong)
            .and_then(|url| database("DATABASE_OWNER_URL", OWNER_EXAMPLE, url, &mut wrong));
        let server_role = match environment.optional_secret("DATABASE_URL", &mut wrong) {
            Some(Some(url)) => database("DATABASE_URL", DATABASE_EXAMPLE, url, &mut wrong)
                .and_then(|url| wrong.take("DATABASE_URL", DATABASE_EXAMPLE, store::role_of(&url))),
            Some(None) => Some(store::SERVER_ROLE.to_owned()),
            None => None,
        };
        let read = || {
            Some(Self {
                database_owner_url: database_owner_url?,
                server_role: server_role?,
                log: log?,
            })
        };
        done(read(), wrong)
    }
}

const KEYS_EXAMPLE: &str = "k1:$(openssl rand -base64 32)";

fn done<T>(read: Option<T>, wrong: Mistakes) -> Result<T, Wrong> {
    match read {
        Some(settings) if wrong.is_empty() => Ok(settings),
        _ => Err(wrong.into_wrong()),
    }
}

/// An empty setting counts as none.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn one_of<T: ValueEnum>(name: &str, text: &str, wrong: &mut Mistakes) -> Option<T> {
    let names: Vec<String> = T::value_variants()
        .iter()
        .filter_map(|value| value.to_possible_value())
        .map(|value| value.get_name().to_owned())
        .collect();
    let example = names.first().map_or("", String::as_str);
    let read = T::from_str(text.trim(), false)
        .map_err(|_| format!("“{text}” is none of {}.", names.join(", ")));
    wrong.take(name, example, read)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("“{text}” is not an IP address with a port."))
}

fn client_id(text: Option<&String>) -> Result<AppId, String> {
    let Some(text) = given(text) else {
        return Err("it is not set.".to_owned());
    };
    text.parse()
        .map_err(|_| format!("“{text}” is not the id of an application."))
}

/// A secret or a certificate, not both: which one counts would be a guess.
fn credential(environment: &Environment, wrong: &mut Mistakes) -> Option<Credential> {
    const SECRET: &str = "POSTERN_CLIENT_SECRET";
    const CERTIFICATE: &str = "POSTERN_CLIENT_CERTIFICATE";
    let secret = environment.optional_secret(SECRET, wrong);
    let certificate = environment.optional_secret(CERTIFICATE, wrong);
    match (secret?, certificate?) {
        (Some(secret), None) => Some(Credential::Secret(secret)),
        (None, Some(pem)) => {
            let read =
                Certificate::from_pem(pem.expose_secret()).map_err(|error| format!("{error}."));
            let read = wrong.take(CERTIFICATE, "\"$(cat postern.pem)\"", read);
            read.map(Credential::Certificate)
        }
        (Some(_), Some(_)) => {
            wrong.add(
                SECRET,
                format!("{CERTIFICATE} is set too; one of them has to go."),
                format!("unset {SECRET}"),
            );
            None
        }
        (None, None) => {
            wrong.add(
                SECRET,
                format!("it is not set, and neither is {CERTIFICATE}."),
                format!("{SECRET}=…"),
            );
            None
        }
    }
}

fn endpoints(arguments: &ServeArguments, wrong: &mut Mistakes) -> Option<Endpoints> {
    let whole = Endpoints::parse(&arguments.authority, &arguments.graph, &arguments.exchange);
    if let Ok(endpoints) = whole {
        return Some(endpoints);
    }
    // Each on its own beside Microsoft's, so that every wrong one is told.
    let (authority, graph, exchange) = (
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://outlook.office365.com",
    );
    let checks = [
        (
            "POSTERN_AUTHORITY",
            authority,
            Endpoints::parse(&arguments.authority, graph, exchange),
        ),
        (
            "POSTERN_GRAPH",
            graph,
            Endpoints::parse(authority, &arguments.graph, exchange),
        ),
        (
            "POSTERN_EXCHANGE",
            exchange,
            Endpoints::parse(authority, graph, &arguments.exchange),
        ),
    ];
    for (name, example, check) in checks {
        wrong.take(name, example, check.map_err(|error| format!("{error}.")));
    }
    None
}

fn tenants(text: Option<&String>) -> Result<Vec<TenantId>, String> {
    let mut tenants = Vec::new();
    let words = given(text)
        .unwrap_or_default()
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    for word in words {
        let tenant = word
            .parse()
            .map_err(|_| format!("“{word}” is not the id of a tenant."))?;
        if !tenants.contains(&tenant) {
            tenants.push(tenant);
        }
    }
    if tenants.is_empty() {
        return Err("it is not set, so nobody could sign in.".to_owned());
    }
    Ok(tenants)
}

fn pace(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(pace) if (1.0..=FASTEST).contains(&pace) => Ok(pace),
        _ => Err(format!("“{text}” is not a number from 1 to {FASTEST}.")),
    }
}

fn workers(text: &str) -> Result<usize, String> {
    match text.trim().parse::<usize>() {
        Ok(workers) if (1..=MOST_WORKERS).contains(&workers) => Ok(workers),
        _ => Err(format!(
            "“{text}” is not a whole number from 1 to {MOST_WORKERS}."
        )),
    }
}

fn call_seconds(text: &str) -> Result<Duration, String> {
    match text.trim().parse::<u64>() {
        Ok(seconds) if (1..=LONGEST_CALL).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!(
            "“{text}” is not a whole number of seconds from 1 to {LONGEST_CALL}."
        )),
    }
}

fn site(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text.trim());
    let path = path
        .canonicalize()
        .map_err(|error| format!("the folder {text} cannot be opened: {error}."))?;
    if path.is_dir() {
        Ok(path)
    } else {
        Err(format!("{text} is not a folder."))
    }
}

/// Never repeats the URL: it holds a password.
fn database(
    name: &str,
    example: &str,
    url: SecretString,
    wrong: &mut Mistakes,
) -> Option<SecretString> {
    let text = url.expose_secret();
    let form = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"));
    match form {
        Some(rest) if !rest.is_empty() => match store::role_of(&url) {
            Ok(_) => Some(url),
            Err(error) => wrong.take(name, example, Err(error)),
        },
        _ => wrong.take(
            name,
            example,
            Err("it is not a URL that begins with postgres://."),
        ),
    }
}
