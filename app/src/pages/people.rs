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
};

#[component]
pub fn People() -> impl IntoView {
    let people = Loaded::first(|| Ok(api::people()));
    let post = Post::new(forms::SET_ROLE);
    let toasts = use_toasts();
    post.then(move || {
        toasts.say("The role was changed.");
        people.again();
    });
    arriving(Meanwhile::says("Loading people", 5), move || async move {
        match people.get().await {
            Ok(people) => list(people, post),
            Err(error) => failed_page(&error),
        }
    })
}

fn list(people: Vec<PersonRow>, post: Post) -> AnyView {
    let lead = view! { <p>"Everybody of your organisation who has signed in. Whoever has no role waits, and sees nothing."</p> }.any();
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
        th_hidden("Role"),
    ];
    let rows = people.into_iter().map(|person| row(person, post)).collect();
    view! {
        <PageHead title="People" lead=Some(lead.into_any())/>
        <Failure of=post.failure()/>
        <TableCard label="People" head rows/>
        <dl class="summary card">{roles}</dl>
    }
    .any()
}

fn row(person: PersonRow, post: Post) -> AnyView {
    let waits = person
        .role
        .is_none()
        .then(|| tag(Tone::Warn, Glyph::Clock, "waits for a role"));
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
            </td>
            <td class="when"><Moment at=person.first_seen/></td>
            <td class="when"><Moment at=person.last_seen/></td>
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

/// `Owner` for `owner`.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
