//! The position in a sequence of screens.

use leptos::prelude::*;

use super::Erase as _;

/// The names of the screens. A screen that the reader can go back to has its address.
#[component]
pub fn Stepper(steps: Vec<(&'static str, Option<String>)>, current: usize) -> impl IntoView {
    let items: Vec<AnyView> = steps
        .into_iter()
        .enumerate()
        .map(|(index, (name, href))| {
            let number = view! { <span class="number" aria-hidden="true">{index + 1}</span> }.any();
            let class = match index.cmp(&current) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal => "now",
                std::cmp::Ordering::Greater => "later",
            };
            match href {
                Some(href) if index < current => {
                    view! { <li class=class><a href=href>{number}{name}</a></li> }.any()
                }
                _ => view! { <li class=class aria-current=(index == current).then_some("step")><span>{number}{name}</span></li> }
                    .any(),
            }
        })
        .collect();
    view! { <nav class="stepper" aria-label="Progress"><ol>{items}</ol></nav> }.any()
}
