//! The operator's own page: name and role, and the signed-in browsers.

use domain::view::{Me, SessionRow};
use leptos::prelude::*;

use crate::{
    api::{self, forms},
    components::{
        Erase as _, Failure, Glyph, Meanwhile, Moment, PageHead, Post, PostForm, Submit, TableCard,
        Tone, arriving, failed_page, tag, th, th_hidden, use_toasts,
    },
    loaded::Loaded,
    paths,
    viewer::use_viewer,
};

#[component]
pub fn Account() -> impl IntoView {
    let viewer = use_viewer();
    let sessions = Loaded::first(|| Ok(api::sessions()));
    let post = Post::new(forms::END_SESSION);
    let toasts = use_toasts();
    post.then(move || {
        toasts.say("That browser is signed out.");
        sessions.again();
    });
    arriving(
        Meanwhile::says("Loading your account", 5),
        move || async move {
            match (viewer.0.get().await, sessions.get().await) {
                (Ok(me), Ok(sessions)) => show(me, sessions, post),
                (Err(error), _) | (_, Err(error)) => failed_page(&error),
            }
        },
    )
}

fn show(me: Me, sessions: Vec<SessionRow>, post: Post) -> AnyView {
    let lead = view! { <p>{me.upn}" · "{me.partner.to_string()}</p> }.any();
    let role = me.role.map_or("none yet", |role| role.as_str());
    let explained = me
        .role
        .map(|role| view! { <small>{role.explained()}</small> }.any());
    let head = vec![
        th("Browser"),
        th("Signed in"),
        th("Last use"),
        th_hidden("Action"),
    ];
    let rows = sessions
        .into_iter()
        .map(|session| row(session, post))
        .collect();
    view! {
        <PageHead title=me.name lead=Some(lead.into_any())>
            <form method="post" action=paths::SIGN_OUT>
                <button type="submit" class="btn">"Sign out"</button>
            </form>
        </PageHead>
        <dl class="summary card"><div><dt>"Role"</dt><dd>{role}{explained}</dd></div></dl>
        <section aria-labelledby="sessions">
            <div class="section-head">
                <h2 id="sessions">"Where you are signed in"</h2>
                <form method="post" action=paths::SIGN_OUT_EVERYWHERE>
                    <button type="submit" class="btn small">"Sign out everywhere"</button>
                </form>
            </div>
            <Failure of=post.failure()/>
            <TableCard label="Sessions" head rows/>
        </section>
    }
    .any()
}

fn row(session: SessionRow, post: Post) -> AnyView {
    let last = if session.current {
        tag(Tone::Good, Glyph::Check, "this browser")
    } else {
        view! {
            <PostForm post>
                <input type="hidden" name="session" value=session.id.to_string()/>
                <Submit label="Sign it out" class="btn small" pending=post.pending()/>
            </PostForm>
        }
        .any()
    };
    view! {
        <tr>
            <td><span class="strong">{session.device}</span></td>
            <td class="when"><Moment at=session.signed_in/></td>
            <td class="when"><Moment at=session.last_use/></td>
            <td class="act">{last}</td>
        </tr>
    }
    .any()
}
