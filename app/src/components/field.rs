//! Form fields linked with their label, hint and error.

use leptos::prelude::*;

use super::{Erase as _, Glyph, dynamic, icon};

/// One line of text.
#[component]
pub fn TextField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    /// The error message of the field.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] required: bool,
    #[prop(default = 200)] longest: usize,
) -> impl IntoView {
    let id = format!("field-{name}");
    // The customer's secret is not the person's own password, so browsers and password managers
    // must not offer to keep it. Browsers ignore `off` in password fields.
    let (autocomplete, secret) = match kind {
        "password" => ("new-password", Some("true")),
        _ => (autocomplete, None),
    };
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
                data-1p-ignore=secret
                data-lpignore=secret
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn drawn(kind: &'static str) -> String {
        Owner::new().with(|| view! { <TextField name="secret" label="Secret" kind/> }.to_html())
    }

    #[test]
    fn security_f18_nothing_offers_to_keep_the_customers_secret() {
        let secret = drawn("password");
        for part in [
            "autocomplete=\"new-password\"",
            "data-1p-ignore=\"true\"",
            "data-lpignore=\"true\"",
        ] {
            assert!(secret.contains(part), "{part} is missing in {secret}");
        }
        let plain = drawn("text");
        assert!(plain.contains("autocomplete=\"off\""), "{plain}");
        assert!(!plain.contains("lpignore"), "{plain}");
    }
}
