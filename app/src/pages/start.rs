//! The start page for people who are not signed in: what Postern is for.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api,
    components::{Erase as _, Glyph, Meanwhile, arriving, gate, icon, problem_view},
    error::{Answer, AppError},
    loaded::Loaded,
    paths,
    query::use_query,
};

#[component]
pub fn Start() -> impl IntoView {
    let me = Loaded::first(|| Ok(api::me()));
    view! {
        <Title text="Postern"/>
        <div class="start">
            <header>
                <a class="brand" href="/">{gate()}"Postern"</a>
            </header>
            <main id="main">
                <h1>"A small gate in front of every mailbox"</h1>
                <p class="lead">
                    "An application that holds Mail.Send can send mail as anyone in the tenant: as the CEO, as payroll, as you. Postern finds these applications at all your customers, confines each to the mailboxes that it needs, and proves it with real mail."
                </p>
                {arriving(Meanwhile::default(), move || async move { enter(me.get().await) })}
                <ul class="promises">
                    {promise(
                        Glyph::Search,
                        "See",
                        "What every application can reach in a customer's tenant, and why, in one sentence each.",
                    )}
                    {promise(
                        Glyph::Lock,
                        "Confine",
                        "A guided setup makes the group and the access policy, and waits for Microsoft while you do something else. No PowerShell.",
                    )}
                    {promise(
                        Glyph::Star,
                        "Prove",
                        "One mail that must be refused and one that must arrive. Then it was seen, not assumed.",
                    )}
                    {promise(
                        Glyph::Clock,
                        "Remember",
                        "Who did what, when, and what Microsoft answered: a history per customer that nobody edits unnoticed.",
                    )}
                </ul>
            </main>
            <footer>
                <p>"For managed service providers. Sign in with your own organisation's account; customers are connected by their admins' consent."</p>
            </footer>
        </div>
    }.any()
}

fn promise(glyph: Glyph, title: &'static str, text: &'static str) -> AnyView {
    view! { <li>{icon(glyph)}<h2>{title}</h2><p>{text}</p></li> }.any()
}

/// The only button. A signed-in person goes straight to the portal.
fn enter(me: Answer<domain::view::Me>) -> AnyView {
    let asked = use_query().get_untracked().get("return_to").to_owned();
    let back = if domain::path::is_local(&asked) && asked != "/" {
        asked
    } else {
        paths::CUSTOMERS.to_owned()
    };
    match me {
        Ok(_) => {
            #[cfg(feature = "ssr")]
            crate::api::context::redirect_page(&back);
            view! { <p class="actions"><a class="btn primary large" href=back>"Go on"</a></p> }
                .any()
        }
        Err(AppError::SignedOut) => {
            let returns = (back != paths::CUSTOMERS).then(|| {
                view! { <p class="hint">"You come back to the page that you asked for."</p> }.any()
            });
            view! {
                <p class="actions">
                    <a class="btn primary large" href=paths::sign_in(&back) rel="external">"Sign in with Microsoft"</a>
                </p>
                {returns}
            }
            .any()
        }
        Err(error) => problem_view(&error),
    }
}
