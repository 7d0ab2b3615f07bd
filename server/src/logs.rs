//! The log, on standard error.

use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, prelude::*};

use crate::config::LogFormat;

/// The default filter, which `RUST_LOG` overrides. The database's driver logs slow statements with
/// their text only, never with values. The session crates would warn about every expired cookie.
const USUAL: &str =
    "info,sqlx=warn,graphile_worker=warn,tower_sessions_core=error,tower_sessions=error";

/// Postern's own crates, by the first word of a target. Their log lines are written in this
/// repository and tested.
const OURS: [&str; 7] = [
    "postern",
    "server",
    "engine",
    "store",
    "microsoft",
    "app",
    "domain",
];

/// The most detailed level of other crates, whatever `RUST_LOG` says. Below it hyper, h2, reqwest,
/// rustls, sqlx, sessions and others log whole heads and frames, with cookies, codes and tokens in
/// them.
const MOST_OF_OTHERS: Level = Level::INFO;

fn may_be_written(metadata: &Metadata<'_>) -> bool {
    is_written(metadata.target(), *metadata.level())
}

fn is_written(target: &str, level: Level) -> bool {
    let part = target.split("::").next().unwrap_or_default();
    level <= MOST_OF_OTHERS || OURS.contains(&part)
}

/// Starts the log of this process. Does nothing when there is one already.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(may_be_written));
    let started = match format {
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(true)
                    .with_span_list(false)
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_target(false)
                    .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                    .with_writer(std::io::stderr),
            )
            .try_init(),
    };
    // Only tests start two logs: the first one stays.
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let cause = panic.payload_as_str().unwrap_or("no message");
            tracing::error!(place, cause, "a part of the server broke");
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_f20_only_our_own_parts_go_into_detail() {
        for target in [
            "server::web::auth",
            "engine",
            "store::tx",
            "microsoft::http::transport",
        ] {
            assert!(is_written(target, Level::TRACE), "{target}");
        }
        for target in [
            "hyper::proto::h1::io",
            "hyper_util::client::legacy::connect",
            "h2::codec",
            "reqwest::connect",
            "rustls::client",
            "tower_sessions",
            "tower_sessions_core::session",
            "sqlx::query",
            "store_of_somebody_else",
            "leptos",
            "",
        ] {
            assert!(is_written(target, Level::INFO), "{target}");
            assert!(!is_written(target, Level::DEBUG), "{target}");
            assert!(!is_written(target, Level::TRACE), "{target}");
        }
    }
}
