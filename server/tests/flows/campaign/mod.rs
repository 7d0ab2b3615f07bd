//! The fault campaign: random setups in random customers, while the cloud misbehaves, processes
//! are killed and connections are cut. Afterwards nothing may be lost, doubled or wrongly called
//! safe.
//!
//! `./dev campaign --runs N --seed S` runs a long one, `./dev test` this short one. Run number
//! `i` has the seed `S + i`, which decides its plan: `--seed S+i --runs 1` repeats it. Several
//! runs share one cloud, one database and the processes, and with them the faults of the first.

mod block;
mod check;
mod drive;
pub mod events;
mod operator;
mod plan;
pub mod process;
mod tally;

use std::{panic::AssertUnwindSafe, time::Instant};

use futures::{FutureExt as _, future::join_all};
use tokio::sync::Mutex;

use self::{block::Block, tally::Tally};

/// Of a short campaign.
const RUNS: u64 = 24;
const SEED: u64 = 1;
/// Runs that share a cloud.
const PER_BLOCK: u64 = 24;

/// What `./dev campaign` sets.
struct Settings {
    runs: u64,
    seed: u64,
    /// Blocks at the same time.
    lanes: usize,
    /// Restarts the Postgres that the campaign owns.
    restart: Option<String>,
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
            match found {
                Ok(found) => tally.add(found),
                Err(_) => tally.broken(&format!("seed {first}: see above")),
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
    assert!(tally.violations.is_empty(), "{}", tally.violations.len());
    assert!(tally.runs == settings.runs, "not every run ran");
    assert!(
        tally.faults.values().sum::<u64>() > 0,
        "no fault was injected"
    );
}
