//! The exact plan that will be carried out, and the button that starts it.

use domain::{
    cmdlet::Cmdlet,
    plan::{Group, Mailbox, Plan},
    provable::Unprovable,
    view::Review,
};
use leptos::prelude::*;

use super::{Stage, address, goes_on_beside, head, held_by, hurdles, noted};
use crate::{
    api::forms,
    components::{
        CopyButton, Erase as _, Failure, Glyph, Post, PostForm, Submit, TextField, breakable, icon,
    },
    query::{Query, encode},
};

pub fn screen(review: Review) -> AnyView {
    let Review {
        head: customer,
        draft,
        plan,
        cmdlets,
        script,
        active,
        hurdles: in_the_way,
        beside,
        confirm,
        notes,
        takes,
        shown,
        changed,
    } = review;
    let name = plan.application.name.clone();
    let lead = view! { <p>"This is the whole plan. Once started it is never changed; it can be cancelled and rolled back."</p> }.any();
    let start = Post::new(forms::START_SETUP);
    let held = active.is_some() || !in_the_way.is_empty();
    let prove = plan.prove;
    let text = Query::of_draft(&draft).text();
    let back = address(customer.id, &draft, Stage::Details);
    let secret = prove.then(|| {
        view! {
            <div class="card form">
                <TextField
                    name="secret"
                    label="Client secret of the application (can wait)"
                    kind="password"
                    hint="For the proof. Kept encrypted until the proof ends, 24 hours at most, and then it is gone. You can give it later on the setup's page."
                    error=start.failure_of("secret")
                    longest=512
                />
            </div>
        }.any()
    });
    view! {
        {head(&customer, &name, Stage::Review, &draft, lead.into_any())}
        {not_what_was_reviewed(changed)}
        {held_by(active.as_ref())}
        {goes_on_beside(&beside, &name)}
        {hurdles(in_the_way)}
        {noted(&notes)}
        <Failure of=start.failure_beside("secret")/>
        {summary(&plan)}
        {about_proof(&plan)}
        {not_only(&takes)}
        {changes(&cmdlets)}
        {by_hand(&script, domain::script::file_name(&plan))}
        <PostForm post=start>
            <input type="hidden" name="customer" value=customer.id.to_string()/>
            <input type="hidden" name="draft" value=text/>
            <input type="hidden" name="digest" value=shown.digest/>
            <input type="hidden" name="shown" value=shown.text/>
            {secret}
            {confirms(&confirm, &name)}
            <div class="bar">
                <a class="btn quiet" href=back>"Back"</a>
                {(!held).then(|| view! { <Submit label="Start the setup" pending=start.pending()/> }.any())}
            </div>
        </PostForm>
    }
    .any()
}

/// The items that stay open despite the policy, each with a box. The setup starts only when all are
/// ticked.
fn confirms(open: &[String], name: &str) -> Option<AnyView> {
    let boxes = open
        .iter()
        .map(|one| {
            view! {
                <li>
                    <label class="pick">
                        <input type="checkbox" name="accept[]" value=one.clone() required=true/>
                        <span class="who-is">{one.clone()}</span>
                    </label>
                </li>
            }
            .any()
        })
        .collect_view();
    (!open.is_empty()).then(|| {
        view! {
            <fieldset class="card form picker">
                <legend>{format!("Confirm what stays open to {name}")}</legend>
                <p class="hint">"The setup changes nothing of this. It starts only when each is ticked; that is kept in the plan and in the history."</p>
                <ul class="picks">{boxes}</ul>
            </fieldset>
        }
        .any()
    })
}

/// The start was refused: the differences from what was reviewed.
fn not_what_was_reviewed(changed: Vec<String>) -> Option<AnyView> {
    let some = !changed.is_empty();
    let lines = changed
        .into_iter()
        .map(|line| view! { <li>{line}</li> }.any())
        .collect_view();
    some.then(|| {
        view! {
            <div class="problem bad" role="alert">
                {icon(Glyph::Warning)}
                <div class="lines">
                    <p class="happened">"Nothing was started: the plan is not the one that you reviewed"</p>
                    <ul>{lines}</ul>
                    <p class="todo">"Look through the plan as it is now. Start it if it still is what you want."</p>
                </div>
            </div>
        }
        .any()
    })
}

fn summary(plan: &Plan) -> AnyView {
    let group = match &plan.group {
        Group::New { address, .. } => {
            view! { {plan.group.name().to_owned()}<small>"new: "{breakable(address.as_str())}</small> }
                .any()
        }
        Group::Existing { address, .. } => {
            view! { {plan.group.name().to_owned()}<small>"exists: "{breakable(address.as_str())}</small> }
                .any()
        }
    };
    let proof = match (plan.prove, plan.unprovable) {
        (true, _) => (
            "Real mail",
            "ends as proven if it behaves as planned and nothing else is open",
        ),
        (false, None) => ("Exchange's own test", "ends as checked"),
        (false, Some(_)) => (
            "Exchange's own test",
            "ends as checked: real mail cannot prove this one",
        ),
    };
    view! {
        <dl class="summary card">
            <div>
                <dt>"Application"</dt>
                <dd>{plan.application.name.clone()}<small class="mono">{plan.application.app_id.to_string()}</small></dd>
            </div>
            <div><dt>"May send as"</dt><dd>{mailboxes(&plan.senders)}</dd></div>
            <div><dt>"Must be refused"</dt><dd>{mailboxes(&plan.refused)}</dd></div>
            <div><dt>"Group"</dt><dd>{group}</dd></div>
            <div><dt>"Proof"</dt><dd>{proof.0}<small>{proof.1}</small></dd></div>
        </dl>
    }
    .any()
}

/// Which mails are sent, or why none can be sent.
fn about_proof(plan: &Plan) -> Option<AnyView> {
    let (title, lines) = match plan.unprovable {
        Some(unprovable) => (
            "Why no real mail is sent",
            vec![unprovable.why().to_owned(), Unprovable::WEAKER.to_owned()],
        ),
        None if plan.prove => ("What real mail is sent", plan.mails()),
        None => return None,
    };
    Some(list("mails", title, lines))
}

/// What the plan removes apart from sending, and what it does not limit.
fn not_only(takes: &[String]) -> AnyView {
    list("takes", "What it means for the application", takes.to_vec())
}

fn list(id: &'static str, title: &'static str, lines: Vec<String>) -> AnyView {
    let lines = lines
        .into_iter()
        .map(|line| view! { <li>{line}</li> }.any())
        .collect_view();
    view! {
        <section class="card form" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <ul>{lines}</ul>
        </section>
    }
    .any()
}

fn mailboxes(list: &[Mailbox]) -> AnyView {
    let address =
        |mailbox: &Mailbox| view! { <small>{breakable(mailbox.address.as_str())}</small> }.any();
    match list {
        [] => view! { <span class="faint">"nobody"</span> }.any(),
        [first] => view! { {first.name.clone()}{address(first)} }.any(),
        all => {
            let lines = all.iter().map(address).collect_view();
            view! { {format!("{} mailboxes", all.len())}{lines} }.any()
        }
    }
}

fn changes(cmdlets: &[Cmdlet]) -> AnyView {
    let all: Vec<String> = cmdlets.iter().map(Cmdlet::line).collect();
    let blocks = cmdlets
        .iter()
        .map(|cmdlet| view! { <li><pre tabindex="0">{cmdlet.block()}</pre></li> }.any())
        .collect_view();
    view! {
        <section aria-labelledby="changes">
            <div class="section-head">
                <h2 id="changes">"What changes in Exchange"</h2>
                <CopyButton text=all.join("\n") label="Copy all"/>
            </div>
            <p class="hint">"Between them Postern waits until Exchange knows what was made. To run them by hand take the script below: it waits too."</p>
            <ol class="cmdlets card">{blocks}</ol>
        </section>
    }
    .any()
}

/// The script for an admin who wants to run it by hand: to read, to copy, to download.
fn by_hand(script: &str, file: String) -> AnyView {
    let href = format!("data:text/plain;charset=us-ascii,{}", encode(script));
    view! {
        <details class="fold card form">
            <summary>"PowerShell script, to run it by hand instead"</summary>
            <p class="hint">"It waits for Exchange, compares before it changes anything, and can be run again. Use ExchangeOnlineManagement 3.0 or newer; it also runs with 2.0.4 and later, as far as Microsoft still lets these connect. Postern does not see what is done by hand until it reads the customer again."</p>
            <pre class="tall" tabindex="0">{script.to_owned()}</pre>
            <div class="actions">
                <CopyButton text=script.to_owned() label="Copy the script"/>
                <a class="btn small" href=href download=file rel="external">"Download"</a>
            </div>
        </details>
    }
    .any()
}
