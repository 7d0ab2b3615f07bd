//! `postern web-keys`.

use secrecy::ExposeSecret as _;
use store::Vault;

use crate::cli::Failed;

/// Prints the ring on standard output. The operator of the machine stores it for the web process.
pub(crate) fn web_keys(vault: &Vault) -> Result<(), Failed> {
    let ring = vault
        .for_web()
        .map_err(|error| Failed::because("the web's ring cannot be made", error))?;
    println!("{}", ring.expose_secret());
    Ok(())
}
