//! Effective access as bars and as a chart. Sizes are SVG attributes, because the page's policy
//! allows no inline style.

use domain::{
    exposure::{DayTally, Standing, Tally},
    reach::Level,
};
use leptos::prelude::*;

use super::{Erase as _, reach_tag, td_number, th_number};

pub fn level_tag(level: Level) -> AnyView {
    reach_tag(Standing::of(level, false))
}

/// The standings with a count above zero, the worst first.
pub fn standings(tally: &Tally) -> impl Iterator<Item = Standing> + '_ {
    Standing::ALL
        .into_iter()
        .filter(|standing| tally.of(*standing) > 0)
}

/// A count with its standing, as in “4 confined”.
pub fn counted_of(tally: &Tally, standing: Standing) -> String {
    let count = tally.of(standing);
    let word = match standing {
        Standing::Power if count > 1 => "go around every confinement",
        Standing::Nothing if count > 1 => "reach no content",
        _ => standing.word(),
    };
    format!("{count} {word}")
}

/// All counts of a tally, as in “18 unrestricted, 4 confined”.
pub fn in_words(tally: &Tally) -> String {
    let parts: Vec<String> = standings(tally).map(|one| counted_of(tally, one)).collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// The shares of a tally as a bar.
pub fn bar(tally: &Tally) -> AnyView {
    let total = tally.total().max(1);
    let mut at = 0;
    let parts = Standing::ALL
        .into_iter()
        .filter_map(|standing| {
            let (from, count) = (at, tally.of(standing));
            at += count;
            (count > 0).then(|| rect(standing, from * 1000 / total, 0, count * 1000 / total, 10))
        })
        .collect_view();
    view! {
        <svg class="share" role="img" aria-label=in_words(tally) viewBox="0 0 1000 10" preserveAspectRatio="none">
            {parts}
        </svg>
    }
    .any()
}

fn rect(standing: Standing, x: i64, y: i64, width: i64, height: i64) -> AnyView {
    view! {
        <rect
            class=standing.as_str()
            x=x.to_string()
            y=y.to_string()
            width=width.max(1).to_string()
            height=height.to_string()
        />
    }
    .any()
}

/// A chart by day. A table holds the numbers.
pub fn chart(days: &[DayTally]) -> AnyView {
    let most = days
        .iter()
        .map(|day| day.tally.total())
        .max()
        .unwrap_or(0)
        .max(1);
    let bars = days
        .iter()
        .enumerate()
        .map(|(index, day)| {
            let x = i64::try_from(index).unwrap_or(0) * 10;
            let mut top = 100;
            let parts = Standing::ALL
                .into_iter()
                .rev()
                .filter_map(|standing| {
                    let height = day.tally.of(standing) * 100 / most;
                    top -= height;
                    (height > 0).then(|| rect(standing, x, top, 8, height))
                })
                .collect_view();
            view! { <g>{parts}</g> }.any()
        })
        .collect_view();
    let rows = days
        .iter()
        .rev()
        .map(|day| {
            let cells = Standing::ALL
                .into_iter()
                .map(|standing| td_number(standing.word(), day.tally.of(standing)))
                .collect_view();
            let date = day.day.long();
            let date = date.split(',').next().unwrap_or_default().to_owned();
            view! { <tr><td class="when">{date}</td>{cells}</tr> }.any()
        })
        .collect_view();
    let head = Standing::ALL
        .into_iter()
        .map(|standing| th_number(standing.word()))
        .collect_view();
    let width = (days.len().max(30) * 10).to_string();
    let last = days
        .last()
        .map_or_else(String::new, |day| in_words(&day.tally));
    view! {
        <section class="card chart" aria-labelledby="days">
            <h2 id="days">"Day by day"</h2>
            <svg role="img" aria-label=format!("The newest day: {last}") viewBox=format!("0 0 {width} 100") preserveAspectRatio="none">{bars}</svg>
            <details class="fold">
                <summary>"The numbers"</summary>
                <div class="scroll" tabindex="0" role="group" aria-label="The numbers of each day">
                    <table class="list"><thead><tr><th scope="col">"Day"</th>{head}</tr></thead><tbody>{rows}</tbody></table>
                </div>
            </details>
        </section>
    }
    .any()
}
