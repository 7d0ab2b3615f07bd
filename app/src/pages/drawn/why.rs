//! Explains the effective access of an application, as a diagram to be read from left to right.

use domain::{
    exposure::{
        ActsAs, Credential, MayStill, Standing, WhyEvent, WhyPermission, WhyPolicy, WhyPower,
        WhyRoute, WhyView,
    },
    id::CustomerId,
    person::{Operator, Right},
    reach::Level,
};
use leptos::prelude::*;

use super::{
    draw::{Page, below},
    parts::acts_as,
};
use crate::{
    components::{
        Erase as _, Glyph, Moment, SetupTable, TableCard, Tone, icon, level_tag, reach_tag, tag, th,
    },
    paths,
};

pub(super) fn page(view: WhyView, operator: &Operator) -> Page {
    let may_change = operator.role.is_some_and(|role| role.may(Right::Change));
    let customer = view.head.id;
    let crumbs = below(customer, &view.head.name);
    let id = view.application.map(|id| id.to_string());
    let lead = view! { <p>{view.owner.clone()}" · "<span class="mono">{id}</span></p> }.any();
    // When a policy restricts the application already, a second policy narrows nothing.
    let offered = may_change && view.can_be_confined && view.standing.is_open();
    let confine = offered.then(|| {
        view! { <a class="btn primary" href=paths::confine(customer, &view.object.to_string())>"Confine…"</a> }.any()
    });
    let tone = match view.standing {
        Standing::Power | Standing::Unrestricted => "problem bad",
        Standing::AllExcept | Standing::Unknown => "problem warn",
        _ if view.most => "problem warn",
        // An application without permissions of its own that acts for people is not good news.
        Standing::Nothing if !view.acts_as.is_empty() => "problem wait",
        Standing::Confined => "problem wait",
        Standing::Proven | Standing::Nothing => "problem good",
    };
    let permissions = view
        .permissions
        .iter()
        .map(|one| permission(one, &view.policies))
        .collect_view();
    let why = (!view.permissions.is_empty()).then(|| {
        view! {
            <section aria-labelledby="why">
                <div class="section-head"><h2 id="why">"Why"</h2></div>
                <ul class="why">{permissions}</ul>
            </section>
        }
        .any()
    });
    let title = view.name.clone();
    let facts = facts(&view);
    let body = view! {
        <div class=tone role="note">
            <div class="lines">
                <p class="happened">{view.sentence.clone()}</p>
                <p>"As read "<Moment at=view.read/>"."</p>
                {last_certain(&view)}
            </div>
            {reach_tag(view.standing)}
        </div>
        {still(&view.may_still)}
        {powers(&view.powers)}
        {why}
        {acting(&view.acts_as)}
        {lines("As whom its mail may appear", view.appears)}
        {lines("What is not known", view.gaps)}
        {lines("To be known", view.notes)}
        {lines("What was not looked at", view.not_looked_at)}
        {mailboxes(view.mailboxes, view.more_mailboxes)}
        {facts}
        {credentials(&view.credentials, view.about_credentials)}
        {(!view.setups.is_empty()).then(|| view! {
            <section aria-labelledby="setups">
                <div class="section-head"><h2 id="setups">"Setups"</h2></div>
                <SetupTable label="Setups of this application" rows=view.setups/>
            </section>
        }.any())}
        {history(view.history, view.more_history, customer)}
    }
    .any();
    Page {
        title,
        crumbs,
        lead,
        actions: confine.into_any(),
        body,
    }
}

/// Access that was removed and may still work.
fn still(all: &[MayStill]) -> Option<AnyView> {
    (!all.is_empty()).then(|| {
        let lines = all
            .iter()
            .map(|one| {
                view! { <p class="happened">{format!("It may still {} until ", one.what)}<Moment at=one.until/>"."</p> }.any()
            })
            .collect_view();
        view! {
            <div class="problem warn" role="note">
                <div class="lines">{lines}<p>{MayStill::LAG}</p></div>
                {tag(Tone::Warn, Glyph::Question, "taken away lately")}
            </div>
        }
        .any()
    })
}

/// Powers with which the application bypasses every confinement, and where they come from.
fn powers(all: &[WhyPower]) -> Option<AnyView> {
    (!all.is_empty()).then(|| {
        let lines = all
            .iter()
            .map(|power| {
                let tag = if power.perhaps {
                    tag(Tone::Warn, Glyph::Question, "cannot be ruled out")
                } else {
                    tag(Tone::Bad, Glyph::Warning, "a power")
                };
                view! { <li>{tag}<p>{format!("It can {}.", power.can)}</p><p class="faint">{format!("It {}.", power.from)}</p></li> }.any()
            })
            .collect_view();
        view! {
            <section aria-labelledby="powers">
                <div class="section-head"><h2 id="powers">"What goes around every confinement"</h2></div>
                <ul class="card lines powers">{lines}</ul>
            </section>
        }
        .any()
    })
}

/// What the application may do for the person who signs in to it. No access policy and no Exchange
/// role narrows that.
fn acting(grants: &[ActsAs]) -> Option<AnyView> {
    (!grants.is_empty()).then(|| {
        view! {
            <section aria-labelledby="acts-as">
                <div class="section-head"><h2 id="acts-as">"Acts as whoever signs in to it"</h2></div>
                <p class="hint">"These are delegated permissions: it has the reach of the person who signed in, also later and without that person. No access policy narrows them."</p>
                <div class="card">{acts_as(grants)}</div>
            </section>
        }
        .any()
    })
}

/// One permission. Each row is one route to it: what was granted, what narrows it, and what is
/// left.
fn permission(one: &WhyPermission, policies: &[WhyPolicy]) -> AnyView {
    let routes = one
        .routes
        .iter()
        .map(|route| way(route, policies, one.counts))
        .collect_view();
    view! {
        <li class="card">
            <div class="section-head">
                <h3><span class="mono">{one.name.clone()}</span></h3>
                {if one.counts {
                    level_tag(one.level)
                } else {
                    tag(Tone::Calm, Glyph::Dash, "reads no content")
                }}
            </div>
            <p>{format!("Can {}; reaches {}.", one.can, one.extent)}</p>
            <ol class="ways">{routes}</ol>
        </li>
    }
    .any()
}

fn way(route: &WhyRoute, policies: &[WhyPolicy], counts: bool) -> AnyView {
    let narrowed = route.through == "narrowed by access policies";
    let by = narrowed.then(|| {
        policies
            .iter()
            .map(|policy| {
                let all = policy.for_all.then_some(", for every application");
                view! { <span class="sub">{format!("{} {}: {}", policy.right, policy.scope, policy.covers)}{all}</span> }.any()
            })
            .collect_view()
    });
    let class = match route.level {
        _ if !counts => "end",
        Level::Power | Level::Unrestricted => "end bad",
        Level::AllExcept | Level::Unknown => "end warn",
        Level::Confined if route.most => "end warn",
        Level::Confined => "end good",
        Level::Nothing => "end",
    };
    view! {
        <li>
            <span class="node">{route.from.clone()}</span>
            <span class="arrow">{icon(Glyph::Right)}<span class="unseen">"then"</span></span>
            <span class="node">{route.through.clone()}{by}</span>
            <span class="arrow">{icon(Glyph::Right)}<span class="unseen">"leaves"</span></span>
            <span class=format!("node {class}")>{route.leaves.clone()}</span>
        </li>
    }
    .any()
}

fn lines(title: &'static str, lines: Vec<String>) -> Option<AnyView> {
    (!lines.is_empty()).then(|| {
        let items = lines
            .into_iter()
            .map(|line| view! { <li>{line}</li> }.any())
            .collect_view();
        view! { <section><div class="section-head"><h2>{title}</h2></div><ul class="card lines">{items}</ul></section> }.any()
    })
}

fn mailboxes(names: Vec<String>, more: u32) -> Option<AnyView> {
    (!names.is_empty()).then(|| {
        let items = names
            .into_iter()
            .map(|name| view! { <li class="chip mono">{name}</li> }.any())
            .collect_view();
        let more = (more > 0).then(|| view! { <p class="hint">{format!("and {more} more")}</p> }.any());
        view! { <section><div class="section-head"><h2>"The mailboxes that make the difference"</h2></div><ul class="chips">{items}</ul>{more}</section> }.any()
    })
}

/// The last certain result, from before something could not be read.
fn last_certain(view: &WhyView) -> Option<AnyView> {
    (!view.last_certain.is_empty()).then(|| {
        let lines = view
            .last_certain
            .iter()
            .map(|(permission, mailboxes, at)| {
                let at = *at;
                view! { <li><span class="mono">{permission.clone()}</span>{format!(" reached {mailboxes} when that was last certain, ")}<Moment at/>"."</li> }.any()
            })
            .collect_view();
        view! { <ul class="plain">{lines}</ul> }.any()
    })
}

/// Other facts about the application.
fn facts(view: &WhyView) -> AnyView {
    let fact = |name: &'static str, value: AnyView| {
        view! { <div><dt>{name}</dt><dd>{value}</dd></div> }.any()
    };
    let verified = view.verified_publisher.clone().map_or_else(
        || {
            if view.details_read {
                tag(Tone::Calm, Glyph::Dash, "not verified")
            } else {
                view! { <span class="faint">"not read"</span> }.any()
            }
        },
        |name| view! { {tag(Tone::Good, Glyph::Check, "verified")}" "{name} }.any(),
    );
    let created = view.created.map_or_else(
        || view! { <span class="faint">"not told"</span> }.any(),
        |at| view! { <Moment at/> }.any(),
    );
    let written = view
        .written
        .clone()
        .map(|text| fact("Notes of the customer", view! { <span>{text}</span> }.any()));
    view! {
        <section aria-labelledby="about">
            <div class="section-head"><h2 id="about">"About it"</h2></div>
            <dl class="summary card">
                {fact("Publisher", verified)}
                {fact("In this tenant since", created)}
                {written}
            </dl>
        </section>
    }
    .any()
}

fn credentials(all: &[Credential], about: Vec<String>) -> AnyView {
    let table = (!all.is_empty()).then(|| {
        let rows = all.iter().map(credential).collect();
        let head = vec![
            th("Credential"),
            th("Name"),
            th("Held by its"),
            th("Ends"),
            th("State"),
        ];
        view! { <TableCard label="Credentials" head rows/> }.any()
    });
    let about = about
        .into_iter()
        .map(|line| view! { <p>{line}</p> }.any())
        .collect_view();
    view! {
        <section aria-labelledby="credentials">
            <div class="section-head"><h2 id="credentials">"Credentials"</h2></div>
            {about}
            {table}
        </section>
    }
    .any()
}

fn credential(one: &Credential) -> AnyView {
    let ends = one.ends.map_or_else(
        || view! { <span class="faint">"not told"</span> }.any(),
        |at| view! { <Moment at/> }.any(),
    );
    let name = one.name.clone().map_or_else(
        || view! { <span class="faint">"without a name"</span> }.any(),
        |name| view! { <span>{name}</span> }.any(),
    );
    let state = if one.over {
        tag(Tone::Calm, Glyph::Dash, "over")
    } else {
        tag(Tone::Wait, Glyph::Key, "works")
    };
    view! { <tr><td>{one.kind.clone()}</td><td>{name}</td><td>{one.holder.clone()}</td><td class="when">{ends}</td><td>{state}</td></tr> }.any()
}

/// How the effective access changed, newest first.
fn history(all: Vec<WhyEvent>, more: bool, customer: CustomerId) -> AnyView {
    let list = if all.is_empty() {
        view! { <p>"Its reach did not change since this customer was first read."</p> }.any()
    } else {
        let lines = all
            .into_iter()
            .map(|event| {
                view! { <li><span class="when"><Moment at=event.at/></span>" "{event.what}</li> }
                    .any()
            })
            .collect_view();
        view! { <ol class="card lines">{lines}</ol> }.any()
    };
    let all = more.then(|| {
        view! { <p><a href=paths::history(customer)>"The customer's whole history"</a></p> }.any()
    });
    view! {
        <section aria-labelledby="changes">
            <div class="section-head"><h2 id="changes">"How its reach changed"</h2></div>
            {list}
            {all}
        </section>
    }
    .any()
}
