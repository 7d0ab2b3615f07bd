//! The fault campaign: random setups in random customers, while the cloud misbehaves, processes are
//! killed and connections are cut. Afterwards nothing may be lost, doubled or wrongly reported as
//! safe.
//!
//! `./dev campaign --runs N --seed S` runs a long campaign, `./dev test` this short one. Run number
//! `i` has the seed `S + i`, which decides its plan. Several runs share one cloud, one database and
//! the processes, and so the faults drawn from the first seed. A violation is printed with the
//! command that repeats all runs of its block.

mod before;
mod block;
mod check;
mod disturb;
mod drive;
pub mod events;
mod failures;
mod foreign;
mod leftovers;
mod mails;
mod operator;
mod pauses;
mod plan;
pub mod process;
mod proof;
mod sabotage;
mod tally;
mod trap;
mod watch;

use std::{panic::AssertUnwindSafe, time::Instant};

use cloud::campaign::MAIL_KINDS;
use futures::{FutureExt as _, future::join_all};
use tokio::sync::Mutex;

use self::{
    block::Block,
    plan::{Disturbance, Trap},
    tally::Tally,
};

/// The number of runs of a short campaign. Starting at `SEED`, these plans draw every possible
/// feature.
const RUNS: u64 = 24;
const SEED: u64 = 12_834;
/// From this number of runs on, every feature that a plan can draw must have occurred.
const ALL_FIRE: u64 = 200;
/// The number of runs that share a cloud.
const PER_BLOCK: u64 = 24;

/// The settings that `./dev campaign` passes.
struct Settings {
    runs: u64,
    seed: u64,
    /// The number of concurrent blocks.
    lanes: usize,
    /// The command that restarts the Postgres of the campaign.
    restart: Option<String>,
    /// The file for the result as one JSON object.
    json: Option<String>,
}

impl Settings {
    fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let number = |name: &str, usual: u64| {
            text(name).map_or(usual, |text| {
                text.parse()
                    .unwrap_or_else(|_| panic!("{name}: \"{text}\" is no number"))
            })
        };
        Self {
            runs: number("POSTERN_CAMPAIGN_RUNS", RUNS),
            seed: number("POSTERN_CAMPAIGN_SEED", SEED),
            lanes: usize::try_from(number("POSTERN_CAMPAIGN_LANES", 2)).expect("a small number"),
            restart: text("POSTERN_CAMPAIGN_RESTART"),
            json: text("POSTERN_CAMPAIGN_JSON"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_doubled_or_wrongly_called_safe() {
    let settings = Settings::read();
    let began = Instant::now();
    let tally = Mutex::new(Tally::default());
    let end = settings.seed + settings.runs;
    let blocks: Vec<(u64, u64)> = (settings.seed..end)
        .step_by(usize::try_from(PER_BLOCK).expect("a small number"))
        .map(|first| (first, end.min(first + PER_BLOCK)))
        .collect();
    let blocks = Mutex::new(blocks.into_iter());
    let lane = || async {
        loop {
            let next = blocks.lock().await.next();
            let Some((first, end)) = next else { break };
            let block = Block::run(first, end, settings.restart.as_deref());
            let found = AssertUnwindSafe(block).catch_unwind().await;
            let mut tally = tally.lock().await;
            let before = tally.violations.len();
            match found {
                Ok(found) => tally.add(found),
                Err(_) => tally.broken(&format!("seed {first}: see above")),
            }
            if tally.violations.len() > before {
                // The runs of a block share the faults, so all of them are needed to repeat the
                // violation.
                let again = format!("./dev campaign --seed {first} --runs {}", end - first);
                println!("AGAIN {again}");
            }
            println!("· {}", tally.line(settings.seed, began.elapsed()));
        }
    };
    join_all((0..settings.lanes.max(1)).map(|_| lane())).await;
    let tally = tally.lock().await;
    for violation in &tally.violations {
        println!("VIOLATION {violation}");
    }
    println!("{}", tally.line(settings.seed, began.elapsed()));
    if let Some(path) = &settings.json {
        let whole = tally.json(settings.seed, began.elapsed());
        std::fs::write(path, format!("{whole}\n")).expect("a file");
    }
    assert!(tally.violations.is_empty(), "{}", tally.violations.len());
    assert!(tally.runs == settings.runs, "not every run ran");
    assert!(
        tally.faults.values().sum::<u64>() > 0,
        "no fault was injected"
    );
    assert!(tally.kills.values().sum::<u64>() > 0, "nobody was killed");
    assert!(tally.cuts > 0, "no connection was cut");
    assert!(tally.entries > 0, "no history was recomputed");
    if settings.runs >= RUNS {
        assert!(tally.proofs.contains_key("proven"), "nothing was proven");
        assert!(!tally.traps.is_empty(), "no trap was planted");
        assert!(
            !tally.changes.is_empty(),
            "no tenant changed under its setup"
        );
        assert!(!tally.followed.is_empty(), "nothing followed a roll-back");
        for whom in ["Refused", "Sender"] {
            let told = tally.mails.keys().any(|key| key.ends_with(whom));
            assert!(told, "no unclear answer to mail as a {whom}");
        }
    }
    if settings.runs >= ALL_FIRE {
        for what in Disturbance::ALL {
            let done = Tally::has(&tally.changes, &format!("{what:?} "));
            assert!(done, "{what:?} never happened");
        }
        for kind in MAIL_KINDS {
            assert!(
                Tally::has(&tally.mails, &format!("{kind} as ")),
                "{kind} never answered"
            );
        }
        for trap in [Trap::Restrict, Trap::Deny, Trap::Taken] {
            assert!(
                Tally::has(&tally.traps, &format!("{trap:?}")),
                "{trap:?} was never planted"
            );
        }
    }
}
