//! Icons: one path each, in the colour of the text next to them.

use leptos::prelude::*;

use super::Erase as _;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Check,
    Cross,
    Clock,
    Warning,
    Question,
    Dash,
    Lock,
    Unlock,
    Key,
    Undo,
    Dots,
    Copy,
    Search,
    #[cfg(feature = "ssr")]
    Turn,
    Star,
    #[cfg(feature = "ssr")]
    Right,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            #[cfg(feature = "ssr")]
            Self::Right => "M6 3.5 10.5 8 6 12.5",
            Self::Check => "M3 8.5 6.5 12 13 4.5",
            Self::Cross => "M4 4l8 8M12 4l-8 8",
            Self::Clock => "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 4.8V8l2.3 1.5",
            Self::Warning => "M8 2 1.8 13.2h12.4L8 2ZM8 6.4v3.2M8 11.4v.1",
            Self::Question => "M5.6 6a2.4 2.4 0 1 1 3.5 2.1c-.7.4-1.1.8-1.1 1.6M8 12.2v.1",
            Self::Dash => "M4 8h8",
            Self::Lock => "M4 7.5h8V13H4ZM5.5 7.5V5.4a2.5 2.5 0 0 1 5 0v2.1",
            Self::Unlock => "M4 7.5h8V13H4ZM5.5 7.5V4.9a2.5 2.5 0 0 1 4.8-1",
            Self::Key => "M10.5 2.5a3 3 0 1 1-2.8 4.1L2.5 11.8v1.7h2v-1.4h1.4v-1.4l1.7-1.7",
            Self::Undo => "M5.5 3 2.5 6l3 3M2.5 6h6.8a3.7 3.7 0 0 1 0 7.4H6",
            Self::Dots => "M3.5 8h.1M8 8h.1M12.4 8h.1",
            Self::Copy => "M5.5 5.5h7v8h-7ZM3.5 10.5v-8h7",
            Self::Search => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.3 10.3 14 14",
            #[cfg(feature = "ssr")]
            Self::Turn => "M13.5 8a5.5 5.5 0 1 1-1.7-4M13.5 1.8V4.6h-2.8",
            Self::Star => "M8 2.2l1.7 3.7 4 .5-3 2.7.8 4L8 11.1l-3.5 2 .8-4-3-2.7 4-.5Z",
        }
    }
}

/// The icon is decoration: its meaning stands next to it as a word.
pub fn icon(glyph: Glyph) -> AnyView {
    view! {
        <svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8"
            stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
            <path d=glyph.path()></path>
        </svg>
    }
    .any()
}

/// The logo: a small gate beside the great gate.
pub fn gate() -> AnyView {
    view! {
        <svg class="gate" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
            <path d="M4 21V11a8 8 0 0 1 16 0v10M9 21v-8a3 3 0 0 1 6 0v8M2 21h20"></path>
        </svg>
    }
    .any()
}
