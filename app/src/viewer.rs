//! The signed-in viewer, known to every page inside the layout.

use domain::{person::Right, view::Me};
use leptos::prelude::*;

use crate::{api, error::Answer, loaded::Loaded};

/// The viewer is read once per visit. Counts that change are in [`crate::layout`], so that a new
/// count never makes a page lose what somebody typed into it.
#[derive(Clone, Copy)]
pub struct Viewer(pub Loaded<Me>);

impl Viewer {
    pub fn provide() -> Self {
        let viewer = Self(Loaded::first(|| Ok(api::me())));
        provide_context(viewer);
        viewer
    }
}

/// The viewer of the layout around this page.
pub fn use_viewer() -> Viewer {
    use_context::<Viewer>().unwrap_or_else(Viewer::provide)
}

/// Whether the viewer has `right`. Returns false until the viewer is loaded.
pub fn may(me: &Answer<Me>, right: Right) -> bool {
    me.as_ref()
        .ok()
        .and_then(|me| me.role)
        .is_some_and(|role| role.may(right))
}
