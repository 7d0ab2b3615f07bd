//! `postern verify-history`.

use std::{collections::HashSet, fs, path::Path, process::ExitCode};

use serde_json::Value;
use store::{Chain, ChainHead, KeptHead, Vault, Verification};

use crate::{
    cli::{Failed, HistoryFiles},
    config::OwnerSettings,
};

/// Exit code: nothing is broken, but not every entry could be checked.
const NOT_ALL: u8 = 3;

/// Prints one line per history and one per finding on standard output.
pub(crate) async fn verify_history(
    settings: &OwnerSettings,
    vault: Option<&Vault>,
    files: &HistoryFiles,
) -> Result<ExitCode, Failed> {
    let kept = match &files.against {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    let found = store::verify_all(&settings.database_owner_url, vault, &kept)
        .await
        .map_err(|error| Failed::because("the histories could not be read", error))?;
    print(&found, &kept);
    let broken = !found.broken.is_empty() || !found.differs.is_empty();
    if let Some(path) = &files.write {
        // A broken history must not become the anchor of a later comparison.
        if broken {
            println!(
                "{} was not written, because something is broken",
                path.display()
            );
        } else if files.against.is_some() && !found.keyless.is_empty() {
            // Otherwise the next comparison would treat the unconfirmed entries as confirmed.
            println!(
                "{} was not written, because entries without a key stand behind no head that was kept",
                path.display()
            );
        } else {
            write(path, &found.heads)?;
            println!("{} heads written to {}", found.heads.len(), path.display());
        }
    }
    Ok(if broken {
        ExitCode::FAILURE
    } else if found.unchecked.is_empty() && found.keyless.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_ALL)
    })
}

fn print(found: &Verification, kept: &[KeptHead]) {
    let broken: HashSet<_> = found.broken.iter().map(|broken| broken.chain).collect();
    let unchecked = found.unchecked.iter().map(|part| part.chain);
    let keyless = found.keyless.iter().map(|part| part.chain);
    let unchecked: HashSet<_> = unchecked.chain(keyless).collect();
    for head in &found.heads {
        let word = if broken.contains(&head.chain) {
            "BROKEN"
        } else if unchecked.contains(&head.chain) {
            "not all checked"
        } else {
            "whole"
        };
        let of = match head.chain {
            Chain::Customer(_) => format!("{} of partner {}", named(head.chain), head.partner),
            Chain::Partner(_) => named(head.chain),
        };
        println!("{word}  {of}: {} entries, newest {}", head.seq, head.hash);
    }
    for broken in &found.broken {
        println!(
            "BROKEN  {}, entry {}: {}",
            named(broken.chain),
            broken.seq,
            broken.why
        );
    }
    for part in &found.unchecked {
        println!(
            "UNCHECKED  {}, entries {} to {}: their hash needs the key {}, which is not in POSTERN_MASTER_KEYS",
            named(part.chain),
            part.from,
            part.to,
            part.key
        );
    }
    for part in &found.keyless {
        println!(
            "WITHOUT KEY  {}, entries {} to {}: anybody who could write into the database could have made them, \
             and no head that was kept stands behind them",
            named(part.chain),
            part.from,
            part.to,
        );
    }
    for differs in &found.differs {
        println!("DIFFERS  {differs}");
    }
    if !kept.is_empty() && found.differs.is_empty() {
        println!("all {} heads that were kept are there", kept.len());
    }
    let customers = found
        .heads
        .iter()
        .filter(|head| matches!(head.chain, Chain::Customer(_)))
        .count();
    let not_checked: i64 = found
        .unchecked
        .iter()
        .map(|part| part.to - part.from + 1)
        .sum();
    let without_key: i64 = found
        .keyless
        .iter()
        .map(|part| part.to - part.from + 1)
        .sum();
    println!(
        "{} entries of {customers} customers and {} partners, {} broken, {not_checked} not checked, \
         {without_key} without a key, {} heads differ",
        found.entries,
        found.heads.len() - customers,
        found.broken.len(),
        found.differs.len(),
    );
}

fn named(chain: Chain) -> String {
    match chain {
        Chain::Customer(id) => format!("customer {id}"),
        Chain::Partner(id) => format!("partner {id}"),
    }
}

fn write(path: &Path, heads: &[ChainHead]) -> Result<(), Failed> {
    let lines: String = heads
        .iter()
        .map(|head| format!("{} {} {}\n", head.chain, head.seq, head.hash))
        .collect();
    fs::write(path, lines).map_err(|error| {
        Failed::because(&format!("{} could not be written", path.display()), error)
    })
}

/// Reads heads from a file written earlier, or from the server's log in either form.
fn read(path: &Path) -> Result<Vec<KeptHead>, Failed> {
    let wrong = |what: &str| Failed::Other(format!("{}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let mut heads = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match head(line) {
            Line::Head(head) => heads.push(head),
            Line::Other => {}
            Line::Cut => {
                return Err(wrong(&format!(
                    "line {number} is neither a head of a history nor a line of the log"
                )));
            }
        }
    }
    if heads.is_empty() {
        return Err(wrong(
            "there is no head of a history in it, so nothing could be compared",
        ));
    }
    Ok(heads)
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Head(KeptHead),
    /// Another line of the log, or an empty line.
    Other,
    Cut,
}

fn head(line: &str) -> Line {
    let line = line.trim();
    let of = |chain: Option<&str>, seq: Option<i64>, hash: Option<&str>| {
        let chain = chain?.parse().ok()?;
        let hash = hash.filter(|hash| hash.len() == 64)?.to_owned();
        let seq = seq?;
        Some(KeptHead { chain, seq, hash })
    };
    if line.starts_with('{') {
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            return Line::Cut;
        };
        let get = |name: &str| value.get(name);
        if get("target").and_then(Value::as_str) != Some("history.head") {
            return Line::Other;
        }
        let text = |name: &str| get(name).and_then(Value::as_str);
        let found = of(
            text("chain"),
            get("seq").and_then(Value::as_i64),
            text("hash"),
        );
        return found.map_or(Line::Cut, Line::Head);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    if let [chain, seq, hash] = words.as_slice()
        && chain.parse::<Chain>().is_ok()
    {
        return of(Some(chain), seq.parse().ok(), Some(hash)).map_or(Line::Cut, Line::Head);
    }
    let after = |name: &str| words.iter().find_map(|word| word.strip_prefix(name));
    match (after("chain="), after("seq="), after("hash=")) {
        (Some(chain), Some(seq), Some(hash)) => {
            let hash = hash.trim_matches('"');
            of(Some(chain), seq.parse().ok(), Some(hash)).map_or(Line::Cut, Line::Head)
        }
        _ if words.len() == 3 && words.iter().any(|word| word.len() == 64) => Line::Cut,
        _ => Line::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f1c02b7-41f5-4a0e-9c55-0d3be1f7a2d4";

    #[test]
    fn security_f09_heads_are_read_from_files_and_logs() {
        let hash = "a".repeat(64);
        let expected = Line::Head(KeptHead {
            chain: format!("partner:{ID}").parse().expect("a chain"),
            seq: 7,
            hash: hash.clone(),
        });
        for line in [
            format!("partner:{ID} 7 {hash}"),
            format!(
                r#"{{"timestamp":"x","level":"INFO","message":"m","chain":"partner:{ID}","seq":7,"hash":"{hash}","target":"history.head"}}"#
            ),
            format!(
                "2026-11-27T10:00:00Z  INFO a history has a new head chain=partner:{ID} seq=7 hash=\"{hash}\""
            ),
        ] {
            assert_eq!(head(&line), expected, "{line}");
        }
        for line in [
            "",
            r#"{"target":"server","message":"m"}"#,
            "INFO postern is up",
        ] {
            assert_eq!(head(line), Line::Other, "{line}");
        }
        for line in [
            format!("partner:{ID} seven {hash}"),
            format!("partner:{ID} 7 abc"),
            r#"{"target":"history.head","chain":"x"}"#.to_owned(),
            "{".to_owned(),
            format!("nobody:{ID} 7 {hash}"),
        ] {
            assert_eq!(head(&line), Line::Cut, "{line}");
        }
    }
}
