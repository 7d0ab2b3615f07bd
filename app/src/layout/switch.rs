//! Jumps to a customer by name. Without JavaScript the field searches the list of customers.

use std::time::Duration;

use domain::view::{CustomerRow, CustomerSort, CustomersQuery};
use leptos::{ev, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api,
    components::{Erase as _, Glyph, dynamic, health_tag, icon},
    paths,
};

/// The number of rows that fit under the field. The list of customers shows all.
const SHOWN: usize = 8;

#[component]
pub fn Switch() -> impl IntoView {
    let found = RwSignal::new(Vec::<CustomerRow>::new());
    let open = RwSignal::new(false);
    // The row selected with the arrow keys.
    let chosen = RwSignal::new(None::<usize>);
    let typed = RwSignal::new(String::new());
    let navigate = use_navigate();

    let look = move |search: String| {
        spawn_local(async move {
            let query = CustomersQuery {
                search: search.clone(),
                sort: CustomerSort::Name,
                page: 1,
            };
            let answer = api::customers(query).answer().await;
            // The typed text has changed, so this answer is out of date.
            if typed.try_get_untracked().as_deref() != Some(search.as_str()) {
                return;
            }
            match answer {
                Ok(page) => {
                    found.set(page.rows.into_iter().take(SHOWN).collect());
                    chosen.set(None);
                    open.set(true);
                }
                // The form itself still works, and its page reports the failure.
                Err(_) => open.set(false),
            }
        });
    };
    let mut look_soon = debounce(Duration::from_millis(150), look);
    let on_input = move |event| {
        let text = event_target_value(&event);
        typed.set(text.clone());
        if text.trim().is_empty() {
            open.set(false);
        } else {
            look_soon(text);
        }
    };
    let go = move |index: usize| {
        let to = found.with_untracked(|rows| rows.get(index).map(|row| paths::customer(row.id)));
        if let Some(to) = to {
            open.set(false);
            navigate(&to, NavigateOptions::default());
        }
    };
    let enter = go.clone();
    let on_key = move |event: ev::KeyboardEvent| {
        let count = found.with_untracked(Vec::len);
        if !open.get_untracked() || count == 0 {
            return;
        }
        let now = chosen.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => {
                event.prevent_default();
                chosen.set(Some(now.map_or(0, |at| (at + 1) % count)));
            }
            "ArrowUp" => {
                event.prevent_default();
                chosen.set(Some(now.map_or(count - 1, |at| (at + count - 1) % count)));
            }
            "Enter" => {
                if let Some(index) = now {
                    event.prevent_default();
                    enter(index);
                }
            }
            "Escape" => open.set(false),
            _ => {}
        }
    };
    let option = move |(index, row): (usize, CustomerRow)| {
        let go = go.clone();
        view! {
            <li
                id=format!("switch-{index}")
                role="option"
                aria-selected=move || if chosen.get() == Some(index) { "true" } else { "false" }
                on:mousedown=move |event| {
                    // Otherwise the field would lose the focus, and the list would close before the
                    // click.
                    event.prevent_default();
                    go(index);
                }
            >
                <span>{row.name}<span class="sub">{row.domain}</span></span>
                {health_tag(&row.connection.health)}
            </li>
        }
        .any()
    };
    view! {
        <form class="switch" method="get" action=paths::CUSTOMERS role="search" aria-label="Go to a customer">
            <label class="unseen" for="switch">"Go to a customer"</label>
            {icon(Glyph::Search)}
            <input
                id="switch"
                type="search"
                name="search"
                placeholder="Go to a customer"
                autocomplete="off"
                spellcheck="false"
                maxlength="200"
                role="combobox"
                aria-autocomplete="list"
                aria-controls="switch-list"
                aria-expanded=move || if open.get() { "true" } else { "false" }
                aria-activedescendant=move || chosen.get().map(|index| format!("switch-{index}"))
                on:input=on_input
                on:keydown=on_key
                on:blur=move |_| open.set(false)
            />
            <ul id="switch-list" role="listbox" aria-label="Customers" class="popover" hidden=move || !open.get()>
                {dynamic(move || found.get().into_iter().enumerate().map(option.clone()).collect_view())}
            </ul>
        </form>
    }.any()
}
