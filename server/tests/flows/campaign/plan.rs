//! The plan of one run, decided by its seed alone.

use std::time::Duration;

use cloud::campaign::MAIL_KINDS;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::{RUNS, SEED};

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
/// Customers in which a setup cannot get far, and must say why: never customised, an admin without
/// a role.
pub const SICK: [&str; 2] = ["fourthcoffee.example", "cohowinery.example"];

const GRANTS: [&str; 5] = [
    "graph:Mail.Read",
    "graph:Mail.ReadWrite",
    "graph:MailboxSettings.Read",
    "graph:Calendars.Read",
    "graph:Contacts.Read",
];

/// How the application's secret is provided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secret {
    AtOnce,
    Later,
    /// A wrong secret is given first.
    WrongFirst,
    /// No secret is given. The proof is skipped in the end.
    Never,
}

/// What an operator does during the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddling {
    Cancel,
    RollBack,
    /// Rolls back after the setup is done.
    RollBackLater,
}

/// An object of somebody else in the customer that Postern must not touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A RestrictAccess policy of the same application, which would leave more open.
    Restrict,
    /// A DenyAccess policy of the same application, which does not contradict the plan.
    Deny,
    /// A group with the name that the plan needs.
    Taken,
    /// A group with that name, made right after the plan was approved.
    TakenLater,
}

impl Trap {
    /// Whether the setup cannot succeed, and must say why.
    pub fn stops(self) -> bool {
        self != Self::Deny
    }
}

/// A change by the customer's own admin during a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The setup's policy is removed.
    PolicyDropped,
    /// A member is added to the setup's group.
    MemberAdded,
    /// An IMAP permission in Entra, and the right on a mailbox.
    ImapGranted,
    /// A permission of the retired Outlook API, which no policy governs.
    RetiredGranted,
    /// A permission of Graph that the policy governs.
    ReadGranted,
    /// Full access to mailboxes through EWS.
    EwsGranted,
    /// A second policy of the application, with a group of other members.
    WiderPolicy,
    /// Another application's policy uses the setup's group.
    GroupInPolicy,
    /// Another application's role in Exchange uses the setup's group.
    GroupInRole,
}

impl Disturbance {
    pub const ALL: [Self; 9] = [
        Self::PolicyDropped,
        Self::MemberAdded,
        Self::ImapGranted,
        Self::RetiredGranted,
        Self::ReadGranted,
        Self::EwsGranted,
        Self::WiderPolicy,
        Self::GroupInPolicy,
        Self::GroupInRole,
    ];

    /// Whether more is open afterwards than the plan permits, so that the final check has to report
    /// it.
    pub fn opens(self) -> bool {
        match self {
            Self::PolicyDropped
            | Self::MemberAdded
            | Self::ImapGranted
            | Self::RetiredGranted
            | Self::WiderPolicy => true,
            Self::ReadGranted | Self::EwsGranted | Self::GroupInPolicy | Self::GroupInRole => false,
        }
    }

    /// Whether somebody else uses the setup's group, so that the group may have to stay.
    pub fn holds_group(self) -> bool {
        matches!(
            self,
            Self::MemberAdded | Self::GroupInPolicy | Self::GroupInRole
        )
    }
}

/// The moment of a setup after which something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A step is done.
    After(&'static str),
    /// The first mail was tried.
    Proving,
}

/// Steps after which a tenant is changed: the group exists by then.
const MOMENTS: [&str; 5] = ["group", "visible", "senders", "policy", "check"];

/// The kind of mailbox for which `sendMail` gives an unclear response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    Refused,
    Sender,
}

/// A response of `sendMail` that says nothing about the policy.
#[derive(Clone, Copy, Debug)]
pub struct Unclear {
    pub kind: &'static str,
    pub whom: Whom,
    /// How many mails from that mailbox get the normal response first.
    pub skip: u64,
    pub times: u64,
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
    /// Two operators start the same setup at the same time.
    pub twice: bool,
    pub trap: Option<Trap>,
    /// The plan uses an existing group whose members are exactly the plan's senders.
    pub existing: bool,
    /// Operators retry and poll while the faults go on.
    pub impatient: bool,
    /// The delay before the start.
    pub delay: Duration,
    /// The seed that chooses the mailboxes.
    pub shuffle: u64,
    /// The change during the setup, its moment, and the delay after that moment.
    pub disturbance: Option<(Disturbance, Moment, Duration)>,
    /// The setup starts as soon as another setup for the same application was rolled back.
    pub follows: bool,
    /// The unclear responses of `sendMail`.
    pub unclear: Vec<Unclear>,
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
        let mut plan = Self {
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
            disturbance: None,
            follows: false,
            unclear: Vec::new(),
        };
        // These values are drawn last, so that the earlier values of a seed stay the same.
        if !sick && rng.random_bool(0.1) && plan.trap.is_none() {
            plan.follow(rng.random_bool(0.5));
        } else if !sick && plan.trap.is_none_or(|trap| !trap.stops()) && rng.random_bool(0.75) {
            plan.disturbance = Some(plan.disturbed(&mut rng));
        }
        if plan.prove && plan.sends() && !sick {
            plan.unclear = unclear(&mut rng);
        }
        plan
    }

    /// Makes this plan follow a rollback. It must end with a proof. `existing`: both setups use the
    /// same group, which stays.
    fn follow(&mut self, existing: bool) {
        if !self.sends() {
            self.grants.push("graph:Mail.Send");
        }
        if matches!(self.secret, Secret::WrongFirst | Secret::Never) {
            self.secret = Secret::AtOnce;
        }
        self.existing = existing;
        self.prove = true;
        self.meddling = None;
        self.delay = Duration::ZERO;
        self.follows = true;
    }

    /// The setup that is rolled back before this one.
    pub fn before(&self) -> Self {
        Self {
            prove: false,
            secret: Secret::Never,
            meddling: Some((Meddling::RollBackLater, Duration::ZERO)),
            twice: false,
            impatient: true,
            follows: false,
            unclear: Vec::new(),
            ..self.clone()
        }
    }

    fn disturbed(&self, rng: &mut StdRng) -> (Disturbance, Moment, Duration) {
        let mut what = Disturbance::ALL.choose(rng).copied().expect("disturbances");
        if what == Disturbance::ReadGranted && self.grants.contains(&"graph:Mail.ReadWrite") {
            what = Disturbance::RetiredGranted;
        }
        let moments: &[&'static str] = if what == Disturbance::PolicyDropped {
            &MOMENTS[3..]
        } else {
            &MOMENTS
        };
        let proves = self.prove && self.sends();
        let moment = if proves && rng.random_bool(0.5) {
            Moment::Proving
        } else {
            Moment::After(moments.choose(rng).expect("moments"))
        };
        let behind = Duration::from_millis(rng.random_range(0..6000));
        (what, moment, behind)
    }

    /// Whether the application may send at all, so that real mail can prove the setup.
    pub fn sends(&self) -> bool {
        self.grants.contains(&"graph:Mail.Send")
    }

    pub fn is_sick(&self) -> bool {
        SICK.contains(&self.domain)
    }

    /// Chooses senders and refused mailboxes from the customer's mailboxes.
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

/// Unclear responses of `sendMail` for one run: for a mailbox that must be refused, for a sender,
/// both or none.
fn unclear(rng: &mut StdRng) -> Vec<Unclear> {
    let mut found = Vec::new();
    for whom in [Whom::Refused, Whom::Sender] {
        let kind = MAIL_KINDS.choose(rng).copied().expect("kinds");
        let (skip, times) = (rng.random_range(0..=1), rng.random_range(1..=2));
        if rng.random_bool(0.4) {
            found.push(Unclear {
                kind,
                whom,
                skip,
                times,
            });
        }
    }
    found
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
    let disturbed = |what: Disturbance, moment: fn(Moment) -> bool| {
        let drawn = plans.iter().filter_map(|plan| plan.disturbance);
        drawn
            .filter(|(one, when, _)| *one == what && moment(*when))
            .count()
    };
    for what in Disturbance::ALL {
        let proving = disturbed(what, |when| when == Moment::Proving);
        assert!(proving > 2, "{what:?} while it proves: {proving}");
        let behind = disturbed(what, |when| when != Moment::Proving);
        assert!(behind > 2, "{what:?} behind a step: {behind}");
    }
    for existing in [true, false] {
        let follow = plans.iter().filter(|plan| plan.follows);
        assert!(follow.filter(|plan| plan.existing == existing).count() > 10);
    }
    for kind in MAIL_KINDS {
        for whom in [Whom::Refused, Whom::Sender] {
            let all = plans.iter().flat_map(|plan| &plan.unclear);
            let drawn = all.filter(|one| one.kind == kind && one.whom == whom);
            assert!(drawn.count() > 2, "{kind} as a {whom:?}");
        }
    }
}

/// The features that the plans of a short campaign do not draw.
fn lacks(plans: &[Plan]) -> Vec<String> {
    let undisturbed = |plan: &&Plan| {
        !plan.is_sick()
            && !matches!(
                plan.meddling,
                Some((Meddling::Cancel | Meddling::RollBack, _))
            )
    };
    let well: Vec<&Plan> = plans.iter().filter(undisturbed).collect();
    let mut lacks = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            lacks.push(what);
        }
    };
    for what in Disturbance::ALL {
        let mut drawn = well.iter().filter_map(|plan| plan.disturbance);
        must(drawn.any(|one| one.0 == what), format!("{what:?}"));
    }
    for existing in [true, false] {
        let mut drawn = well.iter().filter(|plan| plan.follows);
        let of_both = drawn.any(|plan| plan.existing == existing);
        must(of_both, format!("a setup after a roll-back, {existing}"));
    }
    for trap in [Trap::Restrict, Trap::Deny, Trap::Taken] {
        let drawn = well.iter().any(|plan| plan.trap == Some(trap));
        must(drawn, format!("{trap:?}"));
    }
    for whom in [Whom::Refused, Whom::Sender] {
        let mut drawn = well.iter().flat_map(|plan| &plan.unclear);
        let of_whom = drawn.any(|one| one.whom == whom);
        must(of_whom, format!("unclear answers as a {whom:?}"));
    }
    must(
        plans.iter().any(Plan::is_sick),
        "a sick customer".to_owned(),
    );
    lacks
}

#[test]
fn a_short_campaign_draws_everything() {
    let plans: Vec<Plan> = (SEED..SEED + RUNS).map(Plan::of).collect();
    assert_eq!(lacks(&plans), Vec::<String>::new());
}
