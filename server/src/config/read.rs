//! Parses the texts of settings.

use std::{
    collections::BTreeMap,
    io::Read as _,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use domain::id::{AppId, TenantId};
use engine::{FirstOwner, InvitationRules, SignInRules};
use microsoft::{Certificate, Credential, Endpoints};
use secrecy::{ExposeSecret as _, SecretString};
use store::{DatabaseTls, Vault};
use zeroize::Zeroizing;

use super::{
    Environment, Guests, LogArguments, OwnerSettings, PublicUrl, Role, ServeArguments,
    SessionLimits, Settings, Strangers,
    environment::{DATABASE_TLS, MASTER_KEYS_COMMAND},
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
    /// Checks all settings of `postern serve`.
    ///
    /// # Errors
    /// Returns all mistakes together.
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
            .and_then(|url| {
                database(
                    "DATABASE_URL",
                    DATABASE_EXAMPLE,
                    url,
                    environment,
                    &mut wrong,
                )
            });
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
        let first_owners = wrong.take(
            "POSTERN_FIRST_OWNER",
            "olivia@partner.example",
            first_owners(arguments.first_owner.as_ref()),
        );
        let guests = one_of::<Guests>("POSTERN_GUESTS", &arguments.guests, &mut wrong);
        let invitation_hours = wrong.take(
            "POSTERN_INVITATION_HOURS",
            "48",
            number(&arguments.invitation_hours, "hours", 1, 168),
        );
        let partner_names = wrong.take(
            "POSTERN_PARTNER_NAMES",
            "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4=Northwind IT",
            partner_names(arguments.partner_names.as_ref()),
        );
        let idle = wrong.take(
            "POSTERN_SESSION_IDLE_MINUTES",
            "60",
            number(&arguments.session_idle_minutes, "minutes", 5, 24 * 60),
        );
        let longest = wrong.take(
            "POSTERN_SESSION_HOURS",
            "12",
            number(&arguments.session_hours, "hours", 1, 24),
        );
        let trusted_proxies = wrong.take(
            "POSTERN_TRUSTED_PROXIES",
            "1",
            trusted_proxies(
                arguments.trusted_proxies.as_ref(),
                role,
                public_url.as_ref(),
            ),
        );
        let vault = master_keys(environment, &mut wrong)
            .and_then(|vault| wrong.take(MASTER_KEYS, KEYS_EXAMPLE, fit_for(role, vault)));
        let pace = wrong.take("POSTERN_PACE", "1", pace(&arguments.pace));
        let site = match role {
            // A worker serves no files.
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
                access: SignInRules {
                    first_owners: first_owners?,
                    guests: guests? == Guests::Allow,
                },
                invitations: InvitationRules {
                    lives: i64::try_from(invitation_hours?).ok()? * 3_600_000,
                    partner_names: partner_names?,
                },
                sessions: SessionLimits {
                    idle: Duration::from_secs(idle? * 60),
                    longest: Duration::from_secs(longest? * 3600),
                },
                strangers: Strangers {
                    trusted_proxies: usize::try_from(trusted_proxies?).ok()?,
                    ..Strangers::default()
                },
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
    /// Checks all settings of `postern migrate` and `postern verify-history`.
    ///
    /// # Errors
    /// Returns all mistakes together.
    pub fn read(log: &LogArguments, environment: &Environment) -> Result<Self, Wrong> {
        let mut wrong = Mistakes::default();
        environment.check_names(&mut wrong);
        let log = one_of("POSTERN_LOG", &log.log, &mut wrong);
        let database_owner_url = environment
            .secret("DATABASE_OWNER_URL", OWNER_EXAMPLE, &mut wrong)
            .and_then(|url| {
                database(
                    "DATABASE_OWNER_URL",
                    OWNER_EXAMPLE,
                    url,
                    environment,
                    &mut wrong,
                )
            });
        let server_role = match environment.optional_secret("DATABASE_URL", &mut wrong) {
            Some(Some(url)) => database(
                "DATABASE_URL",
                DATABASE_EXAMPLE,
                url,
                environment,
                &mut wrong,
            )
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

const MASTER_KEYS: &str = "POSTERN_MASTER_KEYS";
const KEYS_EXAMPLE: &str = "k1:$(openssl rand -base64 32)";
const VERIFIED_EXAMPLE: &str = "postgres://user:password@db.example/postern?sslmode=verify-full&sslrootcert=/etc/ssl/certs/db.pem";
/// Timeout of the command that prints the key ring.
const COMMAND: Duration = Duration::from_secs(30);

impl Settings {
    /// Reads only the key ring, for `postern web-keys` and `postern owner add`.
    ///
    /// # Errors
    /// Returns all mistakes together.
    pub fn read_keys(environment: &Environment) -> Result<Vault, Wrong> {
        let mut wrong = Mistakes::default();
        environment.check_names(&mut wrong);
        let vault = master_keys(environment, &mut wrong);
        done(vault, wrong)
    }
}

impl Settings {
    /// Reads the key ring, if the settings have one.
    ///
    /// # Errors
    /// Returns all mistakes together.
    pub fn read_keys_if_given(environment: &Environment) -> Result<Option<Vault>, Wrong> {
        let mut wrong = Mistakes::default();
        let given = environment.optional_secret(MASTER_KEYS, &mut wrong);
        let none = matches!(given, Some(None)) && environment.get(MASTER_KEYS_COMMAND).is_none();
        if none && wrong.is_empty() {
            return Ok(None);
        }
        Self::read_keys(environment).map(Some)
    }
}

/// Reads the ring from its setting, its file, or the command that prints it.
fn master_keys(environment: &Environment, wrong: &mut Mistakes) -> Option<Vault> {
    let given = environment.optional_secret(MASTER_KEYS, wrong)?;
    let (name, ring) = match (given, environment.get(MASTER_KEYS_COMMAND)) {
        (Some(_), Some(_)) => {
            let what = format!(
                "both {MASTER_KEYS} and {MASTER_KEYS_COMMAND} are set; which one counts is a guess."
            );
            wrong.add(MASTER_KEYS, what, format!("unset {MASTER_KEYS}"));
            return None;
        }
        (Some(ring), None) => (MASTER_KEYS, ring),
        (None, Some(command)) => {
            let printed = printed_by(command);
            let example = "vault kv get -field=ring secret/postern";
            (
                MASTER_KEYS_COMMAND,
                wrong.take(MASTER_KEYS_COMMAND, example, printed)?,
            )
        }
        (None, None) => {
            wrong.add(
                MASTER_KEYS,
                "it is not set.",
                format!("{MASTER_KEYS}={KEYS_EXAMPLE}"),
            );
            return None;
        }
    };
    wrong.take(name, KEYS_EXAMPLE, Vault::parse(&ring))
}

/// The standard output of a command. Its standard error goes to this process's own, so that a
/// person sees why the command failed. Neither output is repeated here.
fn printed_by(command: &str) -> Result<SecretString, String> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the command cannot be started: {error}."))?;
    let reader = child.stdout.take().map(|mut out| {
        std::thread::spawn(move || {
            let mut text = Zeroizing::new(String::new());
            out.read_to_string(&mut text).map(|_| text)
        })
    });
    let ends = Instant::now() + COMMAND;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < ends => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                // The command may have ended at this moment, so an error is ignored.
                let _ = child.kill();
                return Err(format!(
                    "the command did not end within {} seconds.",
                    COMMAND.as_secs()
                ));
            }
            Err(error) => return Err(format!("the command cannot be waited for: {error}.")),
        }
    };
    if !status.success() {
        return Err(format!("the command ended with {status}."));
    }
    match reader.and_then(|reader| reader.join().ok()) {
        Some(Ok(text)) if !text.trim().is_empty() => Ok(SecretString::from(text.trim())),
        Some(Ok(_)) => Err("the command printed nothing.".to_owned()),
        _ => Err("what the command printed is no text.".to_owned()),
    }
}

/// Refuses a ring without master keys for a worker, which must open values sealed for workers.
fn fit_for(role: Option<Role>, vault: Vault) -> Result<Vault, String> {
    if vault.is_whole() || role == Some(Role::Web) {
        return Ok(vault);
    }
    Err(
        "this is the web's ring, with which a worker cannot open client secrets. \
         Give the master keys here, or run this process with the role web."
            .to_owned(),
    )
}

fn done<T>(read: Option<T>, wrong: Mistakes) -> Result<T, Wrong> {
    match read {
        Some(settings) if wrong.is_empty() => Ok(settings),
        _ => Err(wrong.into_wrong()),
    }
}

/// An empty setting counts as not set.
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

/// Reads a secret or a certificate. Both together are a mistake, because it would be unclear which
/// one counts.
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
    // Each endpoint is checked alone, next to Microsoft's defaults, so that every wrong one is
    // reported.
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

/// Parses `tenant id:object id` or names, separated by commas or white space.
fn first_owners(text: Option<&String>) -> Result<Vec<FirstOwner>, String> {
    let words = given(text)
        .unwrap_or_default()
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            if let Some((tenant, object)) = word.split_once(':')
                && let (Ok(tenant), Ok(object)) = (tenant.parse(), object.parse())
            {
                return Ok(FirstOwner::Account { tenant, object });
            }
            match word.split_once('@') {
                Some((name, domain))
                    if !name.is_empty() && domain.contains('.') && !domain.contains('@') =>
                {
                    Ok(FirstOwner::Upn(word.to_owned()))
                }
                _ => Err(format!(
                    "“{word}” is neither a tenant's id and an account's object id with a colon between, nor the name of an account."
                )),
            }
        })
        .collect()
}

fn number(text: &str, what: &str, least: u64, most: u64) -> Result<u64, String> {
    match text.trim().parse::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "“{text}” is not a whole number of {what} from {least} to {most}."
        )),
    }
}

/// With an `https` address a proxy stands in front, because this process speaks plain http. Whether
/// the proxy forwards the client's address must be configured: a proxy that does and is not trusted
/// makes all people count as one client.
fn trusted_proxies(
    text: Option<&String>,
    role: Option<Role>,
    public_url: Option<&PublicUrl>,
) -> Result<u64, String> {
    if let Some(text) = given(text) {
        return number(text, "proxies", 0, 16);
    }
    let behind_one = public_url.is_some_and(PublicUrl::is_https);
    if behind_one && role.is_some_and(Role::serves) {
        return Err(
            "it is not set. Browsers reach this portal by https and this process speaks plain http, so a \
             proxy stands in front. Say how many proxies there write into X-Forwarded-For whom they saw. \
             Say 0 if none does: then everybody shares the limits of one address, and one stranger can \
             keep all others from signing in."
                .to_owned(),
        );
    }
    Ok(0)
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

fn partner_names(text: Option<&String>) -> Result<BTreeMap<TenantId, String>, String> {
    let entries = text.map_or("", String::as_str).split(';').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (id, name) = entry
                .split_once('=')
                .ok_or_else(|| format!("“{entry}” is not of the form tenant id=name."))?;
            let id: TenantId = id.parse().map_err(|error| format!("{error}."))?;
            match name.trim() {
                "" => Err(format!("{id} has no name.")),
                name if name.chars().count() > 100 => {
                    Err(format!("the name of {id} is longer than 100 letters."))
                }
                name if name.chars().any(char::is_control) => {
                    Err(format!("the name of {id} has control characters."))
                }
                name => Ok((id, name.to_owned())),
            }
        })
        .collect()
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

/// The error never repeats the URL, which holds a password.
fn database(
    name: &str,
    example: &str,
    url: SecretString,
    environment: &Environment,
    wrong: &mut Mistakes,
) -> Option<SecretString> {
    let unverified_is_fine = match environment.get(DATABASE_TLS).map(str::trim) {
        None | Some("verified") => false,
        Some("unverified") => true,
        Some(other) => {
            let what = format!("“{other}” is none of verified, unverified.");
            return wrong.take(DATABASE_TLS, "verified", Err(what));
        }
    };
    let text = url.expose_secret();
    let form = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"));
    match form {
        Some(rest) if !rest.is_empty() => match store::database_tls(&url) {
            Ok(DatabaseTls::Unverified) if !unverified_is_fine => wrong.take(
                name,
                VERIFIED_EXAMPLE,
                Err(format!(
                    "its sslmode does not check the certificate of a database on another machine, so whoever \
                     stands between could read and answer in its place. Leave sslmode out, or say \
                     {DATABASE_TLS}=unverified if nobody can stand there."
                )),
            ),
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
