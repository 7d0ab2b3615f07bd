//! The subject of the setup, in a few fields.

use domain::{
    plan::Mailbox,
    proof::{Proof, meaning, real_mail},
    setup::SetupState,
};
use leptos::prelude::*;

use super::Shown;
use crate::components::{Erase as _, breakable, dynamic, proof_tag};

#[component]
pub fn Summary(shown: Shown) -> impl IntoView {
    let proof = shown.part(|view| view.proof);
    let over = shown.part(|view| !view.state.is_active());
    let undone = shown.part(|view| view.state == SetupState::RolledBack);
    let again = shown.part(|view| {
        let mut proving = view.steps.iter().filter_map(|step| step.proving.as_ref());
        proving.any(|proving| proving.again.is_some())
    });
    let mail = shown.part(|view| real_mail(&view.steps, &view.plan));
    let plan = shown.view.with_untracked(|view| view.plan.clone());
    let next = move || {
        if undone.get() {
            return "The setup was rolled back.";
        }
        if over.get() {
            return meaning(proof.get(), mail.get());
        }
        match (proof.get(), plan.prove) {
            (Proof::None, _) => "next: the policy in place",
            (Proof::MoreOpen | Proof::NotKnown, _) => proof.get().explained(),
            (Proof::Configured, _) => "next: checked by Exchange",
            (Proof::Checked, true) => "next: proven by real mail",
            (Proof::Checked, false) => "ends here: no real mail",
            (Proof::Proven, _) if again.get() => "proven before, now proven again",
            (Proof::Proven, _) => "next: a last look",
        }
    };
    let plan = shown.view.with_untracked(|view| view.plan.clone());
    let group = plan.group.name().to_owned();
    view! {
        <dl class="summary card">
            <div><dt>"Proof"</dt><dd>{dynamic(move || proof_tag(proof.get()))}<small>{dynamic(next)}</small></dd></div>
            <div><dt>"Mechanism"</dt><dd>"Access policy"<small>"RestrictAccess, group "{group}</small></dd></div>
            <div><dt>"May send as"</dt><dd>{some(&plan.senders)}</dd></div>
            <div><dt>"Must be refused"</dt><dd>{some(&plan.refused)}</dd></div>
            {stays_open(&plan.accepted)}
        </dl>
    }.any()
}

/// The items that the operator confirmed as staying open despite the policy.
fn stays_open(accepted: &[String]) -> Option<AnyView> {
    let lines = accepted
        .iter()
        .map(|one| view! { <small>{one.clone()}</small> }.any())
        .collect_view();
    (!accepted.is_empty())
        .then(|| view! { <div><dt>"Stays open, as confirmed"</dt><dd>{lines}</dd></div> }.any())
}

/// The first mailbox by address, the rest as a number. A fold shows all of them.
fn some(mailboxes: &[Mailbox]) -> AnyView {
    match mailboxes {
        [] => view! { <span class="faint">"nobody"</span> }.any(),
        [one] => breakable(one.address.as_str()),
        [first, rest @ ..] => {
            let lines = rest
                .iter()
                .map(|mailbox| view! { <small>{breakable(mailbox.address.as_str())}</small> }.any())
                .collect_view();
            let more = format!("and {} more", rest.len());
            view! {
                {breakable(first.address.as_str())}
                <details class="fold"><summary>{more}</summary>{lines}</details>
            }
            .any()
        }
    }
}
