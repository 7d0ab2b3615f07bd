//! Who looks at the page, known to every page inside the layout.

use domain::{person::Right, view::Me};
use leptos::prelude::*;

use crate::{api, error::Answer, loaded::Loaded};

/// Read once per visit. The numbers that change are kept in [`crate::layout`], so that a new
/// number never makes a page forget what somebody typed into it.
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

/// Whether somebody may do what needs `right`. Who is not known may nothing.
pub fn may(me: &Answer<Me>, right: Right) -> bool {
    me.as_ref()
        .ok()
        .and_then(|me| me.role)
        .is_some_and(|role| role.may(right))
}
