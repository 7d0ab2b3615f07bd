//! Status, always shown as colour, icon and word together.

use domain::{
    connection::Health,
    exposure::Standing,
    proof::Proof,
    setup::SetupState,
    step::{Outcome, StepState},
};
use leptos::prelude::*;

use super::{Erase as _, Glyph, icon};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Bad,
    Warn,
    Good,
    Wait,
    Calm,
}

impl Tone {
    pub const fn class(self) -> &'static str {
        match self {
            Self::Bad => "tag bad",
            Self::Warn => "tag warn",
            Self::Good => "tag good",
            Self::Wait => "tag wait",
            Self::Calm => "tag calm",
        }
    }
}

pub fn tag(tone: Tone, glyph: Glyph, word: impl Into<String>) -> AnyView {
    view! { <span class=tone.class()>{icon(glyph)}<span>{word.into()}</span></span> }.any()
}

pub fn health_tag(health: &Health) -> AnyView {
    let (tone, glyph) = match health {
        Health::Good => (Tone::Good, Glyph::Check),
        Health::Broken { .. } => (Tone::Bad, Glyph::Warning),
        Health::Never => (Tone::Calm, Glyph::Dash),
        Health::Disconnected => (Tone::Calm, Glyph::Cross),
    };
    tag(tone, glyph, health.word())
}

pub fn reach_tag(standing: Standing) -> AnyView {
    counted_tag(standing, standing.word().to_owned())
}

/// The tag of a standing with another text, such as a number.
pub fn counted_tag(standing: Standing, words: String) -> AnyView {
    let (tone, glyph) = match standing {
        Standing::Power => (Tone::Bad, Glyph::Warning),
        Standing::Unrestricted => (Tone::Bad, Glyph::Unlock),
        Standing::AllExcept => (Tone::Warn, Glyph::Warning),
        Standing::Unknown => (Tone::Warn, Glyph::Question),
        Standing::Confined => (Tone::Wait, Glyph::Lock),
        Standing::Proven => (Tone::Good, Glyph::Star),
        Standing::Nothing => (Tone::Calm, Glyph::Dash),
    };
    tag(tone, glyph, words)
}

pub fn setup_tag(state: SetupState) -> AnyView {
    let (tone, glyph) = match state {
        SetupState::Running => (Tone::Wait, Glyph::Dots),
        SetupState::Waiting => (Tone::Wait, Glyph::Clock),
        SetupState::NeedsSecret => (Tone::Warn, Glyph::Key),
        SetupState::Failed => (Tone::Bad, Glyph::Cross),
        SetupState::Done => (Tone::Good, Glyph::Check),
        SetupState::Cancelled => (Tone::Calm, Glyph::Dash),
        SetupState::RollingBack => (Tone::Wait, Glyph::Undo),
        SetupState::RolledBack => (Tone::Calm, Glyph::Undo),
    };
    tag(tone, glyph, state.word())
}

pub fn proof_tag(proof: Proof) -> AnyView {
    let (tone, glyph) = match proof {
        Proof::None => (Tone::Calm, Glyph::Dash),
        Proof::MoreOpen => (Tone::Bad, Glyph::Unlock),
        Proof::NotKnown => (Tone::Warn, Glyph::Question),
        Proof::Configured => (Tone::Warn, Glyph::Lock),
        Proof::Checked => (Tone::Wait, Glyph::Check),
        Proof::Proven => (Tone::Good, Glyph::Star),
    };
    tag(tone, glyph, proof.word())
}

/// The result of a real send, and whether the plan wants that result.
pub fn outcome_tag(outcome: &Outcome, as_planned: bool) -> AnyView {
    match (outcome, as_planned) {
        (Outcome::Accepted, true) => tag(Tone::Good, Glyph::Check, "accepted"),
        (Outcome::Accepted, false) => tag(Tone::Bad, Glyph::Unlock, "went through"),
        (Outcome::Refused, true) => tag(Tone::Good, Glyph::Lock, "refused"),
        (Outcome::Refused, false) => tag(Tone::Bad, Glyph::Cross, "refused"),
        (Outcome::Unclear(why), _) => view! {
            {tag(Tone::Warn, Glyph::Question, "unclear")}
            <span class="sub">{why.clone()}</span>
        }
        .any(),
    }
}

/// Style and icon of a step in the list of steps.
pub const fn step_look(state: &StepState) -> (&'static str, Option<Glyph>) {
    match state {
        StepState::Pending => ("step pending", None),
        StepState::Running => ("step running", Some(Glyph::Dots)),
        StepState::Waiting(_) => ("step waiting", Some(Glyph::Clock)),
        StepState::Done => ("step done", Some(Glyph::Check)),
        StepState::Failed { .. } => ("step failed", Some(Glyph::Cross)),
        StepState::Skipped { .. } => ("step skipped", Some(Glyph::Dash)),
        StepState::Undone => ("step undone", Some(Glyph::Undo)),
    }
}
