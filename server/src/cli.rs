//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    commands,
    config::{self, Environment, LogArguments, ServeArguments, Wrong},
    logs,
};

/// One command line of `postern`.
#[derive(Debug, Parser)]
#[command(
    name = "postern",
    version,
    about = "A guarded gate in front of every mailbox",
    after_help = config::SECRETS_HELP,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal, and carry out what operators start
    #[command(after_help = config::SECRETS_HELP)]
    Serve(Box<ServeArguments>),
    /// Bring the database to what this version needs (DATABASE_OWNER_URL)
    Migrate,
    /// Owners of a partner
    #[command(subcommand)]
    Owner(OwnerCommand),
    /// Print the key ring for a process with the role web, which cannot open client secrets with it
    /// (POSTERN_MASTER_KEYS)
    WebKeys,
    /// Recompute the chains of all histories; ends with 1 when one is broken, with 3 when entries could
    /// not be checked: their key is not there, or they have none and no head that was kept stands
    /// behind them (DATABASE_OWNER_URL, POSTERN_MASTER_KEYS)
    VerifyHistory(HistoryFiles),
}

#[derive(Debug, Subcommand)]
enum OwnerCommand {
    /// Make somebody an owner who has signed in before (DATABASE_OWNER_URL, POSTERN_MASTER_KEYS)
    Add {
        /// The id of the partner's tenant
        #[arg(long, value_name = "ID")]
        tenant: domain::id::TenantId,
        /// The name that Entra shows, or the account's object id
        account: String,
    },
}

/// The newest entry of each history, kept outside the database.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryFiles {
    /// Write the newest entry of each history to this file, if nothing is broken
    #[arg(long, value_name = "FILE")]
    pub write: Option<std::path::PathBuf>,
    /// Compare with such a file, or with the server's log
    #[arg(long, value_name = "FILE")]
    pub against: Option<std::path::PathBuf>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Exit code 2.
    #[error(transparent)]
    Settings(#[from] Wrong),
    /// Exit code 1.
    #[error("{0}")]
    Other(String),
}

impl Failed {
    pub(crate) fn because(what: &str, error: impl std::fmt::Display) -> Self {
        Self::Other(format!("{what}: {error}"))
    }
}

/// Runs one command. Exit codes: 0: done; 1: failed, or a history is broken; 2: the settings are
/// wrong; 3: no history is broken, but not every entry could be checked.
pub async fn run(cli: Cli) -> ExitCode {
    match run_command(cli).await {
        Ok(code) => code,
        Err(failed) => {
            eprintln!("postern: {failed}");
            match failed {
                Failed::Settings(_) => ExitCode::from(2),
                Failed::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

async fn run_command(cli: Cli) -> Result<ExitCode, Failed> {
    let environment = Environment::of_process();
    match cli.command {
        Command::Serve(arguments) => {
            let settings = config::Settings::read(&arguments, &cli.log, &environment)?;
            logs::start(settings.log);
            commands::serve::serve(settings).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Migrate => {
            let settings = config::OwnerSettings::read(&cli.log, &environment)?;
            logs::start(settings.log);
            commands::migrate::migrate(&settings).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Owner(OwnerCommand::Add { tenant, account }) => {
            let settings = config::OwnerSettings::read(&cli.log, &environment)?;
            logs::start(settings.log);
            let vault = config::Settings::read_keys(&environment)?;
            commands::owner::add(&settings, vault, tenant, &account).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::WebKeys => {
            let vault = config::Settings::read_keys(&environment)?;
            commands::web_keys::web_keys(&vault)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::VerifyHistory(files) => {
            let settings = config::OwnerSettings::read(&cli.log, &environment)?;
            let vault = config::Settings::read_keys_if_given(&environment)?;
            logs::start(settings.log);
            commands::verify_history::verify_history(&settings, vault.as_ref(), &files).await
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_setting_has_its_name_in_the_environment() {
        let mut command = Cli::command();
        command.build();
        let known: Vec<_> = config::known_names().collect();
        let serve = command.find_subcommand("serve").unwrap();
        for argument in serve.get_arguments().chain(command.get_arguments()) {
            let Some(name) = argument.get_env() else {
                assert!(
                    ["help", "version"].contains(&argument.get_id().as_str()),
                    "{argument} cannot be set in the environment"
                );
                continue;
            };
            assert!(known.contains(&name.to_str().unwrap()), "{name:?}");
        }
    }
}
