//! The binary `postern`.

use std::process::ExitCode;

use clap::Parser as _;

/// A page waits for several reads at once, and one of the reads may run on the same thread as the
/// page.
const FEWEST_THREADS: usize = 4;

fn main() -> ExitCode {
    // One crypto provider for every TLS connection of this process. A second installation is a bug,
    // and the first connection would report it less clearly.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        eprintln!("postern: another TLS provider is installed already");
        return ExitCode::FAILURE;
    }
    let cli = server::Cli::parse();
    let threads = std::thread::available_parallelism()
        .map_or(FEWEST_THREADS, |cores| cores.get().max(FEWEST_THREADS));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(server::run(cli)),
        Err(error) => {
            eprintln!("postern: the threads could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
