//! How a cloud is started.

use std::fmt;
use std::net::SocketAddr;

use crate::decisions::Delays;
use crate::faults::Rule;
use crate::seed::Seed;

/// What [`crate::Cloud::start`] needs. The default is good for tests: any free port, no latency,
/// the demo's tenants.
#[derive(Debug, Clone)]
pub struct Config {
    /// A loopback address; port 0 takes a free one.
    pub listen: String,
    /// What stands before the addresses that the cloud hands out; none = where it listens.
    pub public_url: Option<String>,
    /// How much faster than the wall the cloud's clock runs.
    pub clock_speed: f64,
    pub seed: Seed,
    /// Another number makes other ids, names and draws.
    pub seed_number: u64,
    pub delays: Delays,
    pub faults: Vec<Rule>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            public_url: None,
            clock_speed: 1.0,
            seed: Seed::Demo,
            seed_number: 1,
            delays: Delays::without_latency(),
            faults: Vec::new(),
        }
    }
}

impl Config {
    /// The address, as long as it is this machine's own.
    ///
    /// # Errors
    ///
    /// When it is no address, or reachable from elsewhere: the control paths have no password.
    pub fn loopback(&self) -> Result<SocketAddr, StartError> {
        let text = self.listen.replace("localhost", "127.0.0.1");
        let address: SocketAddr = text
            .parse()
            .map_err(|_| StartError::Address(self.listen.clone()))?;
        if address.ip().is_loopback() {
            Ok(address)
        } else {
            Err(StartError::NotLoopback(address))
        }
    }
}

/// Why a cloud did not start.
#[derive(Debug)]
pub enum StartError {
    Address(String),
    NotLoopback(SocketAddr),
    Taken(SocketAddr),
    Bind(SocketAddr, String),
    Fault(String),
    Sow(String),
}

impl StartError {
    pub(crate) fn bind(address: SocketAddr, error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            Self::Taken(address)
        } else {
            Self::Bind(address, error.to_string())
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) => write!(
                formatter,
                "\"{text}\" is no address: write it as 127.0.0.1:4000"
            ),
            Self::NotLoopback(address) => write!(
                formatter,
                "{address} can be reached from other machines. The simulated cloud has no passwords on its control paths, so it listens on loopback addresses only"
            ),
            Self::Taken(address) => write!(
                formatter,
                "port {} of {} is taken: stop what listens there, or choose another with --listen",
                address.port(),
                address.ip()
            ),
            Self::Bind(address, error) => write!(formatter, "cannot listen on {address}: {error}"),
            Self::Fault(why) => write!(formatter, "the fault rules are not valid: {why}"),
            Self::Sow(why) => write!(formatter, "the tenants could not be made: {why}"),
        }
    }
}

impl std::error::Error for StartError {}
