//! What one run does, decided by its seed alone.

use std::time::Duration;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// Customers whose applications can be confined.
pub const WELL: [&str; 7] = [
    "fabrikam.example",
    "contoso.example",
    "adventure-works.example",
    "wingtiptoys.example",
    "litware.example",
    "proseware.example",
    "oneill-soen.example",
];
/// Where a setup cannot get far, and must say why: never customised, an admin without a role.
pub const SICK: [&str; 2] = ["fourthcoffee.example", "cohowinery.example"];

const GRANTS: [&str; 5] = [
    "graph:Mail.Read",
    "graph:Mail.ReadWrite",
    "graph:MailboxSettings.Read",
    "graph:Calendars.Read",
    "graph:Contacts.Read",
];

/// How the application's secret comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    AtOnce,
    Later,
    /// A wrong one first.
    WrongFirst,
    /// The proof is left out in the end.
    Never,
}

/// What an operator does in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddling {
    Cancel,
    RollBack,
    /// After it is done.
    RollBackLater,
}

/// What somebody else has in the customer, and Postern must not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A RestrictAccess policy of the same application, which would leave more open.
    Restrict,
    /// A DenyAccess policy of the same application, which does not contradict the plan.
    Deny,
    /// A group with the name that the plan wants.
    Taken,
    /// The same, made in the moment after the plan was approved.
    TakenLater,
}

impl Trap {
    /// The setup cannot end well, and must say why.
    pub fn stops(self) -> bool {
        self != Self::Deny
    }
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub domain: &'static str,
    pub application: String,
    pub grants: Vec<&'static str>,
    pub senders: usize,
    pub refused: usize,
    pub prove: bool,
    pub secret: Secret,
    pub meddling: Option<(Meddling, Duration)>,
    /// Two operators start the same at the same time.
    pub twice: bool,
    pub trap: Option<Trap>,
    /// The plan takes a group that is there already, with exactly its senders.
    pub existing: bool,
    /// Operators try again and look while the faults go on.
    pub impatient: bool,
    /// Before it starts.
    pub delay: Duration,
    /// Decides which mailboxes.
    pub shuffle: u64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let sick = rng.random_bool(0.05);
        let pool: &[&'static str] = if sick { &SICK } else { &WELL };
        let domain = pool.choose(&mut rng).copied().expect("customers");
        let mut grants = Vec::new();
        if rng.random_bool(0.85) {
            grants.push("graph:Mail.Send");
        }
        grants.extend(GRANTS.iter().filter(|_| rng.random_bool(0.2)));
        if grants.is_empty() {
            grants.push("graph:Mail.Read");
        }
        let secret = match rng.random_range(0..10) {
            0..=5 => Secret::AtOnce,
            6..=7 => Secret::Later,
            8 => Secret::WrongFirst,
            _ => Secret::Never,
        };
        let when = Duration::from_millis(rng.random_range(0..9000));
        let meddling = match rng.random_range(0..10) {
            0..=1 => Some((Meddling::Cancel, when)),
            2 => Some((Meddling::RollBack, when)),
            3 => Some((Meddling::RollBackLater, when)),
            _ => None,
        };
        let (senders, refused) = (rng.random_range(1..=4), rng.random_range(1..=3));
        let (prove, twice) = (rng.random_bool(0.8), rng.random_bool(0.15));
        let impatient = rng.random_bool(0.5);
        let delay = Duration::from_millis(rng.random_range(0..6000));
        let shuffle = rng.random();
        let trap = match rng.random_range(0..20) {
            _ if sick => None,
            0 => Some(Trap::Restrict),
            1..=2 => Some(Trap::Deny),
            3 => Some(Trap::Taken),
            4 => Some(Trap::TakenLater),
            _ => None,
        };
        let group_is_free = trap.is_none_or(|trap| trap == Trap::Deny);
        let existing = rng.random_bool(0.12) && group_is_free && !sick;
        Self {
            seed,
            domain,
            application: format!("Mailer {seed}"),
            grants,
            senders,
            refused,
            prove,
            secret,
            meddling,
            twice,
            trap,
            existing,
            impatient,
            delay,
            shuffle,
        }
    }

    /// It may send at all, so that there is mail to prove it with.
    pub fn sends(&self) -> bool {
        self.grants.contains(&"graph:Mail.Send")
    }

    pub fn is_sick(&self) -> bool {
        SICK.contains(&self.domain)
    }

    /// Senders and refused ones among the customer's mailboxes.
    pub fn people(&self, mailboxes: &[String]) -> (Vec<String>, Vec<String>) {
        let mut rng = StdRng::seed_from_u64(self.shuffle);
        let chosen: Vec<String> = mailboxes
            .choose_multiple(&mut rng, self.senders + self.refused)
            .cloned()
            .collect();
        let (senders, refused) = chosen.split_at(self.senders.min(chosen.len() - 1));
        (senders.to_vec(), refused.to_vec())
    }
}

#[test]
fn chance_draws_every_kind_of_plan() {
    let plans: Vec<Plan> = (1..400).map(Plan::of).collect();
    for trap in [Trap::Restrict, Trap::Deny, Trap::Taken, Trap::TakenLater] {
        let seeds: Vec<u64> = plans
            .iter()
            .filter(|plan| plan.trap == Some(trap))
            .map(|plan| plan.seed)
            .collect();
        println!("{trap:?}: {seeds:?}");
        assert!(seeds.len() > 5, "{trap:?}: {seeds:?}");
    }
    assert!(plans.iter().filter(|plan| plan.existing).count() > 15);
    assert!(plans.iter().any(Plan::is_sick));
}
