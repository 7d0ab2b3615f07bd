//! The log, on standard error.

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::LogFormat;

/// Unless `RUST_LOG` says otherwise. The database's driver tells slow statements with their text
/// only, never with values; sessions would warn of every cookie that is over its time.
const USUAL: &str =
    "info,sqlx=warn,graphile_worker=warn,tower_sessions_core=error,tower_sessions=error";

/// Starts the log of this process. Does nothing when there is one already.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let registry = tracing_subscriber::registry().with(filter);
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
    // Only tests start two: the first one goes on.
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let cause = panic.payload_as_str().unwrap_or("no message");
            tracing::error!(place, cause, "a part of the server broke");
        }));
    }
}
