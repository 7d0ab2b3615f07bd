//! The application's client secret: entered once, stored until the proof ends, then deleted.

use domain::view::SecretState;
use leptos::prelude::*;

use super::{
    Shown,
    actions::{afterwards, ids},
};
use crate::{
    api::forms,
    components::{Erase as _, Failure, Moment, Post, PostForm, Submit, TextField},
};

/// The form that asks for the secret.
#[component]
pub fn SecretForm(shown: Shown) -> impl IntoView {
    let post = Post::new(forms::GIVE_SECRET);
    afterwards(post, shown, "The proof can begin.");
    view! {
        <Failure of=post.failure_beside("secret")/>
        <PostForm post class="secret">
            {ids(shown)}
            <TextField
                name="secret"
                label="Client secret of the application"
                kind="password"
                hint="The secret's value, from Entra: App registrations, Certificates & secrets. Kept encrypted until the proof ends, 24 hours at most."
                error=post.failure_of("secret")
                required=true
                longest=512
            />
            <Submit label="Prove it" pending=post.pending()/>
        </PostForm>
    }.any()
}

/// Where the secret is stored now.
pub fn whereabouts(secret: SecretState) -> Option<AnyView> {
    match secret {
        SecretState::None => None,
        SecretState::KeptUntil { until } => Some(
            view! { <p>"With the application's own secret, kept encrypted until this step ends, at the latest "<Moment at=until/>"."</p> }
                .any(),
        ),
        SecretState::Gone => Some(view! { <p>"The application's secret is gone from Postern."</p> }.any()),
    }
}
