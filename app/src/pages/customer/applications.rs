//! The customer's applications, read live: what each holds and what that means.

use domain::{
    Problem,
    access::Standing,
    application::{AccessPolicy, AccessRight, Application},
    id::TenantId,
    permission::{Coverage, Resource as Api},
    problem::Remedy,
    time::span,
    view::{ApplicationRow, ApplicationsView, CustomerHead, Part, Reading},
};
use leptos::prelude::*;

use crate::{
    components::{
        Empty, Erase as _, Glyph, Meanwhile, Moment, ProblemBox, Skeleton, TableCard, arriving,
        dynamic, icon, on_change, problem_view, proof_tag, setup_tag, standing_tag, th, th_hidden,
    },
    error::Answer,
    loaded::Loaded,
    paths,
};

pub type Read = Loaded<ApplicationsView>;

const WAITS: &str = "Asking Microsoft Graph and Exchange. This takes a few seconds.";

/// `works`: whether the connection is said to work. What is read here may tell otherwise, and then
/// `stale` is run.
#[component]
pub fn Applications(
    head: CustomerHead,
    may_change: bool,
    read: Read,
    works: bool,
    stale: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let reading = RwSignal::new(false);
    let here = paths::customer(head.id);
    let again = {
        let here = here.clone();
        view! {
            <a
                class="btn small"
                href=here
                rel="external"
                aria-disabled=move || reading.get().then_some("true")
                on:click=move |event| {
                    event.prevent_default();
                    if !reading.get_untracked() {
                        read.again();
                    }
                }
            >
                {dynamic(move || {
                    if reading.get() {
                        view! { <span class="spin" aria-hidden="true"></span>"Reading…" }.any()
                    } else {
                        view! { {icon(Glyph::Turn)}"Read again" }.any()
                    }
                })}
            </a>
        }
        .any()
    };
    view! {
        <section aria-labelledby="applications" aria-busy=move || reading.get().then_some("true")>
            <div class="section-head">
                <h2 id="applications">"Applications that reach mailboxes"</h2>
                {again}
            </div>
            // Seen while nothing follows it yet: the page is sent as it becomes ready.
            <div class="until-next"><Skeleton label=WAITS rows=6/></div>
            {arriving(
                Meanwhile { pending: Some(reading), ..Meanwhile::says(WAITS, 6) },
                move || {
                    let head = head.clone();
                    async move {
                        let answer = read.get().await;
                        if let Ok(view) = &answer
                            && works == lacks_consent(view)
                        {
                            on_change(stale);
                        }
                        shown(answer, &head, may_change)
                    }
                },
            )}
        </section>
    }
    .any()
}

fn shown(answer: Answer<ApplicationsView>, head: &CustomerHead, may_change: bool) -> AnyView {
    let view = match answer {
        Ok(view) => view,
        Err(error) => return problem_view(&error),
    };
    if let Some(problem) = nothing_read(&view.parts) {
        return view! { <ProblemBox problem/> }.any();
    }
    let unread: Vec<AnyView> = view.parts.iter().filter_map(unread).collect();
    let all_read = unread.is_empty();
    let foot = foot(&view);
    let rows = if view.rows.is_empty() && all_read {
        view! { <Empty title="No application reaches mailboxes" text="No application of this customer holds Mail.Send or another mailbox permission."/> }
            .any()
    } else if view.rows.is_empty() {
        ().into_any()
    } else {
        // One primary button: the worst application that can be confined and is not being confined.
        let first = view.rows.iter().position(wants_confining);
        let rows = view
            .rows
            .into_iter()
            .enumerate()
            .map(|(index, row)| line(row, head, may_change, first == Some(index)))
            .collect();
        let head = vec![
            th("Application"),
            th("Permissions"),
            th("What that means"),
            th_hidden("Action"),
        ];
        view! { <TableCard label="Applications" head rows foot=Some(foot)/> }.any()
    };
    view! { {unread}{rows} }.any()
}

/// The one problem for which no part could be read: it needs to be said once only.
fn nothing_read(parts: &[Part]) -> Option<Problem> {
    let problem = |part: &Part| match &part.read {
        Reading::Read { .. } => None,
        Reading::Failed { problem } => Some(problem.clone()),
    };
    let first = problem(parts.first()?)?;
    let same = |part: &Part| problem(part).is_some_and(|problem| problem.key == first.key);
    parts.iter().all(same).then_some(first)
}

/// Nothing was read, and will not be until an admin has consented again.
fn lacks_consent(view: &ApplicationsView) -> bool {
    nothing_read(&view.parts).is_some_and(|problem| problem.remedy == Remedy::Consent)
}

/// A part that could not be read, with its problem.
fn unread(part: &Part) -> Option<AnyView> {
    match &part.read {
        Reading::Read { .. } => None,
        Reading::Failed { problem } => {
            let title = format!("{} could not be read.", part.name);
            let problem = problem.clone();
            Some(
                view! {
                    <div class="partial" role="note">
                        <p><b>{title}</b>" What depends on it is shown as unknown."</p>
                        <ProblemBox problem/>
                    </div>
                }
                .any(),
            )
        }
    }
}

fn foot(view: &ApplicationsView) -> AnyView {
    let parts: Vec<String> = view
        .parts
        .iter()
        .map(|part| {
            let took = span(part.took_millis);
            match &part.read {
                Reading::Read { count } => format!("{}: {count} in {took}", part.name),
                Reading::Failed { .. } => format!("{}: not read", part.name),
            }
        })
        .collect();
    view! { <span>"Read "<Moment at=view.read_at/></span><span>{parts.join(" · ")}</span> }.any()
}

/// Whether an access policy would change anything.
fn can_confine(application: &Application) -> bool {
    application.enabled
        && application
            .grants
            .iter()
            .any(|grant| grant.reaches_mailboxes() && grant.coverage() == Coverage::Policy)
}

fn is_active(row: &ApplicationRow) -> bool {
    row.setup
        .as_ref()
        .is_some_and(|setup| setup.state.is_active())
}

fn wants_confining(row: &ApplicationRow) -> bool {
    can_confine(&row.application)
        && !is_active(row)
        && !matches!(
            row.verdict.standing,
            Standing::Confined | Standing::Disabled
        )
}

fn line(row: ApplicationRow, head: &CustomerHead, may_change: bool, primary: bool) -> AnyView {
    let active = is_active(&row);
    let offer = may_change && can_confine(&row.application) && !active;
    let ApplicationRow {
        application,
        verdict,
        policies,
        setup,
    } = row;
    let about = about(&application, head.tenant);
    let confine = offer.then(|| {
        let href = paths::confine(head.id, &application.object.to_string());
        let class = if primary { "btn primary" } else { "btn" };
        let label = format!("Confine {}", application.name);
        view! { <a class=class href=href aria-label=label>"Confine…"</a> }.any()
    });
    let setup = setup.map(|setup| {
        let tag = if active { setup_tag(setup.state) } else { proof_tag(setup.proof) };
        view! {
            <p class="line">
                {tag}
                <a href=paths::setup(setup.customer, setup.id)>{if active { "Follow the setup" } else { "Last setup" }}</a>
            </p>
        }.any()
    });
    view! {
        <tr>
            <td>
                <a class="strong" href=paths::application(head.id, application.object)>{application.name.clone()}</a>
                <span class="sub">{about}</span>
                <span class="sub mono">{application.app_id.to_string()}</span>
            </td>
            <td><ul class="chips">{application.grants.iter().filter_map(chip).collect_view()}</ul></td>
            <td class="wide">
                {standing_tag(verdict.standing)}
                <p>{verdict.sentence}</p>
                {policies.iter().map(policy).collect_view()}
            </td>
            <td class="act">{confine}{setup}</td>
        </tr>
    }
    .any()
}

/// Whose it is.
fn about(application: &Application, here: TenantId) -> String {
    let off = if application.enabled {
        ""
    } else {
        " · switched off"
    };
    let whose = match (&application.publisher, application.owner_tenant) {
        _ if application.kind == "ManagedIdentity" => "managed identity".to_owned(),
        (_, Some(owner)) if owner == here => "registered in this tenant".to_owned(),
        (Some(publisher), _) => format!("by {publisher}"),
        (None, Some(owner)) => format!("registered in tenant {owner}"),
        (None, None) => "publisher unknown".to_owned(),
    };
    format!("{whose}{off}")
}

fn chip(grant: &domain::application::Grant) -> Option<AnyView> {
    if !grant.reaches_mailboxes() {
        return None;
    }
    let beyond = grant.coverage() == Coverage::Beyond;
    let class = if beyond { "chip mono bad" } else { "chip mono" };
    let resource = (grant.resource == Api::Exchange)
        .then(|| view! { <span class="faint">" Exchange"</span> }.any());
    let note =
        beyond.then(|| view! { <span class="unseen">", past every access policy"</span> }.any());
    let title = format!("{}: can {}", grant.resource.name(), grant.can());
    Some(view! { <li class=class title=title>{grant.value.clone()}{resource}{note}</li> }.any())
}

fn policy(policy: &AccessPolicy) -> AnyView {
    let (glyph, words) = match policy.right {
        AccessRight::RestrictAccess => (Glyph::Lock, "Policy: only members of "),
        AccessRight::DenyAccess => (Glyph::Cross, "Policy: never members of "),
    };
    let all = policy.app_id.is_none().then_some(", for every application");
    let broken = (!policy.valid).then_some(", but Exchange calls it invalid");
    view! { <p class="line faint">{icon(glyph)}<span>{words}<b>{policy.scope_name.clone()}</b>{all}{broken}</span></p> }
        .any()
}
