//! Choosing mailboxes by search.
//!
//! Every chosen mailbox is a ticked box of the form, and so is every match that somebody ticks:
//! without JavaScript the next search carries both along.

use std::time::Duration;

use crate::components::Erase as _;
use domain::{
    id::CustomerId,
    plan::{Mailbox, MailboxKind},
    view::MailboxesFound,
};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api,
    components::{Glyph, dynamic, icon, problem_view},
    error::Answer,
};

/// `name` is the form's field; `others` are chosen elsewhere and cannot be chosen here.
#[component]
pub fn MailboxPicker(
    customer: CustomerId,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] hint: String,
    chosen: Vec<Mailbox>,
    others: Vec<Mailbox>,
    /// What the others are, to say why they cannot be chosen.
    others_are: &'static str,
    search: String,
    found: Answer<MailboxesFound>,
    /// The screen that a search without JavaScript comes back to.
    step: &'static str,
) -> impl IntoView {
    let chosen = RwSignal::new(chosen);
    let found = RwSignal::new(found);
    let typed = RwSignal::new(search.clone());
    let others = StoredValue::new(others);

    let mut look_soon = debounce(Duration::from_millis(200), move |text: String| {
        spawn_local(async move {
            let answer = api::mailboxes(customer, text.clone()).answer().await;
            // An answer to what is no longer typed says nothing.
            if typed.try_get_untracked().as_deref() == Some(text.as_str()) {
                found.set(answer);
            }
        });
    });
    let on_input = move |event| {
        let text = event_target_value(&event);
        typed.set(text.clone());
        look_soon(text);
    };
    let take_out = move |mailbox: &Mailbox| {
        let object = mailbox.object;
        chosen.update(|all| all.retain(|one| one.object != object));
    };
    let picked = move |mailbox: Mailbox| {
        let value = mailbox.address.to_string();
        let shown = mailbox.clone();
        view! {
            <li>
                <label class="pick">
                    <input type="checkbox" name=name value=value checked on:change=move |_| take_out(&mailbox)/>
                    {who(&shown, None)}
                </label>
            </li>
        }.any()
    };
    let results = move || match found.get() {
        Err(error) => problem_view(&error),
        Ok(MailboxesFound { rows, more }) => {
            let none = rows
                .is_empty()
                .then(|| view! { <p class="hint">"No user or shared mailbox matches."</p> }.any());
            let rows = rows
                .into_iter()
                .map(|mailbox| result(mailbox, name, chosen, others, others_are))
                .collect_view();
            let more = more.then(|| view! { <p class="hint">"There are more. Type more of the name or address."</p> }.any());
            view! { <ul class="picks">{rows}</ul>{none}{more} }.any()
        }
    };
    let search_id = format!("search-{name}");
    let hint_id = format!("hint-{name}");
    view! {
        <fieldset class="card form picker">
            <legend>{label}</legend>
            <p class="hint" id=hint_id.clone()>{hint}</p>
            <p class="counted" role="status">
                {dynamic(move || match chosen.with(Vec::len) {
                    0 => "None chosen yet.".to_owned(),
                    1 => "1 chosen:".to_owned(),
                    count => format!("{count} chosen:"),
                })}
            </p>
            <ul class="picks chosen">
                {dynamic(move || chosen.get().into_iter().map(picked).collect_view())}
            </ul>
            <div class="search">
                <label for=search_id.clone()>"Search mailboxes"</label>
                <div class="row">
                    <span class="with-icon">
                        {icon(Glyph::Search)}
                        <input
                            id=search_id
                            type="search"
                            name="q"
                            value=search
                            placeholder="Name or address"
                            autocomplete="off"
                            spellcheck="false"
                            maxlength="200"
                            aria-describedby=hint_id
                            on:input=on_input
                        />
                    </span>
                    <button type="submit" class="btn" name="step" value=step>"Search"</button>
                </div>
            </div>
            <div class="found" aria-live="polite">{dynamic(results)}</div>
        </fieldset>
    }
    .any()
}

/// One match: can be ticked unless it is chosen here or elsewhere already.
fn result(
    mailbox: Mailbox,
    name: &'static str,
    chosen: RwSignal<Vec<Mailbox>>,
    others: StoredValue<Vec<Mailbox>>,
    others_are: &'static str,
) -> AnyView {
    let object = mailbox.object;
    let elsewhere = others.with_value(|others| others.iter().any(|one| one.object == object));
    let reason = if elsewhere {
        Some(others_are)
    } else {
        (!mailbox.kind.can_send()).then_some("cannot send")
    };
    if let Some(reason) = reason {
        return view! { <li class="pick off"><span class="box"></span>{who(&mailbox, Some(reason))}</li> }
            .any();
    }
    let value = mailbox.address.to_string();
    let shown = mailbox.clone();
    let is_chosen =
        Memo::new(move |_| chosen.with(|all| all.iter().any(|one| one.object == object)));
    let add = move |_| {
        let mailbox = mailbox.clone();
        chosen.update(|all| {
            if all.iter().all(|one| one.object != mailbox.object) {
                all.push(mailbox);
            }
        });
    };
    view! {
        <li hidden=move || is_chosen.get()>
            <label class="pick">
                <input
                    type="checkbox"
                    name=name
                    value=value
                    // Ticked here it moves up among the chosen, whose own box speaks for it.
                    prop:checked=move || { is_chosen.track(); false }
                    disabled=move || is_chosen.get()
                    on:change=add
                />
                {who(&shown, None)}
            </label>
        </li>
    }
    .any()
}

fn who(mailbox: &Mailbox, reason: Option<&'static str>) -> AnyView {
    let kind = (mailbox.kind != MailboxKind::User).then(|| mailbox.kind.word());
    let notes: Vec<&str> = kind.into_iter().chain(reason).collect();
    let notes =
        (!notes.is_empty()).then(|| view! { <span class="sub">{notes.join(", ")}</span> }.any());
    view! {
        <span class="who-is"><b>{mailbox.name.clone()}</b><span class="sub">{mailbox.address.to_string()}</span>{notes}</span>
    }
    .any()
}
