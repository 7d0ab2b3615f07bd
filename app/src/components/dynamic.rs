//! Parts of a page that change or arrive later, each behind a single type.
//!
//! Every closure and every future has a type of its own, and leptos would generate its whole
//! rendering code again for each. Behind a box there is a single type, which makes the WASM a tenth
//! smaller.

use std::{future::Future, sync::Arc};

use leptos::prelude::*;

use super::Skeleton;
use crate::api::Later;

/// A view that is rendered again whenever a signal that `draw` reads changes.
pub fn dynamic<V: IntoView + 'static>(draw: impl Fn() -> V + Send + 'static) -> AnyView {
    fn boxed(draw: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
        (move || draw()).into_any()
    }
    boxed(Box::new(move || draw().into_any()))
}

type Draw = Arc<dyn Fn() -> Later<AnyView> + Send + Sync>;

/// The `Transition` fallback: what is shown until the content arrives.
#[derive(Clone, Copy, Default)]
pub struct Meanwhile {
    /// When empty, no fallback is shown.
    pub label: &'static str,
    /// The number of lines in the skeleton.
    pub rows: usize,
    /// Set to true while newer content is loading and the old content is still shown.
    pub pending: Option<RwSignal<bool>>,
}

impl Meanwhile {
    pub const fn says(label: &'static str, rows: usize) -> Self {
        Self {
            label,
            rows,
            pending: None,
        }
    }
}

/// A view that is rendered once its future is done. When a signal that the future reads changes, it
/// is rendered again without flickering.
pub fn arriving<Fut>(
    meanwhile: Meanwhile,
    draw: impl Fn() -> Fut + Send + Sync + 'static,
) -> AnyView
where
    Fut: Future<Output = AnyView> + Send + 'static,
{
    fn boxed(
        Meanwhile {
            label,
            rows,
            pending,
        }: Meanwhile,
        draw: Draw,
    ) -> AnyView {
        let fallback = move || {
            (!label.is_empty())
                .then(|| view! { <Skeleton label rows/> }.any())
                .into_any()
        };
        let pending = pending.unwrap_or_else(|| RwSignal::new(false));
        let draw = move || {
            let draw = draw.clone();
            Suspend::new(draw())
        };
        view! { <Transition fallback set_pending=pending>{draw}</Transition> }.any()
    }
    boxed(
        meanwhile,
        Arc::new(move || -> Later<AnyView> { Box::pin(draw()) }),
    )
}

/// `view! { … }.any()`: any view as one type (`into_any`). The call first removes leptos' `View`
/// wrapper, with which every element would give two types.
pub trait Erase {
    fn any(self) -> AnyView;
}

impl<T> Erase for View<T>
where
    T: IntoAny,
{
    fn any(self) -> AnyView {
        self.into_inner().into_any()
    }
}

/// Runs `run` at once, and again whenever a signal that it reads changes. In the browser only.
pub fn on_change(run: impl Fn() + 'static) {
    fn boxed(run: Box<dyn Fn()>) {
        Effect::new(move |_| run());
    }
    boxed(Box::new(run));
}

/// Runs `then` whenever a signal that `read` reads changes, but not at first. In the browser only.
pub fn on_later_change(read: impl Fn() + 'static, then: impl Fn() + 'static) {
    let first = std::cell::Cell::new(true);
    on_change(move || {
        read();
        if !first.replace(false) {
            then();
        }
    });
}

/// A list item, with the key that identifies it across renders.
pub type Keyed = (String, Arc<dyn Fn() -> AnyView + Send + Sync>);

/// A list whose items keep their state while other items come and go: ticks, opened folds and
/// selections are not lost.
pub fn list_of(items: impl Fn() -> Vec<Keyed> + Send + Sync + 'static) -> AnyView {
    fn boxed(items: Arc<dyn Fn() -> Vec<Keyed> + Send + Sync>) -> AnyView {
        let each = move || items();
        view! { <For each key=|(key, _)| key.clone() children=|(_, draw)| draw()/> }.any()
    }
    boxed(Arc::new(items))
}

/// An item of [`list_of`].
pub fn keyed(
    key: impl std::fmt::Display,
    draw: impl Fn() -> AnyView + Send + Sync + 'static,
) -> Keyed {
    (key.to_string(), Arc::new(draw))
}
