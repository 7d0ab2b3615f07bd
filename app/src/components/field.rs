//! Form fields with their label, hint and error tied together.

use leptos::prelude::*;

use super::{Erase as _, Glyph, dynamic, icon};

/// One line of text.
#[component]
pub fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    /// What does not fit, in words.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] required: bool,
    #[prop(default = 200)] longest: usize,
) -> impl IntoView {
    let id = format!("field-{name}");
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let described = format!("{hint_id} {error_id}");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                placeholder=placeholder
                required=required
                maxlength=longest.to_string()
                aria-describedby=described
                aria-invalid=move || error.with(Option::is_some).then_some("true")
            />
            <p class="hint" id=hint_id>{hint}</p>
            <p class="wrong" id=error_id>
                {dynamic(move || error.get().map(|text| view! { {icon(Glyph::Warning)}{text} }.any()))}
            </p>
        </div>
    }.any()
}
