//! The partner's people and what each may do. For owners.

use domain::{person::Role, view::PersonRow};
use leptos::prelude::*;

use crate::{
    api::{self, forms},
    components::{
        Erase as _, Failure, Glyph, Meanwhile, Moment, PageHead, Post, PostForm, Submit, TableCard,
        Tone, arriving, failed_page, tag, th, th_hidden, use_toasts,
    },
    loaded::Loaded,
    paths,
};

#[component]
pub fn People() -> impl IntoView {
    let people = Loaded::first(|| Ok(api::people()));
    let post = Post::new(forms::SET_ROLE);
    let ending = Post::new(forms::END_SESSIONS_OF);
    let toasts = use_toasts();
    post.then(move || {
        toasts.say("The role was changed.");
        people.again();
    });
    ending.then(move || {
        toasts.say("Signed out there.");
        people.again();
    });
    arriving(Meanwhile::says("Loading people", 5), move || async move {
        match people.get().await {
            Ok(people) => list(people, post, ending),
            Err(error) => failed_page(&error),
        }
    })
}

fn list(people: Vec<PersonRow>, post: Post, ending: Post) -> AnyView {
    let lead = view! { <p>"Everybody of your organisation who has signed in. Whoever has no role waits, and sees nothing. Taking a role away ends that person's sessions, links and attempts to connect at once."</p> }.any();
    let roles = Role::ALL
        .into_iter()
        .map(|role| {
            view! { <div><dt>{capital(role.as_str())}</dt><dd><small>{role.explained()}</small></dd></div> }.any()
        })
        .collect_view();
    let head = vec![
        th("Person"),
        th("First seen"),
        th("Last seen"),
        th("Signed in"),
        th_hidden("Role"),
    ];
    let rows = people
        .into_iter()
        .map(|person| row(person, post, ending))
        .collect();
    view! {
        <PageHead title="People" lead=Some(lead.into_any())>
            <a class="btn" href=paths::OWN_HISTORY>"History"</a>
        </PageHead>
        <Failure of=post.failure()/>
        <Failure of=ending.failure()/>
        <TableCard label="People" head rows/>
        <dl class="summary card">{roles}</dl>
    }
    .any()
}

fn row(person: PersonRow, post: Post, ending: Post) -> AnyView {
    let waits = person
        .role
        .is_none()
        .then(|| tag(Tone::Warn, Glyph::Clock, "waits for a role"));
    let guest = person
        .guest
        .then(|| tag(Tone::Warn, Glyph::Warning, "guest of another organisation"));
    let signed_in = signed_in(&person, ending);
    let me = person.me.then_some(" (you)");
    let label = format!("Role of {}", person.name);
    let id = format!("role-{}", person.id);
    let option = |role: Option<Role>| {
        let value = role.map_or("", Role::as_str);
        let words = role.map_or_else(|| "No role".to_owned(), |role| capital(role.as_str()));
        view! { <option value=value selected=person.role == role>{words}</option> }.any()
    };
    let options: Vec<AnyView> = std::iter::once(None)
        .chain(Role::ALL.into_iter().map(Some))
        .map(|role| option(role).into_any())
        .collect();
    view! {
        <tr>
            <td>
                <span class="strong">{person.name}{me}</span>
                <span class="sub">{person.upn}</span>
                {waits}
                {guest}
            </td>
            <td class="when"><Moment at=person.first_seen/></td>
            <td class="when"><Moment at=person.last_seen/></td>
            <td>{signed_in}</td>
            <td class="act">
                <PostForm post class="row">
                    <input type="hidden" name="person" value=person.id.to_string()/>
                    <label class="unseen" for=id.clone()>{label}</label>
                    <select id=id name="role">{options}</select>
                    <Submit label="Save" class="btn small" pending=post.pending()/>
                </PostForm>
            </td>
        </tr>
    }
    .any()
}

/// The browsers in which the person is signed in, with a button for each and one for all. The
/// reader's own sessions are on the account page.
fn signed_in(person: &PersonRow, ending: Post) -> AnyView {
    if person.sessions.is_empty() {
        return view! { <span class="sub">"nowhere"</span> }.any();
    }
    let count = match person.sessions.len() {
        1 => "1 browser".to_owned(),
        many => format!("{many} browsers"),
    };
    if person.me {
        return view! { <a href=paths::ACCOUNT>{count}</a> }.any();
    }
    let id = person.id.to_string();
    let each = person
        .sessions
        .iter()
        .map(|session| {
            let (id, device, last) = (id.clone(), session.device.clone(), session.last_use);
            let browser = session.id.to_string();
            view! {
                <li>
                    <span class="strong">{device}</span>
                    <span class="sub">"last used "<Moment at=last/></span>
                    <PostForm post=ending>
                        <input type="hidden" name="person" value=id.clone()/>
                        <input type="hidden" name="session" value=browser.clone()/>
                        <Submit label="Sign it out" class="btn small" pending=ending.pending()/>
                    </PostForm>
                </li>
            }
            .any()
        })
        .collect_view();
    view! {
        <details>
            <summary>{count}</summary>
            <ul class="plain">{each}</ul>
            <PostForm post=ending>
                <input type="hidden" name="person" value=id.clone()/>
                <Submit label="Sign out everywhere" class="btn small" pending=ending.pending()/>
            </PostForm>
        </details>
    }
    .any()
}

/// The word with a capital letter, as in `Owner` for `owner`.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
