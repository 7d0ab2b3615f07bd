//! The connection: who consented, to what, whether it works, and what to do when it does not.

use domain::{
    connection::{Connection, Health, Way},
    view::CustomerHead,
};
use leptos::prelude::*;

use crate::{
    api::{self, forms},
    components::{
        Ask, CopyButton, Erase as _, Failure, Moment, Post, PostForm, ProblemBox, Question, Submit,
        TextField, dynamic, health_tag,
    },
    paths,
};

const DISCONNECT: &str = "disconnect";

#[component]
pub fn ConnectionPanel(
    head: CustomerHead,
    connection: Connection,
    may_change: bool,
) -> impl IntoView {
    let reconnect = Post::new(forms::RECONNECT);
    let make_link = Post::new(forms::MAKE_LINK);
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
            <Failure of=make_link.failure()/>
            <OneTimeLink post=make_link/>
            {state}
            {facts(&connection)}
            {again}
            {leave}
            {(may_change && connected).then(|| view! { <Disconnect head/> }.any())}
        </section>
    }
    .any()
}

/// What is known of the consent, as pairs.
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
                    {connection.account.clone().unwrap_or_else(|| "nobody".to_owned())}
                    {connection.way.map(|way| view! { <small>{way.explained()}</small> }.any())}
                </dd>
            </div>
            <div><dt>"Consented"</dt><dd>{moment(connection.consented)}{scopes}</dd></div>
            <div><dt>"Last answer from Microsoft"</dt><dd>{moment(connection.last_success)}</dd></div>
        </dl>
    }
    .any()
}

/// The link that was just made. It is shown once: Postern keeps only its hash.
#[component]
fn OneTimeLink(post: Post) -> impl IntoView {
    let answer = post.answer();
    view! {
        <div role="status">
            {dynamic(move || {
                answer
                    .with(|text| text.as_ref().and_then(|text| api::read::<String>(text).ok()))
                    .map(|link| {
                        view! {
                            <div class="problem good">
                                <div class="lines">
                                    <p class="happened">"A link for their admin"</p>
                                    <p>"It works once, for a week. Send it to an admin of the customer; it is not shown again."</p>
                                    <p class="mono break">{link.clone()}</p>
                                    <div class="actions"><CopyButton text=link label="Copy the link"/></div>
                                </div>
                            </div>
                        }.any()
                    })
            })}
        </div>
    }.any()
}

/// Disconnecting asks for the customer's name.
#[component]
fn Disconnect(head: CustomerHead) -> impl IntoView {
    let post = Post::new(forms::DISCONNECT);
    let address = paths::customer(head.id);
    post.then(move || {
        // The whole page changes with it: the connection, the applications, the numbers.
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
