//! The connection: who consented, to which permissions, whether it works, and what to do when it
//! does not.

use domain::{
    Problem,
    connection::{Connection, Health, Way},
    id::CustomerId,
    invitation::InvitationRow,
    view::CustomerHead,
};
use leptos::prelude::*;

use crate::{
    api::forms,
    components::{
        Ask, Erase as _, Failure, Moment, Post, PostForm, ProblemBox, Question, Submit, TextField,
        breakable, health_tag,
    },
    paths,
};

use super::invitations::Invitations;

const DISCONNECT: &str = "disconnect";

#[component]
pub fn ConnectionPanel(
    head: CustomerHead,
    connection: Connection,
    may_change: bool,
    partner: String,
    invitations: Invitations,
    open: Vec<InvitationRow>,
) -> impl IntoView {
    let reconnect = Post::new(forms::RECONNECT);
    let make_link = invitations.make;
    let id = head.id;
    let ways_in = move |label: &'static str, class: &'static str| {
        let quieter = if class == "btn small" { class } else { "btn" };
        may_change.then(|| {
            view! {
                <PostForm post=reconnect>
                    <input type="hidden" name="customer" value=id.to_string()/>
                    <input type="hidden" name="way" value=Way::Admin.as_str()/>
                    <Submit label class pending=reconnect.pending()/>
                </PostForm>
                <PostForm post=reconnect>
                    <input type="hidden" name="customer" value=id.to_string()/>
                    <input type="hidden" name="way" value=Way::Gdap.as_str()/>
                    <Submit label="Use GDAP" class=quieter pending=reconnect.pending()/>
                </PostForm>
                <PostForm post=make_link class="needs-js">
                    <input type="hidden" name="customer" value=id.to_string()/>
                    <Submit label="Make a link for their admin" class=quieter pending=make_link.pending()/>
                </PostForm>
            }.any()
        })
    };
    let state = match &connection.health {
        Health::Good => None,
        Health::Broken { problem } => {
            let problem = problem.clone();
            Some(
                view! {
                    <ProblemBox problem>{ways_in("Sign in as their admin", "btn primary")}</ProblemBox>
                }
                .any(),
            )
        }
        Health::Never | Health::Disconnected => Some(
            view! {
                <div class="actions">{ways_in("Sign in as their admin", "btn primary")}</div>
            }
            .any(),
        ),
    };
    let note = connection
        .note
        .clone()
        .map(|problem| noted(problem, id, may_change, reconnect));
    let who = may_change.then(|| {
        let who = format!(
            "Whoever signs in connects {} to {partner}. Microsoft's page names Postern, not you.",
            head.name
        );
        view! { <p class="hint">{who}</p> }.any()
    });
    let connected = matches!(connection.health, Health::Good | Health::Broken { .. });
    let again = (may_change && connection.health == Health::Good).then(|| {
        view! { <div class="actions">{ways_in("Consent again", "btn small")}<Ask id=DISCONNECT label="Disconnect…" class="btn small quiet"/></div> }.any()
    });
    let leave = (may_change && matches!(connection.health, Health::Broken { .. }))
        .then(|| view! { <div class="actions"><Ask id=DISCONNECT label="Disconnect…" class="btn quiet"/></div> }.any());
    view! {
        <section class="connection" aria-labelledby="connection">
            <div class="section-head"><h2 id="connection">"Connection"</h2></div>
            <Failure of=reconnect.failure()/>
            {invitations.made()}
            {state}
            {note}
            {facts(&connection)}
            {who}
            {again}
            {leave}
            {invitations.list(id, open, may_change)}
            {(may_change && connected).then(|| view! { <Disconnect head/> }.any())}
        </section>
    }
    .any()
}

/// A note about a working connection. When an account was not accepted, a form here replaces the
/// account.
fn noted(problem: Problem, id: CustomerId, may_change: bool, reconnect: Post) -> AnyView {
    let replace = (may_change && problem.key == "connection.kept").then(|| {
        view! {
            <PostForm post=reconnect>
                <input type="hidden" name="customer" value=id.to_string()/>
                <input type="hidden" name="way" value=Way::Admin.as_str()/>
                <input type="hidden" name="replaces" value="true"/>
                <Submit label="Sign in and change the account" class="btn small" pending=reconnect.pending()/>
            </PostForm>
        }
        .any()
    });
    view! { <ProblemBox problem>{replace}</ProblemBox> }.any()
}

/// Facts about the consent, as pairs.
fn facts(connection: &Connection) -> AnyView {
    let never = || view! { <span class="faint">"never"</span> }.any();
    let moment =
        |at: Option<domain::Timestamp>| at.map_or_else(never, |at| view! { <Moment at/> }.any());
    let scopes = connection.scopes.clone();
    let scopes = (!scopes.is_empty()).then(|| {
        let count = format!("{} permissions", scopes.len());
        view! {
            <details class="fold">
                <summary>{count}</summary>
                <ul class="chips">
                    {scopes.into_iter().map(|scope| view! { <li class="chip mono">{scope}</li> }.any()).collect_view()}
                </ul>
            </details>
        }.any()
    });
    view! {
        <dl class="summary card">
            <div><dt>"State"</dt><dd>{health_tag(&connection.health)}</dd></div>
            <div>
                <dt>"Consented by"</dt>
                <dd>
                    {breakable(connection.account.as_deref().unwrap_or("nobody"))}
                    {connection.way.map(|way| view! { <small>{way.explained()}</small> }.any())}
                </dd>
            </div>
            <div><dt>"Consented"</dt><dd>{moment(connection.consented)}{scopes}</dd></div>
            <div><dt>"Last answer from Microsoft"</dt><dd>{moment(connection.last_success)}</dd></div>
        </dl>
    }
    .any()
}

/// The form that disconnects. It asks for the customer's name.
#[component]
fn Disconnect(head: CustomerHead) -> impl IntoView {
    let post = Post::new(forms::DISCONNECT);
    let address = paths::customer(head.id);
    post.then(move || {
        // The whole page changes: the connection, the applications, the counts. So it is loaded
        // again.
        let _ = window().location().set_href(&address);
    });
    view! {
        <Question id=DISCONNECT title=format!("Disconnect {}?", head.name)>
            <p>"Postern forgets its token for this customer. Running setups stop at their next step. The policies that were made stay in force, and the history stays here."</p>
            <Failure of=post.failure_beside("confirm")/>
            <PostForm post>
                <input type="hidden" name="customer" value=head.id.to_string()/>
                <TextField
                    name="confirm"
                    label=format!("Type {} to disconnect it", head.name)
                    error=post.failure_of("confirm")
                    required=true
                    longest=300
                />
                <Submit label="Disconnect" class="btn danger" pending=post.pending()/>
            </PostForm>
        </Question>
    }.any()
}
