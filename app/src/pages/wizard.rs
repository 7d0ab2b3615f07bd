//! The wizard: from an application to a reviewed plan, in four screens.
//!
//! The choices are in the address, so that a reload, a link or a mistake loses nothing, and the
//! forms work without JavaScript.

mod application;
mod details;
mod picker;
mod review;
mod senders;

use domain::{
    Problem,
    id::CustomerId,
    person::Right,
    plan::Draft,
    view::{CustomerHead, MailboxesFound, Me, SetupRow, Wizard},
};
use leptos::prelude::*;

use super::use_customer;
use crate::{
    api,
    components::{
        Erase as _, Glyph, Meanwhile, Moment, PageHead, ProblemBox, Stepper, arriving, dynamic,
        failed_page, icon, problem_view,
    },
    error::{Answer, AppError},
    loaded::Loaded,
    paths,
    query::{LiveQuery, Query, use_query},
    viewer::{Viewer, may, use_viewer},
};

/// The screens, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Application,
    Senders,
    Details,
    Review,
}

impl Stage {
    /// The screen that the address asks for. Without an application only the first screen is
    /// possible, without a sender only the first two.
    fn of(query: &Query) -> Self {
        match (query.get("app"), query.get("sender"), query.get("step")) {
            ("", ..) => Self::Application,
            (_, "", _) => Self::Senders,
            (_, _, "details") => Self::Details,
            (_, _, "review") => Self::Review,
            _ => Self::Senders,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Senders => "senders",
            Self::Details => "details",
            Self::Review => "review",
        }
    }
}

/// The data of a screen with choices.
struct Choose {
    wizard: Wizard,
    search: String,
    found: Answer<MailboxesFound>,
    /// Why the screen is shown again.
    problem: Option<Problem>,
}

#[component]
pub fn NewSetup() -> impl IntoView {
    let query = use_query();
    // Both screens with choices are one component, so that navigation between them does not
    // flicker.
    let chooses = Memo::new(move |_| match query.with(Stage::of) {
        Stage::Senders | Stage::Details => Stage::Senders,
        other => other,
    });
    dynamic(move || match chooses.get() {
        Stage::Application => view! { <Pick/> }.any(),
        Stage::Review => view! { <Reviewing query/> }.any(),
        Stage::Senders | Stage::Details => view! { <Choosing query/> }.any(),
    })
}

#[component]
fn Pick() -> impl IntoView {
    let viewer = use_viewer();
    let id = use_customer();
    let customer = Loaded::first(move || Ok(api::customer(id.get()?)));
    let read = Loaded::first(move || Ok(api::applications(id.get()?)));
    arriving(
        Meanwhile::says(
            "Asking Microsoft Graph and Exchange. This takes a few seconds.",
            5,
        ),
        move || async move {
            let (head, read) = match (
                allowed(viewer).await,
                customer.get().await,
                read.get().await,
            ) {
                (Ok(_), Ok(customer), Ok(read)) => (customer.head, read),
                (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                    return failed_page(&error);
                }
            };
            application::screen(&head, read)
        },
    )
}

#[component]
fn Choosing(query: LiveQuery) -> impl IntoView {
    let viewer = use_viewer();
    let id = use_customer();
    let wizard = Loaded::first(move || Ok(api::wizard(id.get()?, query.with(Query::draft))));
    let found = Loaded::first(move || Ok(api::mailboxes(id.get()?, query.with(search))));
    arriving(Meanwhile::says("Loading", 5), move || {
        let (stage, asked_on, search) = query.with(|query| {
            let asked_on = matches!(query.get("step"), "details" | "review");
            (Stage::of(query), asked_on, search(query))
        });
        async move {
            let wizard = match (allowed(viewer).await, wizard.get().await) {
                (Ok(_), Ok(wizard)) => wizard,
                (Err(error), _) | (_, Err(error)) => return failed_page(&error),
            };
            let choose = Choose {
                wizard,
                search,
                found: found.get().await,
                // The operator tried to continue without a sender.
                problem: (stage == Stage::Senders && asked_on).then(no_sender),
            };
            if stage == Stage::Details {
                details::screen(choose)
            } else {
                senders::screen(choose)
            }
        }
    })
}

/// The search text for mailboxes.
fn search(query: &Query) -> String {
    query.get("q").chars().take(200).collect()
}

fn no_sender() -> Problem {
    Problem::input(
        "senders",
        "No permitted sender was chosen.",
        "Choose at least one mailbox.",
    )
}

#[component]
fn Reviewing(query: LiveQuery) -> impl IntoView {
    let viewer = use_viewer();
    let id = use_customer();
    let review = Loaded::first(move || {
        Ok(api::review(
            id.get()?,
            query.with(Query::draft),
            query.with(changed),
        ))
    });
    arriving(Meanwhile::says("Working out the plan", 5), move || {
        let (customer, draft) = untrack(|| (id.get(), query.with(Query::draft)));
        async move {
            match (allowed(viewer).await, review.get().await) {
                (Ok(_), Ok(review)) => review::screen(review),
                (Ok(_), Err(AppError::Problem(problem))) if problem.field().is_some() => {
                    mend(problem, customer, &draft)
                }
                (Err(error), _) | (_, Err(error)) => failed_page(&error),
            }
        }
    })
}

/// The changes that a refused start reported.
fn changed(query: &Query) -> Option<String> {
    Some(query.get("changed").to_owned()).filter(|changed| !changed.is_empty())
}

/// The page for a plan that does not work: it says why, and links back to the screen to fix it.
fn mend(problem: Problem, customer: Answer<CustomerId>, draft: &Draft) -> AnyView {
    let customer = match customer {
        Ok(customer) => customer,
        Err(error) => return failed_page(&error),
    };
    let (stage, label) = if problem.field() == Some("senders") {
        (Stage::Senders, "Change the senders")
    } else {
        (Stage::Details, "Change the group and the mailboxes")
    };
    let back = address(customer, draft, stage);
    view! {
        <PageHead title="This plan does not work yet"/>
        <ProblemBox problem><a class="btn primary" href=back>{label}</a></ProblemBox>
    }
    .any()
}

/// Checks that the viewer may start a setup.
async fn allowed(viewer: Viewer) -> Answer<Me> {
    let me = viewer.0.get().await;
    if me.is_ok() && !may(&me, Right::Change) {
        return Err(Problem::forbidden("engineer or owner").into());
    }
    me
}

/// Heading and progress of a screen.
fn head(
    customer: &CustomerHead,
    application: &str,
    stage: Stage,
    draft: &Draft,
    lead: AnyView,
) -> AnyView {
    let crumbs = vec![
        (paths::CUSTOMERS.to_owned(), "Customers".to_owned()),
        (paths::customer(customer.id), customer.name.clone()),
    ];
    let title = match application {
        "" => "Confine an application".to_owned(),
        name => format!("Confine {name}"),
    };
    let back = |to: Stage| Some(address(customer.id, draft, to));
    let steps = vec![
        ("Application", Some(paths::new_setup(customer.id))),
        ("Permitted senders", back(Stage::Senders)),
        ("Group and proof", back(Stage::Details)),
        ("Review", None),
    ];
    view! {
        <PageHead title crumbs lead=Some(lead)/>
        <Stepper steps current=stage as usize/>
    }
    .any()
}

/// The address of a screen with all choices.
fn address(customer: CustomerId, draft: &Draft, stage: Stage) -> String {
    Query::of_draft(draft)
        .with("step", stage.key())
        .link(&paths::new_setup(customer))
}

/// Hidden fields with the choices of other screens.
fn carried(draft: &Draft, except: &[&str]) -> AnyView {
    let mut fields = vec![("app", draft.application.clone())];
    fields.extend(draft.senders.iter().map(|one| ("sender", one.clone())));
    fields.extend(draft.refused.iter().map(|one| ("refused", one.clone())));
    if !draft.group.is_empty() {
        fields.push(("group", draft.group.clone()));
    }
    if draft.prove {
        fields.push(("prove", "1".to_owned()));
    }
    if !draft.recipient.is_empty() {
        fields.push(("to", draft.recipient.clone()));
    }
    fields
        .into_iter()
        .filter(|(name, _)| !except.contains(name))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.any())
        .collect_view()
        .into_any()
}

/// A message when another setup holds this application already.
fn held_by(active: Option<&SetupRow>) -> Option<AnyView> {
    let setup = active?;
    let href = paths::setup(setup.customer, setup.id);
    let who = setup.started_by.clone();
    let at = setup.started;
    Some(
        view! {
            <div class="problem warn" role="note">
                {icon(Glyph::Warning)}
                <div class="lines">
                    <p class="happened">"A setup for this application is under way already."</p>
                    <p>{who}" started it "<Moment at/>". Two setups for one application would undo each other."</p>
                    <p class="todo">"Follow that one, or cancel it there before you start another."</p>
                    <div class="actions"><a class="btn" href=href>"Open that setup"</a></div>
                </div>
            </div>
        }
        .any(),
    )
}

/// The problems of a screen: why it is shown again, and what Postern found in the input.
fn problems(choose: &Choose, fields: &[&str]) -> AnyView {
    let own = choose.problem.iter();
    let seen = choose.wizard.problems.iter().filter(|problem| {
        problem.field().is_some_and(|field| fields.contains(&field))
            && choose.problem.as_ref().is_none_or(|own| own != *problem)
    });
    let boxes: Vec<AnyView> = own
        .chain(seen)
        .map(|problem| {
            let problem = problem.clone();
            view! { <ProblemBox problem/> }.any()
        })
        .collect();
    let unread = choose.found.as_ref().err().map(problem_view);
    view! {
        <div role="alert" class="alert">{boxes}{unread}</div>
        {noted(&choose.wizard.notes)}
    }
    .any()
}

/// Powers of the application that no plan removes.
fn goes_on_beside(powers: &[String], name: &str) -> Option<AnyView> {
    let lines = powers
        .iter()
        .map(|power| view! { <p>{power.clone()}</p> }.any())
        .collect_view();
    (!powers.is_empty()).then(|| {
        view! {
            <div class="problem bad" role="note">
                {icon(Glyph::Warning)}
                <div class="lines">
                    <p class="happened">{format!("A policy does not hold {name}")}</p>
                    {lines}
                    <p>"That goes on beside the policy, and this setup changes nothing of it. Take it away in Entra or Exchange first. Else the policy holds what it does with its mailbox permissions, and not this."</p>
                </div>
            </div>
        }
        .any()
    })
}

/// Notes that do not block the plan.
fn noted(notes: &[String]) -> Option<AnyView> {
    let lines = notes
        .iter()
        .map(|note| view! { <p>{note.clone()}</p> }.any())
        .collect_view();
    (!notes.is_empty()).then(|| {
        view! {
            <div class="problem warn" role="note">
                {icon(Glyph::Warning)}
                <div class="lines"><p class="happened">"To be known"</p>{lines}</div>
            </div>
        }
        .any()
    })
}

/// Blockers that keep a plan from being carried out, each with what to do.
fn hurdles(problems: Vec<Problem>) -> Option<AnyView> {
    let some = !problems.is_empty();
    let boxes = problems
        .into_iter()
        .map(|problem| view! { <ProblemBox problem/> }.any())
        .collect_view();
    some.then(|| {
        view! {
            <section aria-labelledby="hurdles">
                <div class="section-head"><h2 id="hurdles">"What stands in the way"</h2></div>
                {boxes}
                <p class="hint">"This was looked up just now, as the first step of the setup does it. Load this page again once it is put right."</p>
            </section>
        }
        .any()
    })
}
