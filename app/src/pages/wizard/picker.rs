//! Chooses mailboxes by search.
//!
//! Every chosen mailbox is a ticked box of the form, and so is every ticked match: without
//! JavaScript the next search carries both along.

use std::time::Duration;

use domain::{
    id::CustomerId,
    plan::{Mailbox, MailboxKind},
    view::MailboxesFound,
};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api,
    components::{Erase as _, Glyph, breakable, dynamic, icon, keyed, list_of, problem_view},
    error::Answer,
};

/// The picker. `name` is the form's field. `others` are chosen elsewhere and cannot be chosen here.
#[component]
pub fn MailboxPicker(
    customer: CustomerId,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] hint: String,
    chosen: Vec<Mailbox>,
    others: Vec<Mailbox>,
    /// A word for the others, to say why they cannot be chosen.
    others_are: &'static str,
    search: String,
    found: Answer<MailboxesFound>,
    /// The screen to which a search without JavaScript returns.
    step: &'static str,
) -> impl IntoView {
    let chosen = RwSignal::new(chosen);
    let found = RwSignal::new(found);
    let typed = RwSignal::new(search.clone());
    let others = StoredValue::new(others);

    let mut look_soon = debounce(Duration::from_millis(200), move |text: String| {
        spawn_local(async move {
            let answer = api::mailboxes(customer, text.clone()).answer().await;
            // The typed text has changed, so this answer is out of date.
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
    let picked = move || {
        let each = chosen.get().into_iter();
        each.map(|one| {
            keyed(one.object, move || {
                let object = one.object;
                pick(&one, name, true, move || {
                    chosen.update(|all| all.retain(|other| other.object != object));
                })
            })
        })
        .collect()
    };
    let add = move |mailbox: Mailbox| {
        chosen.update(|all| {
            if all.iter().all(|one| one.object != mailbox.object) {
                all.push(mailbox);
            }
        });
    };
    // Ticked mailboxes move up into the list of chosen ones.
    let matches = move || {
        let rows = found.with(|found| {
            found
                .as_ref()
                .map_or_else(|_| Vec::new(), |found| found.rows.clone())
        });
        rows.into_iter()
            .filter(|one| chosen.with(|all| all.iter().all(|other| other.object != one.object)))
            .map(|one| {
                let elsewhere =
                    others.with_value(|all| all.iter().any(|other| other.object == one.object));
                let reason = if elsewhere {
                    Some(others_are)
                } else {
                    (!one.kind.can_send()).then_some("cannot send")
                };
                keyed(one.object, move || match reason {
                    Some(reason) => cannot(&one, reason),
                    None => {
                        let ticked = one.clone();
                        pick(&one, name, false, move || add(ticked.clone()))
                    }
                })
            })
            .collect()
    };
    let remark = move || {
        found.with(|found| match found {
            Err(error) => problem_view(error),
            Ok(found) if found.rows.is_empty() => {
                view! { <p class="hint">"No user or shared mailbox matches."</p> }.any()
            }
            Ok(found) if found.more => {
                view! { <p class="hint">"There are more. Type more of the name or address."</p> }
                    .any()
            }
            Ok(_) => ().into_any(),
        })
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
                {list_of(picked)}
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
            <div class="found" aria-live="polite"><ul class="picks">{list_of(matches)}</ul>{dynamic(remark)}</div>
        </fieldset>
    }
    .any()
}

/// A mailbox with its box. `on_change` runs when a person ticks or unticks it.
fn pick(
    mailbox: &Mailbox,
    name: &'static str,
    ticked: bool,
    on_change: impl Fn() + 'static,
) -> AnyView {
    let value = mailbox.address.to_string();
    view! {
        <li>
            <label class="pick">
                <input type="checkbox" name=name value=value checked=ticked on:change=move |_| on_change()/>
                {who(mailbox, None)}
            </label>
        </li>
    }
    .any()
}

/// A match that cannot be chosen here.
fn cannot(mailbox: &Mailbox, reason: &'static str) -> AnyView {
    view! { <li class="pick off"><span class="box"></span>{who(mailbox, Some(reason))}</li> }.any()
}

fn who(mailbox: &Mailbox, reason: Option<&'static str>) -> AnyView {
    let kind = (mailbox.kind != MailboxKind::User).then(|| mailbox.kind.word());
    let notes: Vec<&str> = kind.into_iter().chain(reason).collect();
    let notes =
        (!notes.is_empty()).then(|| view! { <span class="sub">{notes.join(", ")}</span> }.any());
    view! {
        <span class="who-is"><b>{mailbox.name.clone()}</b><span class="sub">{breakable(mailbox.address.as_str())}</span>{notes}</span>
    }
    .any()
}
