//! Runs the proof again: for mailboxes that were not tried, or because the proof is old.

use domain::{
    id::ObjectId,
    plan::{Mailbox, Plan},
    proof::{probes, proved},
    proving::{MAILS_A_DAY, MOST_AGAIN},
    step::Must,
    view::SetupView,
};
use leptos::prelude::*;

use super::{
    Shown,
    actions::{afterwards, ids},
};
use crate::{
    api::forms,
    components::{Erase as _, Failure, Post, PostForm, Submit, TextField, breakable, dynamic},
};

/// The form, where a new proof is possible. Mailboxes that earlier proofs left open are ticked.
#[component]
pub fn Again(shown: Shown) -> impl IntoView {
    let post = Post::new(forms::PROVE_AGAIN);
    afterwards(post, shown, "The proof begins again.");
    let offered = shown.part(|view| view.can.prove_again);
    let form = move || offered.get().then(|| form(shown, post));
    dynamic(form)
}

/// What earlier proofs showed about the plan's mailboxes.
struct Known {
    plan: Plan,
    /// Permitted senders for which no mail was tried.
    untried: Vec<ObjectId>,
    /// Mailboxes whose newest mail did not behave as planned.
    otherwise: Vec<ObjectId>,
    /// Whether some real mail behaved as planned.
    any: bool,
}

impl Known {
    fn of(view: &SetupView) -> Self {
        let (plan, probes) = (&view.plan, probes(&view.steps));
        let found = proved(&view.steps, plan);
        let any = found.is_some();
        let proved = found.unwrap_or_default();
        let untried = proved.untried(plan, probes);
        let otherwise = proved.otherwise(plan, probes);
        Self {
            untried: untried.into_iter().map(|one| one.object).collect(),
            otherwise: otherwise.into_iter().map(|(one, _)| one.object).collect(),
            plan: plan.clone(),
            any,
        }
    }

    /// Whether real mail did not show all that the plan says.
    fn leaves_open(&self) -> bool {
        !self.any || !self.otherwise.is_empty() || !self.untried.is_empty()
    }

    /// The mailboxes that the form suggests: at first those that the plan tries, later those not
    /// shown yet.
    fn suggested(&self) -> Vec<ObjectId> {
        let open = self.otherwise.iter().chain(&self.untried).copied();
        let open: Vec<ObjectId> = open.take(MOST_AGAIN).collect();
        if !self.any {
            self.plan.probed().map(|(one, _)| one.object).collect()
        } else if open.is_empty() {
            let first = self.plan.senders.first();
            first.map(|one| one.object).into_iter().collect()
        } else {
            open
        }
    }

    fn word(&self, mailbox: &Mailbox, must: Must) -> &'static str {
        let otherwise = self.otherwise.contains(&mailbox.object);
        match must {
            Must::Arrive if otherwise => "permitted, the newest mail was not accepted",
            Must::Arrive if self.untried.contains(&mailbox.object) => "permitted, not tried yet",
            Must::Arrive => "permitted",
            Must::BeRefused if otherwise => "must be refused, the newest mail was not",
            Must::BeRefused => "must be refused",
        }
    }
}

fn form(shown: Shown, post: Post) -> AnyView {
    let known = shown.view.with_untracked(Known::of);
    let plan = &known.plan;
    let first = plan.refused.first().map(|one| one.address.to_string());
    let to = plan
        .recipient()
        .map(ToString::to_string)
        .unwrap_or_default();
    let hint = format!(
        "Postern sends a mail as each ticked mailbox to {to}, in two rounds ten minutes apart. {} is always tried as well: it must be refused, or {to} receives its mails, {MAILS_A_DAY} in a day at most. Nothing at the customer is changed.",
        first.unwrap_or_default()
    );
    // If something is left to prove, the button is the one primary action of the page.
    let rank = if known.leaves_open() {
        "btn primary"
    } else {
        "btn"
    };
    let suggested = known.suggested();
    let senders = plan.senders.iter().map(|one| (one, Must::Arrive));
    let refused = plan.refused.iter().map(|one| (one, Must::BeRefused));
    let boxes = senders
        .chain(refused)
        .map(|(one, must)| {
            let ticked = suggested.contains(&one.object);
            view! {
                <li>
                    <label class="pick">
                        <input type="checkbox" name="mailbox[]" value=one.address.to_string() checked=ticked/>
                        <span class="who-is"><b>{breakable(one.address.as_str())}</b><span class="sub">{known.word(one, must)}</span></span>
                    </label>
                </li>
            }
            .any()
        })
        .collect_view();
    view! {
        <section aria-labelledby="again">
            <details class="fold card form" open=known.leaves_open()>
            <summary><h2 id="again">"Prove again"</h2></summary>
            <p class="hint">{hint}</p>
            <Failure of=post.failure_beside("secret")/>
            <PostForm post class="secret">
                {ids(shown)}
                <fieldset class="picker">
                    <legend>"Mailboxes to try"</legend>
                    <ul class="picks">{boxes}</ul>
                </fieldset>
                <TextField
                    name="secret"
                    label="Client secret of the application"
                    kind="password"
                    hint="Kept encrypted until the proof ends, 24 hours at most."
                    error=post.failure_of("secret")
                    required=true
                    longest=512
                />
                <Submit label="Prove again" class=rank pending=post.pending()/>
            </PostForm>
            </details>
        </section>
    }
    .any()
}
