//! Connects a customer: which customer, and what its admin will be asked.

use domain::{connection::Way, person::Right};
use leptos::prelude::*;

use crate::{
    api::forms,
    components::{
        Erase as _, Failure, Glyph, Meanwhile, PageHead, Post, PostForm, Submit, TextField,
        arriving, icon, problem_view,
    },
    paths,
    query::use_query,
    viewer::{may, use_viewer},
};

#[component]
pub fn Connect() -> impl IntoView {
    let viewer = use_viewer();
    let post = Post::new(forms::CONNECT);
    // When the form was sent without JavaScript, the mistyped text is restored from the address.
    let query = use_query().get_untracked();
    let typed = query.get("tenant").to_owned();
    let way = Way::parse(query.get("way")).unwrap_or(Way::Admin);
    let crumbs = vec![(paths::CUSTOMERS.to_owned(), "Customers".to_owned())];
    let lead = view! { <p>"Somebody with the right to it signs in at Microsoft. Postern never sees the password."</p> }.any();
    view! {
        <PageHead title="Connect a customer" crumbs lead=Some(lead.into_any())/>
        <Failure of=post.failure_beside("tenant")/>
        {arriving(Meanwhile::default(), move || {
            let typed = typed.clone();
            async move {
                let me = viewer.0.get().await;
                let partner = me.as_ref().map(|me| me.partner.to_string()).unwrap_or_default();
                if may(&me, Right::Change) {
                    form(post, typed, way, &partner)
                } else {
                    problem_view(&domain::Problem::forbidden("engineer or owner").into())
                }
            }
        })}
        {what_is_asked()}
    }
    .any()
}

fn form(post: Post, typed: String, chosen: Way, partner: &str) -> AnyView {
    let who = format!(
        "Whoever signs in connects their organisation to {partner}. Tell them so beforehand: Microsoft's page names Postern, not you."
    );
    let choice = move |way: Way, what: &'static str, means: &'static str| {
        view! {
            <li>
                <label class="pick">
                    <input type="radio" name="way" value=way.as_str() checked=chosen == way/>
                    <span class="who-is"><b>{what}</b><small>{means}</small></span>
                </label>
            </li>
        }
        .any()
    };
    view! {
        <PostForm post>
            <div class="card form">
                <TextField
                    name="tenant"
                    label="Domain or tenant id"
                    value=typed
                    hint="One of the customer's verified domains, like fabrikam.com, or its tenant id."
                    placeholder="fabrikam.com"
                    error=post.failure_of("tenant")
                    required=true
                />
                <fieldset class="picker">
                    <legend>"Who signs in"</legend>
                    <ul class="picks">
                        {choice(Way::Admin, "An admin of the customer", "Signs in there and consents. Needs nothing else.")}
                        {choice(Way::Gdap, "You, through GDAP", "With your own account, where a GDAP relationship gives you Exchange Administrator and an admin of the customer has consented once.")}
                    </ul>
                </fieldset>
                <p class="hint">{who}</p>
                <Submit label="Go to Microsoft" pending=post.pending()/>
            </div>
        </PostForm>
    }
    .any()
}

/// The requested permissions in plain words, with the purpose of each.
pub fn what_is_asked() -> AnyView {
    let row = |what: &'static str, why: &'static str| {
        view! { <li>{icon(Glyph::Check)}<span><b>{what}</b>{why}</span></li> }.any()
    };
    view! {
        <section class="asked" aria-labelledby="asked">
            <h2 id="asked">"What Microsoft will ask"</h2>
            <ul>
                {row(
                    "Read the directory. ",
                    "To find the applications that hold mailbox permissions, and the mailboxes to choose from.",
                )}
                {row(
                    "Manage Exchange as the admin who signs in. ",
                    "To read access policies and, in a setup that somebody started, to make the group and the policy. It needs the role Exchange Administrator.",
                )}
                {row(
                    "Stay connected. ",
                    "A setup takes hours while Microsoft's caches catch up, so Postern goes on after the admin has left.",
                )}
            </ul>
            <p class="hint">"Postern reads no mail, and sends mail only in a proof, with the application's own secret."</p>
        </section>
    }
    .any()
}
