//! Shared parts of the exposure page and the list of a customer's applications.

use domain::{
    exposure::{
        ActsAs, ActsAsLine, ExposureQuery, ExposureSort, MayStill, Standing, Tally, WhyPower,
    },
    id::CustomerId,
};
use leptos::prelude::*;

use crate::{
    components::{Erase as _, Glyph, Moment, TableCard, Tone, tag, th},
    paths,
    query::Query,
};

/// A number with its noun, as in “1 customer”, “2 customers”.
pub(super) fn counted(number: i64, one: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{number} {one}{many}")
}

/// The counts as tiles. Each tile links to the rows that it counts.
pub(super) fn numbers(
    tally: &Tally,
    open: String,
    unknown: String,
    query: &Query,
    path: &str,
) -> AnyView {
    let tile = |standing: Standing, class: &'static str, words: String| {
        let query = query.clone().with("standing", standing.as_str());
        let href = query.with("page", "").link(path);
        view! { <a class=class href=href><b>{tally.of(standing)}</b><span>{words}</span></a> }.any()
    };
    let partly = (tally.all_except > 0).then(|| {
        tile(
            Standing::AllExcept,
            "tile card warn",
            "can act as anyone but a few".to_owned(),
        )
    });
    let powers = (tally.power > 0).then(|| {
        tile(
            Standing::Power,
            "tile card bad",
            "can go around every confinement".to_owned(),
        )
    });
    view! {
        <div class="tiles">
            {powers}
            {tile(Standing::Unrestricted, "tile card bad", open)}
            {partly}
            {tile(Standing::Unknown, "tile card warn", unknown)}
            {tile(Standing::Confined, "tile card wait", "confined, not yet proven".to_owned())}
            {tile(Standing::Proven, "tile card good", "confined and proven".to_owned())}
            {tile(Standing::Nothing, "tile card", "reach no content".to_owned())}
        </div>
    }
    .any()
}

/// The form with search, standing, permission and sort order. `kept`: other parameters that stay in
/// the address.
pub(super) fn filters(
    asked: &ExposureQuery,
    permissions: &[String],
    path: &str,
    kept: &[(&'static str, &str)],
) -> AnyView {
    let option = |value: String, words: String, chosen: bool| {
        view! { <option value=value selected=chosen>{words}</option> }.any()
    };
    let standings = Standing::ALL
        .into_iter()
        .map(|one| {
            let chosen = asked.standing == Some(one);
            option(one.as_str().to_owned(), one.word().to_owned(), chosen)
        })
        .collect_view();
    let permissions = permissions
        .iter()
        .map(|one| option(one.clone(), one.clone(), asked.permission == *one))
        .collect_view();
    let sorts = [
        (ExposureSort::Worst, "Worst first"),
        (ExposureSort::Name, "Name"),
        (ExposureSort::Most, "Most customers"),
    ]
    .into_iter()
    // At one customer there is nothing to sort by count.
    .filter(|(sort, _)| *sort != ExposureSort::Most || !kept.is_empty())
    .map(|(sort, words)| {
        let chosen = asked.sort == sort;
        option(sort.as_str().to_owned(), words.to_owned(), chosen)
    })
    .collect_view();
    let kept = kept
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            view! { <input type="hidden" name=*name value=(*value).to_owned()/> }.any()
        })
        .collect_view();
    let search = asked.search.clone();
    let (action, clear) = (path.to_owned(), path.to_owned());
    view! {
        <form method="get" action=action>
            <div class="filters" role="search" aria-label="Applications">
                {kept}
                <label class="grow">
                    <span class="unseen">"Search"</span>
                    <input type="search" name="search" value=search placeholder="Application, publisher or customer" autocomplete="off" spellcheck="false" maxlength="200"/>
                </label>
                <label><span>"Reach"</span><select name="standing"><option value="">"Any"</option>{standings}</select></label>
                <label><span>"Permission"</span><select name="permission"><option value="">"Any"</option>{permissions}</select></label>
                <label><span>"Order"</span><select name="sort">{sorts}</select></label>
                <button type="submit" class="btn">"Show"</button>
                <a class="btn quiet" href=clear>"Clear"</a>
            </div>
        </form>
    }
    .any()
}

/// Powers as chips, each with what it permits.
pub(super) fn powers(all: &[WhyPower]) -> AnyView {
    all.iter()
        .map(|power| {
            let class = if power.perhaps { "chip warn" } else { "chip bad" };
            view! { <li class=class title=format!("It can {}.", power.can)>{power.from.clone()}</li> }.any()
        })
        .collect_view()
        .into_any()
}

/// What an application may do for the person who signs in to it.
pub(super) fn acts_as(grants: &[ActsAs]) -> AnyView {
    let lines = grants
        .iter()
        .map(|grant| {
            let scopes = grant
                .scopes
                .iter()
                .map(|scope| view! { <li class="chip mono">{scope.clone()}</li> }.any())
                .collect_view();
            view! {
                <li>
                    <p>{format!("For {}, on {}:", grant.who, grant.resource)}</p>
                    <ul class="chips">{scopes}</ul>
                </li>
            }
            .any()
        })
        .collect_view();
    view! { <ul class="plain">{lines}</ul> }.any()
}

/// Applications that act for the person who signs in to them. Renders nothing when there are none.
pub(super) fn acting(
    customer: CustomerId,
    lines: &[ActsAsLine],
    unseen: &[String],
    about: &'static str,
) -> Option<AnyView> {
    let hidden = (!unseen.is_empty()).then(|| {
        let gaps = unseen
            .iter()
            .map(|gap| view! { <li>{gap.clone()}</li> }.any())
            .collect_view();
        view! { <p>"More of them cannot be ruled out. What is not known:"</p><ul class="plain">{gaps}</ul> }.any()
    });
    (!lines.is_empty() || hidden.is_some()).then(|| {
        let none = lines.is_empty();
        let rows: Vec<AnyView> = lines
            .iter()
            .map(|line| {
                view! {
                    <tr>
                        <td><a class="strong" href=paths::application(customer, line.object)>{line.name.clone()}</a></td>
                        <td class="wide">{acts_as(&line.grants)}</td>
                    </tr>
                }
                .any()
            })
            .collect();
        let head = vec![th("Application"), th("May do")];
        view! {
            <section aria-labelledby="acts-as">
                <div class="section-head"><h2 id="acts-as">"Acts as whoever signs in to it"</h2></div>
                {(!none).then(|| view! { <p class="hint">{about}</p> }.any())}
                {hidden}
                {(!none).then(|| view! { <TableCard label="Applications that act as whoever signs in to them" head rows/> }.any())}
            </section>
        }
        .any()
    })
}

/// In a row: access that was removed and may still work.
pub(super) fn may_still(one: Option<&MayStill>) -> Option<AnyView> {
    let MayStill { what, until } = one?;
    let until = *until;
    Some(
        view! {
            <p class="line" title=MayStill::LAG>
                {tag(Tone::Warn, Glyph::Question, "taken away lately")}
                <span class="others">{format!("may still {what} until ")}<Moment at=until/></span>
            </p>
        }
        .any(),
    )
}
