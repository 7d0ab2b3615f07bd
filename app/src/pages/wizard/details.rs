//! The screen with the group, the blocked mailboxes (negative tests), and whether real mail is
//! tried.

use domain::{
    plan::Mailbox,
    provable::Unprovable,
    proving::{MAILS_A_DAY, SUBJECT},
};
use leptos::prelude::*;

use super::{Choose, Stage, address, carried, head, held_by, picker::MailboxPicker, problems};
use crate::{
    components::{Erase as _, GetForm, TextField},
    paths,
};

pub fn screen(choose: Choose) -> AnyView {
    let problems = problems(&choose, &["group", "refused", "address", "to"]);
    let Choose {
        wizard,
        search,
        found,
        ..
    } = choose;
    let name = wizard.application.name.clone();
    let customer = wizard.head.id;
    let lead =
        view! { <p>"Everything here has a default that works. Look it over and go on."</p> }.any();
    let back = address(customer, &wizard.draft, Stage::Senders);
    let group = if wizard.draft.group.is_empty() {
        wizard.suggested_group.clone()
    } else {
        wizard.draft.group.clone()
    };
    let group_hint = format!(
        "A new mail-enabled security group at {}, hidden from the address lists. To use one that exists, write its whole address.",
        wizard.group_domain
    );
    let suggested = wizard.refused.is_empty();
    let refused = if suggested {
        wizard.suggested_refused
    } else {
        wizard.refused
    };
    // Where no mail can be sent, only Exchange's own test is asked.
    let asked = if wizard.unprovable.is_some_and(Unprovable::is_certain) {
        "Exchange's own test is asked about each: a policy that refuses nobody confines nothing."
    } else {
        "Each is tried: a policy that refuses nobody proves nothing."
    };
    let refused_hint = if suggested {
        format!("Postern suggests these. {asked}")
    } else {
        asked.to_owned()
    };
    let prove = wizard.draft.prove;
    let proof = match wizard.unprovable {
        Some(unprovable) if unprovable.is_certain() => cannot_prove(unprovable),
        perhaps => can_prove(
            prove,
            wizard.draft.recipient.clone(),
            &wizard.senders,
            perhaps,
        ),
    };
    view! {
        {head(&wizard.head, &name, Stage::Details, &wizard.draft, lead.into_any())}
        {held_by(wizard.active.as_ref())}
        {problems}
        <GetForm action=paths::new_setup(customer)>
            {carried(&wizard.draft, &["group", "refused", "prove", "to"])}
            <div class="card form">
                <TextField name="group" label="Group of permitted senders" value=group hint=group_hint longest=254/>
            </div>
            <MailboxPicker
                customer
                name="refused"
                label="Mailboxes that must be refused"
                hint=refused_hint
                chosen=refused
                others=wizard.senders
                others_are="permitted sender"
                search
                found
                step=Stage::Details.key()
            />
            {proof}
            <div class="bar">
                <a class="btn quiet" href=back>"Back"</a>
                <button type="submit" class="btn primary" name="step" value=Stage::Review.key()>"Review"</button>
            </div>
        </GetForm>
    }
    .any()
}

/// The field for real mail. `perhaps`: why there may be no secret.
fn can_prove(
    prove: bool,
    recipient: String,
    senders: &[Mailbox],
    perhaps: Option<Unprovable>,
) -> AnyView {
    let first = senders.first().map_or_else(
        || "the first permitted sender".to_owned(),
        |one| one.address.to_string(),
    );
    let hint = format!(
        "Left empty, {first} receives them; an address of your own will do. Until Microsoft enforces the policy (usually 30 minutes to 2 hours), mails as the first mailbox above still arrive, {MAILS_A_DAY} in a day at most. Then all mailboxes are tried twice. Subject: “{SUBJECT}”."
    );
    view! {
        <div class="card form">
            <label class="pick">
                <input type="checkbox" name="prove" value="1" checked=prove/>
                <span class="who-is">
                    <b>"Prove it with real mail"</b>
                    <span class="sub">
                        "At the end Postern signs in as the application and sends: as two permitted senders at most, which must be accepted, and as each mailbox above, which must be refused. This needs the application's client secret. Without it the setup ends as checked."
                    </span>
                </span>
            </label>
            {perhaps.map(|why| view! { <p class="hint">{why.why()}" "{Unprovable::WEAKER}</p> }.any())}
            <TextField name="to" label="Who receives the test mails" value=recipient hint=hint longest=254/>
        </div>
    }
    .any()
}

/// The message when there can be no secret. There is no field then.
fn cannot_prove(unprovable: Unprovable) -> AnyView {
    view! {
        <div class="card form" data-unprovable="">
            <p><b>"Real mail cannot prove this one. "</b>{unprovable.why()}</p>
            <p class="hint">{Unprovable::WEAKER}</p>
        </div>
    }
    .any()
}
