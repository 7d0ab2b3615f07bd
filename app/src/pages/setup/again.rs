//! The proof once more, alone: for mailboxes that were not tried, or because it is old.

use domain::{plan::Mailbox, proof::proved};
use leptos::prelude::*;

use super::{
    Shown,
    actions::{afterwards, ids},
};
use crate::{
    api::forms,
    components::{Erase as _, Failure, Post, PostForm, Submit, TextField, dynamic},
};

/// Offers it where it can be asked for. Ticked are the senders that were not tried; without any,
/// the first of the plan.
#[component]
pub fn Again(shown: Shown) -> impl IntoView {
    let post = Post::new(forms::PROVE_AGAIN);
    afterwards(post, shown, "The proof begins again.");
    let offered = shown.part(|view| view.can.prove_again);
    let form = move || offered.get().then(|| form(shown, post));
    dynamic(form)
}

fn form(shown: Shown, post: Post) -> AnyView {
    let (plan, untried) = shown.view.with_untracked(|view| {
        let untried: Vec<_> = match proved(&view.steps, &view.plan) {
            Some(proved) => proved
                .untried(&view.plan)
                .into_iter()
                .map(|one| one.object)
                .collect(),
            None => Vec::new(),
        };
        (view.plan.clone(), untried)
    });
    let first = plan.refused.first().map(|one| one.address.to_string());
    let to = plan
        .recipient()
        .map(ToString::to_string)
        .unwrap_or_default();
    let hint = format!(
        "As each ticked mailbox a mail is sent to {to}, twice, ten minutes apart; {} is always tried, to see that the policy refuses. Nothing else is touched.",
        first.unwrap_or_default()
    );
    let ticked = |one: &Mailbox, index: usize| {
        if untried.is_empty() {
            index == 0
        } else {
            untried.contains(&one.object)
        }
    };
    let box_of = |one: &Mailbox, what: &str, ticked: bool| {
        view! {
            <li>
                <label class="pick">
                    <input type="checkbox" name="mailbox[]" value=one.address.to_string() checked=ticked/>
                    <span class="who-is"><b>{one.address.to_string()}</b><span class="sub">{what.to_owned()}</span></span>
                </label>
            </li>
        }
        .any()
    };
    let senders = plan.senders.iter().enumerate();
    let senders = senders
        .map(|(index, one)| {
            let what = if untried.contains(&one.object) {
                "permitted, not tried yet"
            } else {
                "permitted"
            };
            box_of(one, what, ticked(one, index))
        })
        .collect_view();
    let refused = plan
        .refused
        .iter()
        .map(|one| box_of(one, "must be refused", false))
        .collect_view();
    view! {
        <section class="card form" aria-labelledby="again">
            <h2 id="again">"Prove again"</h2>
            <p class="hint">{hint}</p>
            <Failure of=post.failure_beside("secret")/>
            <PostForm post class="secret">
                {ids(shown)}
                <fieldset class="picker">
                    <legend>"Mailboxes to try"</legend>
                    <ul class="picks">{senders}{refused}</ul>
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
                <Submit label="Prove again" class="btn" pending=post.pending()/>
            </PostForm>
        </section>
    }
    .any()
}
