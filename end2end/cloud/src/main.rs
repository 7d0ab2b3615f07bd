//! The command line of the simulated cloud.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use cloud::faults::Rule;
use cloud::{Cloud, Config, Delays, Seed};
use tracing_subscriber::EnvFilter;

/// A simulated Microsoft cloud: Entra, Graph and Exchange's admin API on one loopback port.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Loopback address; port 0 takes a free one.
    #[arg(long, env = "CLOUD_LISTEN", default_value = "127.0.0.1:4000")]
    listen: String,
    /// What clients see before every path, when that is not the listening address.
    #[arg(long)]
    public_url: Option<String>,
    /// How much faster than the wall the cloud's clock runs.
    #[arg(long, default_value_t = 1.0)]
    clock_speed: f64,
    /// demo, empty or fleet:N.
    #[arg(long, default_value = "demo")]
    seed: Seed,
    /// A JSON file with a list of fault rules.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Another number makes other ids and other draws.
    #[arg(long, default_value_t = 1)]
    seed_number: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_env("CLOUD_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cloud: {why}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    if !(arguments.clock_speed.is_finite() && arguments.clock_speed >= 0.001) {
        return Err("--clock-speed must be a number above zero".to_owned());
    }
    let faults = match &arguments.faults {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            serde_json::from_str::<Vec<Rule>>(&text)
                .map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    let cloud = Cloud::start(Config {
        listen: arguments.listen,
        public_url: arguments.public_url,
        clock_speed: arguments.clock_speed,
        seed: arguments.seed,
        seed_number: arguments.seed_number,
        delays: Delays::default(),
        faults,
    })
    .await
    .map_err(|error| error.to_string())?;
    println!(
        "{}",
        serde_json::json!({"listen": cloud.address().to_string(), "url": cloud.url()})
    );
    cloud.wait().await;
    Ok(())
}
