//! The screen that chooses the allowed mailboxes.

use leptos::prelude::*;

use super::{
    Choose, Stage, carried, goes_on_beside, head, held_by, picker::MailboxPicker, problems,
};
use crate::{
    components::{Erase as _, GetForm},
    paths,
};

pub fn screen(choose: Choose) -> AnyView {
    let problems = problems(&choose, &["senders"]);
    let Choose {
        wizard,
        search,
        found,
        ..
    } = choose;
    let name = wizard.application.name.clone();
    let sentence = wizard.sentence.clone();
    let lead = match wizard.mailboxes {
        Some(count) => view! { <p>{sentence}" There are "{count}" mailboxes. As which of them may it send?"</p> }.any(),
        None => view! { <p>{sentence}" As which mailboxes may it send?"</p> }.any(),
    };
    let customer = wizard.head.id;
    let label = format!("Mailboxes that {name} may send as");
    view! {
        {head(&wizard.head, &name, Stage::Senders, &wizard.draft, lead)}
        {goes_on_beside(&wizard.beside, &name)}
        {held_by(wizard.active.as_ref())}
        {problems}
        <GetForm action=paths::new_setup(customer)>
            {carried(&wizard.draft, &["sender"])}
            <MailboxPicker
                customer
                name="sender"
                label
                hint="User and shared mailboxes. Everybody else will be refused."
                chosen=wizard.senders
                others=wizard.refused
                others_are="must be refused"
                search
                found
                step=Stage::Senders.key()
            />
            <div class="bar">
                <a class="btn quiet" href=paths::customer(customer)>"Leave"</a>
                <button type="submit" class="btn primary" name="step" value=Stage::Details.key()>"Next"</button>
            </div>
        </GetForm>
    }
    .any()
}
