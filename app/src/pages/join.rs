//! The page of an invitation: a customer's own admin reads who asks, for what, and until when,
//! before consenting.

use domain::invitation::{Invitation, InvitationState, InvitationTold, unusable};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::connect::what_is_asked;
use crate::{
    api::{self, forms},
    components::{
        Erase as _, Failure, Meanwhile, Moment, Post, PostForm, ProblemBox, Submit, arriving, gate,
        problem_view,
    },
    loaded::Loaded,
};

/// Opening the page does not use the invitation, because programs that preview links open it too.
#[component]
pub fn Join() -> impl IntoView {
    let token = use_params_map().with_untracked(|params| params.get("token").unwrap_or_default());
    let post = Post::new(forms::JOIN);
    let asked = token.clone();
    let invitation = Loaded::first(move || Ok(api::invitation(asked.clone())));
    view! {
        <Title text="Connect your organisation · Postern"/>
        <div class="start">
            <header>
                <a class="brand" href="/">{gate()}"Postern"</a>
            </header>
            <main id="main">
                <h1>"Connect your organisation"</h1>
                {arriving(Meanwhile::says("Loading the invitation", 4), move || {
                    let token = token.clone();
                    async move {
                        match invitation.get().await {
                            Ok(invitation) => show(invitation, token, post),
                            Err(error) => problem_view(&error),
                        }
                    }
                })}
            </main>
        </div>
    }
    .any()
}

fn show(invitation: Invitation, token: String, post: Post) -> AnyView {
    let Invitation { state, told } = invitation;
    match (state, told) {
        (InvitationState::Open, Some(told)) => {
            let lead = format!(
                "{} asks to look after the applications that can reach the mailboxes of {}.",
                told.partner, told.customer
            );
            view! {
                <p class="lead">{lead}</p>
                {facts(&told)}
                <p>
                    "Do you know "<b>{told.partner.short().to_owned()}</b>
                    ", and did you expect this? If not, close this page: nothing has happened yet."
                </p>
                <p>
                    "Sign in with an account of your organisation that may consent for it and is Exchange Administrator or Global Administrator. A Global Administrator may do both. Microsoft then shows its own page, “Permissions requested”. You can withdraw your consent at any time in Entra."
                </p>
                <Failure of=post.failure()/>
                <PostForm post>
                    <input type="hidden" name="token" value=token/>
                    <p class="actions">
                        <Submit label="Sign in and consent" class="btn primary large" pending=post.pending()/>
                    </p>
                </PostForm>
                {what_is_asked()}
            }
            .any()
        }
        (state, told) => {
            let facts = told.map(|told| facts(&told));
            view! {
                <ProblemBox problem=unusable(state)/>
                {facts}
            }
            .any()
        }
    }
}

/// Who asks, for whom, who made the invitation and when, and until when it is valid.
fn facts(told: &InvitationTold) -> AnyView {
    let domain = told
        .partner
        .name
        .is_some()
        .then(|| view! { <small>{told.partner.domain.clone()}</small> }.any());
    // Until Microsoft has reported the customer's name, the domain is shown as the name.
    let customer_domain = (told.customer != told.customer_domain)
        .then(|| view! { <small>{told.customer_domain.clone()}</small> }.any());
    view! {
        <dl class="summary card">
            <div><dt>"Who asks"</dt><dd>{told.partner.short().to_owned()}{domain}</dd></div>
            <div>
                <dt>"For"</dt>
                <dd>{told.customer.clone()}{customer_domain}</dd>
            </div>
            <div>
                <dt>"Invitation made by"</dt>
                <dd>{told.maker.clone()}<small>{told.maker_upn.clone()}</small></dd>
            </div>
            <div>
                <dt>"Made"</dt>
                <dd><Moment at=told.made/><small>"good until "<Moment at=told.until/></small></dd>
            </div>
        </dl>
    }
    .any()
}
