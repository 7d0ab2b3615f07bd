//! `postern verify-history`.

use std::{collections::HashSet, process::ExitCode};

use crate::{cli::Failed, config::OwnerSettings};

/// Prints one line per customer and one per broken entry on standard output.
pub(crate) async fn verify_history(settings: &OwnerSettings) -> Result<ExitCode, Failed> {
    let found = store::verify_all(&settings.database_owner_url)
        .await
        .map_err(|error| Failed::because("the histories could not be read", error))?;
    let broken: HashSet<_> = found.broken.iter().map(|broken| broken.customer).collect();
    for head in &found.heads {
        let word = if broken.contains(&head.customer) {
            "BROKEN"
        } else {
            "whole"
        };
        println!(
            "{word}  customer {} of partner {}: {} entries, newest {}",
            head.customer, head.partner, head.seq, head.hash
        );
    }
    for broken in &found.broken {
        println!(
            "BROKEN  customer {}, entry {}: {}",
            broken.customer, broken.seq, broken.why
        );
    }
    println!(
        "{} entries of {} customers, {} broken",
        found.entries,
        found.heads.len(),
        found.broken.len()
    );
    Ok(if found.broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
