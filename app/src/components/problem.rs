//! Problems: what happened, what it means, what to do, and Microsoft's own message in a fold.

use domain::{
    Problem,
    problem::{Answer, Remedy},
};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{CopyButton, Erase as _, Glyph, PageHead, dynamic, icon};
use crate::{error::AppError, paths};

/// A problem box. `children` holds what can be done about the problem at once.
#[component]
pub fn ProblemBox(problem: Problem, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    let (class, glyph) = match problem.remedy {
        Remedy::Wait => ("problem wait", Glyph::Clock),
        Remedy::Act | Remedy::Consent => ("problem bad", Glyph::Warning),
        Remedy::Never => ("problem bad", Glyph::Cross),
    };
    let key = problem.key.clone();
    view! {
        <div class=class data-problem=key>
            {icon(glyph)}
            <div class="lines">
                <p class="happened">{problem.happened}</p>
                <p>{problem.means}</p>
                <p class="todo">{problem.todo}</p>
                {children.map(|children| view! { <div class="actions">{children()}</div> }.any())}
                {problem.microsoft.map(|answer| microsoft_said(problem.key, answer))}
            </div>
        </div>
    }
    .any()
}

/// Microsoft's message and ids, in a fold. `key`: the key of the problem.
pub fn microsoft_said(key: String, answer: Answer) -> AnyView {
    let rows: Vec<(&str, String)> = [
        ("Code", answer.code),
        ("Message", answer.message),
        ("Status", answer.status.map(|status| status.to_string())),
        ("Request id", answer.request_id),
        ("Our request id", answer.client_request_id),
        ("In Postern", Some(key)),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
    .collect();
    let all: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    view! {
        <details class="fold">
            <summary>"What Microsoft answered"</summary>
            <div class="sunken">
                <dl class="pairs">
                    {rows
                        .into_iter()
                        .map(|(name, value)| view! { <div><dt>{name}</dt><dd class="mono">{value}</dd></div> }.any())
                        .collect_view()}
                </dl>
                <CopyButton text=all.join("\n") label="Copy for a support request"/>
            </div>
        </details>
    }
    .any()
}

/// The newest failure of an action, also announced to screen readers.
#[component]
pub fn Failure(#[prop(into)] of: Signal<Option<AppError>>) -> impl IntoView {
    view! {
        <div role="alert" class="alert">
            {dynamic(move || of.get().map(|error| problem_view(&error)))}
        </div>
    }
    .any()
}

/// A failed part of a page, with a link to sign in when the session is missing.
pub fn problem_view(error: &AppError) -> AnyView {
    let problem = error.problem();
    if *error == AppError::SignedOut {
        let to = paths::sign_in(&use_location().pathname.get_untracked());
        return view! {
            <ProblemBox problem>
                <a class="btn primary" href=to rel="external">"Sign in again"</a>
            </ProblemBox>
        }
        .any();
    }
    view! { <ProblemBox problem/> }.any()
}

/// A page that could not be shown at all.
pub fn failed_page(error: &AppError) -> AnyView {
    let title = match error.problem().key.as_str() {
        "not_found" => "Not found",
        "forbidden" => "Not allowed",
        "signed_out" => "Signed out",
        _ => "This page could not be shown",
    };
    view! {
        <PageHead title/>
        {problem_view(error)}
        <p><a href=paths::CUSTOMERS>"All customers"</a></p>
    }
    .any()
}
