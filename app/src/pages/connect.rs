//! Connecting a customer: which one, and what its admin will be asked.

use domain::person::Right;
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
    // A mistyped domain comes back in the field when the form was sent without JavaScript.
    let typed = use_query().get_untracked().get("tenant").to_owned();
    let crumbs = vec![(paths::CUSTOMERS.to_owned(), "Customers".to_owned())];
    let lead = view! { <p>"An admin of the customer signs in at Microsoft and consents. Postern never sees the password."</p> }.any();
    view! {
        <PageHead title="Connect a customer" crumbs lead=Some(lead.into_any())/>
        <Failure of=post.failure_beside("tenant")/>
        {arriving(Meanwhile::default(), move || {
            let typed = typed.clone();
            async move {
                let me = viewer.0.get().await;
                if may(&me, Right::Change) {
                    form(post, typed)
                } else {
                    problem_view(&domain::Problem::forbidden("engineer or owner").into())
                }
            }
        })}
        {what_is_asked()}
    }
    .any()
}

fn form(post: Post, typed: String) -> AnyView {
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
                <Submit label="Go to Microsoft" pending=post.pending()/>
            </div>
        </PostForm>
    }
    .any()
}

/// The permissions in plain words, and what each is for.
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
