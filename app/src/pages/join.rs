//! Where a one-time link leads: a customer's own admin reads what is asked before consenting.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::connect::what_is_asked;
use crate::{
    api::forms,
    components::{Erase as _, Failure, Post, PostForm, Submit, gate},
};

/// Opening the page does not use the link up: programs that preview links open it too.
#[component]
pub fn Join() -> impl IntoView {
    let token = use_params_map().with_untracked(|params| params.get("token").unwrap_or_default());
    let post = Post::new(forms::JOIN);
    view! {
        <Title text="Connect your organisation · Postern"/>
        <div class="start">
            <header>
                <a class="brand" href="/">{gate()}"Postern"</a>
            </header>
            <main id="main">
                <h1>"Connect your organisation"</h1>
                <p class="lead">
                    "Your service provider asks to look after the applications that can reach your mailboxes. Sign in as an admin of your organisation and consent; you can withdraw it at any time in Entra."
                </p>
                <Failure of=post.failure()/>
                <PostForm post>
                    <input type="hidden" name="token" value=token/>
                    <p class="actions">
                        <Submit label="Sign in and consent" class="btn primary large" pending=post.pending()/>
                    </p>
                </PostForm>
                {what_is_asked()}
            </main>
        </div>
    }.any()
}
