//! How strongly a confinement is proved, and whether that still holds.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::ObjectId,
    plan::{Mailbox, Plan},
    step::{Look, Must, Outcome, Probe, Step, StepKind, StepState},
};

/// The evidence for a confinement, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing yet.
    None,
    /// What was read shows that the application reaches more than the plan permits.
    MoreOpen,
    /// A part that decides could not be read.
    NotKnown,
    /// The policy was read back.
    Configured,
    /// Exchange's own test cmdlet agrees with the plan.
    Checked,
    /// Real mail behaved as planned: mail as permitted mailboxes was accepted, mail as the others
    /// was refused.
    Proven,
}

impl Proof {
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::MoreOpen,
        Self::NotKnown,
        Self::Configured,
        Self::Checked,
        Self::Proven,
    ];

    /// The text in the database. Never change one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MoreOpen => "more_open",
            Self::NotKnown => "not_known",
            Self::Configured => "configured",
            Self::Checked => "checked",
            Self::Proven => "proven",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.as_str() == text)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MoreOpen => "more is open",
            Self::NotKnown => "not known",
            Self::Configured => "configured",
            Self::Checked => "checked",
            Self::Proven => "proven",
        }
    }

    pub const fn explained(self) -> &'static str {
        match self {
            Self::None => "Nothing is confirmed.",
            Self::MoreOpen => {
                "The application reaches more than the plan permits, as far as was read."
            }
            Self::NotKnown => {
                "Whether the application reaches more than the plan permits could not be read."
            }
            Self::Configured => {
                "The policy was read in Exchange. Nothing was tried since it was made."
            }
            Self::Checked => "Exchange's own test agrees with the plan. Real mail did not show it.",
            Self::Proven => "Real mail was tried, and behaved as the plan says.",
        }
    }
}

/// The newest verdict on what a setup claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    pub at: Timestamp,
    pub by: SeenBy,
    pub says: Verdict,
    /// More was open at some time since the last proof, so what real mail showed before that says
    /// nothing of today.
    #[serde(default)]
    pub was_open: bool,
}

/// What gave the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    /// The last look of the setup.
    LastLook,
    /// A later scan of the customer.
    Reading,
    /// The rollback of another setup for the application.
    RollBack,
}

/// Whether an application is confined to what a plan permits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that was read reaches more than the plan permits.
    Holds,
    /// These permissions or powers are open: each entry is a sentence.
    More { open: Vec<String> },
    /// It is not known, for these reasons.
    Unknown { why: Vec<String> },
}

impl Verdict {
    pub fn sentences(&self) -> &[String] {
        match self {
            Self::Holds => &[],
            Self::More { open } => open,
            Self::Unknown { why } => why,
        }
    }
}

impl Judged {
    pub const fn new(at: Timestamp, by: SeenBy, says: Verdict) -> Self {
        let was_open = matches!(says, Verdict::More { .. });
        Self {
            at,
            by,
            says,
            was_open,
        }
    }

    /// This verdict after an earlier one. It keeps whether something was open since the proof.
    #[must_use]
    pub fn after(mut self, earlier: Option<&Self>) -> Self {
        self.was_open |= earlier.is_some_and(|earlier| earlier.was_open);
        self
    }

    /// Names the source of the verdict, for the beginning of a line.
    pub const fn look(&self) -> &'static str {
        match self.by {
            SeenBy::LastLook => "The look at the end of the setup",
            SeenBy::Reading => "The last reading of the customer",
            SeenBy::RollBack => "The roll back of another setup",
        }
    }

    /// The verdict in one sentence. The sentences of `says` follow it.
    pub fn sentence(&self) -> String {
        let look = self.look();
        let at = self.at;
        match (&self.says, self.was_open) {
            (Verdict::Holds, false) => {
                format!("{look} ({at}) found nothing that reaches more than the plan permits.")
            }
            (Verdict::Holds, true) => format!(
                "{look} ({at}) found nothing that reaches more than the plan permits; but more was open since real mail was tried, so that it has to be tried again."
            ),
            (Verdict::More { .. }, _) => {
                format!("{look} ({at}) contradicts the plan:")
            }
            (Verdict::Unknown { .. }, _) => {
                format!("{look} ({at}) could not see all that it takes to say so:")
            }
        }
    }
}

/// The proof of a setup as it stands now. `own`: what its own steps showed. The newest verdict can
/// lower it. Every page, list and download uses this rule.
pub fn stands(own: Proof, judged: Option<&Judged>) -> Proof {
    let Some(judged) = judged else {
        return own;
    };
    if own < Proof::Configured {
        return own;
    }
    match &judged.says {
        Verdict::More { .. } => Proof::MoreOpen,
        Verdict::Unknown { .. } => Proof::NotKnown,
        Verdict::Holds if judged.was_open => own.min(Proof::Configured),
        Verdict::Holds => own,
    }
}

/// What real mail proved: each mailbox that was tried, and when it behaved as planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    pub tried: Vec<Tried>,
}

/// One mailbox of a round in which all mailboxes behaved as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub object: ObjectId,
    pub must: Must,
    pub at: Timestamp,
}

impl Proved {
    /// Adds a round. A mailbox that was tried again has only its new entry.
    pub fn add(&mut self, round: impl IntoIterator<Item = Tried>) {
        for one in round {
            self.tried.retain(|old| old.object != one.object);
            self.tried.push(one);
        }
    }

    /// The time of the newest round.
    pub fn newest(&self) -> Option<Timestamp> {
        self.tried.iter().map(|one| one.at).max()
    }

    fn oldest(&self) -> Option<Timestamp> {
        self.tried.iter().map(|one| one.at).min()
    }

    fn is_of(&self, mailbox: &Mailbox) -> bool {
        self.tried.iter().any(|one| one.object == mailbox.object)
    }

    /// The permitted senders as which no mail was sent. `probes`: all mailboxes that were tried.
    pub fn untried<'p>(&self, plan: &'p Plan, probes: &[Probe]) -> Vec<&'p Mailbox> {
        plan.senders
            .iter()
            .filter(|sender| !self.is_of(sender) && newest_look(probes, plan, sender).is_none())
            .collect()
    }

    /// The mailboxes whose newest mail did not behave as planned.
    pub fn otherwise<'p, 'l>(
        &self,
        plan: &'p Plan,
        probes: &'l [Probe],
    ) -> Vec<(&'p Mailbox, &'l Look)> {
        plan.refused
            .iter()
            .chain(&plan.senders)
            .filter_map(|mailbox| {
                let (probe, look) = newest_look(probes, plan, mailbox)?;
                let shown = self.tried.iter().find(|one| one.object == mailbox.object);
                let newer = shown.is_none_or(|one| look.at > one.at);
                (newer && !probe.holds()).then_some((mailbox, look))
            })
            .collect()
    }

    /// Says what was tried, when and how; what did not behave as planned; and what was not tried.
    pub fn sentence(&self, plan: &Plan, probes: &[Probe]) -> String {
        let count = |list: &[Mailbox]| list.iter().filter(|one| self.is_of(one)).count();
        let when = match (self.oldest(), self.newest()) {
            (Some(oldest), Some(newest)) if newest.millis_since(oldest) > 3_600_000 => {
                format!(", between {oldest} and {newest}")
            }
            (_, Some(newest)) => format!(", on {newest}"),
            _ => String::new(),
        };
        let others = |count: usize| if count == 1 { "other" } else { "others" };
        let mut said = format!(
            "Sending through Graph was tried: as {} of {} permitted accepted, as {} of {} {} refused{when}.",
            count(&plan.senders),
            plan.senders.len(),
            count(&plan.refused),
            plan.refused.len(),
            others(plan.refused.len()),
        );
        if let Some(more) = self.exceptions(plan, probes) {
            said.push(' ');
            said.push_str(&more);
        }
        said
    }

    /// Names the mailboxes for which real mail did not show what the plan says, with the reason.
    fn exceptions(&self, plan: &Plan, probes: &[Probe]) -> Option<String> {
        let otherwise = self.otherwise(plan, probes);
        let mut said: Vec<String> = otherwise
            .iter()
            .take(NAMED)
            .map(|(mailbox, look)| {
                let address = &mailbox.address;
                let at = look.at;
                match look.outcome {
                    Outcome::Accepted => {
                        format!("The newest mail as {address} went through ({at}).")
                    }
                    Outcome::Refused => format!("The newest mail as {address} was refused ({at})."),
                    Outcome::Unclear(_) => {
                        format!("The newest mail as {address} showed nothing ({at}).")
                    }
                }
            })
            .collect();
        if otherwise.len() > NAMED {
            said.push(format!(
                "{} more mailboxes did not behave as planned.",
                otherwise.len() - NAMED
            ));
        }
        let untried = self.untried(plan, probes);
        if let Some(names) = names(&untried) {
            said.push(format!(
                "{} of {} senders tried; not tried: {names}.",
                plan.senders.len() - untried.len(),
                plan.senders.len(),
            ));
        }
        (!said.is_empty()).then(|| said.join(" "))
    }
}

fn newest_look<'l>(
    probes: &'l [Probe],
    plan: &Plan,
    mailbox: &Mailbox,
) -> Option<(&'l Probe, &'l Look)> {
    let probe = probes.iter().find(|probe| {
        probe
            .mailbox_of(plan)
            .is_some_and(|one| one.object == mailbox.object)
    })?;
    Some((probe, probe.looks.last()?))
}

/// Maximum number of mailboxes that a sentence names. More are only counted.
const NAMED: usize = 5;

/// The addresses as a list in words. None: the list is empty.
pub fn names(mailboxes: &[&Mailbox]) -> Option<String> {
    if mailboxes.is_empty() {
        return None;
    }
    let mut said = mailboxes
        .iter()
        .take(NAMED)
        .map(|mailbox| mailbox.address.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    if mailboxes.len() > NAMED {
        said.push_str(&format!(" and {} more", mailboxes.len() - NAMED));
    }
    Some(said)
}

/// What the real mail of a setup proved. None: nothing, or no mail was sent.
pub fn proved(steps: &[Step], plan: &Plan) -> Option<Proved> {
    prove_step(steps)?.proved(plan)
}

/// The mailboxes as which a setup sent real mail.
pub fn probes(steps: &[Step]) -> &[Probe] {
    prove_step(steps).map_or(&[], |step| step.probes.as_slice())
}

fn prove_step(steps: &[Step]) -> Option<&Step> {
    steps.iter().find(|step| step.kind == StepKind::Prove)
}

/// The result of real mail for a finished setup. It adds to the word for the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealMail {
    /// Real mail showed all that was asked for.
    Showed,
    /// An earlier proof showed it; the newest one did not.
    ShowedBefore,
    /// Mail was sent, and has not shown it yet.
    NotYet,
    /// No mail was sent.
    NotTried,
}

/// The result of real mail, from the steps.
pub fn real_mail(steps: &[Step], plan: &Plan) -> RealMail {
    let Some(step) = prove_step(steps) else {
        return RealMail::NotTried;
    };
    let open = matches!(step.state, StepState::Skipped { .. });
    match step.proved(plan) {
        Some(proved) if open || !proved.otherwise(plan, &step.probes).is_empty() => {
            RealMail::ShowedBefore
        }
        Some(_) => RealMail::Showed,
        None if step.probes.iter().any(|probe| !probe.looks.is_empty()) => RealMail::NotYet,
        None => RealMail::NotTried,
    }
}

/// What the proof of a finished setup means, in one or two sentences.
pub const fn meaning(proof: Proof, real_mail: RealMail) -> &'static str {
    match (proof, real_mail) {
        (Proof::Proven, RealMail::ShowedBefore) => {
            "Real mail of an earlier proof behaved as the plan says. The newest proof did not end as planned."
        }
        (Proof::Checked, RealMail::NotTried) => {
            "Exchange's own test agrees with the plan. Real mail was not tried."
        }
        _ => proof.explained(),
    }
}

/// What lists add to the word for a finished setup's proof: the mailboxes that real mail left open,
/// or why it showed nothing. None: it showed everything.
pub fn left_open(steps: &[Step], plan: &Plan) -> Option<String> {
    let step = prove_step(steps)?;
    match step.proved(plan) {
        Some(proved) => proved.exceptions(plan, &step.probes),
        None if plan.unprovable.is_some() => plan.unprovable.map(|one| one.short().to_owned()),
        None if real_mail(steps, plan) == RealMail::NotTried => {
            Some("Not tried with real mail.".to_owned())
        }
        None => {
            let said = Proved::default().exceptions(plan, &step.probes);
            Some(format!("Not yet proven. {}", said.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
