//! The top of a page: its place in the site, and its main action.

use leptos::prelude::*;
use leptos_meta::Title;

use super::Erase as _;

/// Title of the document, breadcrumbs, the page's one `h1`, and its actions.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    /// The pages above this page: address and name.
    #[prop(optional)]
    crumbs: Vec<(String, String)>,
    /// One or two sentences below the heading.
    #[prop(default = None)]
    lead: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let document = std::iter::once(title.clone())
        .chain(crumbs.iter().rev().map(|(_, name)| name.clone()))
        .chain(std::iter::once("Postern".to_owned()))
        .collect::<Vec<_>>()
        .join(" · ");
    let trail = (!crumbs.is_empty()).then(|| {
        view! {
            <nav class="crumbs" aria-label="Breadcrumbs">
                <ol>
                    {crumbs
                        .into_iter()
                        .map(|(href, name)| view! { <li><a href=href>{name}</a></li> }.any())
                        .collect_view()}
                    <li aria-current="page">{title.clone()}</li>
                </ol>
            </nav>
        }
        .any()
    });
    view! {
        <Title text=for_title(document)/>
        {trail}
        <div class="head">
            <div>
                <h1>{title}</h1>
                {lead.map(|lead| view! { <div class="lead">{lead}</div> }.any())}
            </div>
            {children.map(|children| view! { <div class="actions">{children()}</div> }.any())}
        </div>
    }
    .any()
}

/// Escapes a title. leptos_meta writes the title into the page unescaped, so that a name from a
/// tenant could end the title and continue as markup. In the browser the title is set as text, and
/// needs no escaping.
#[cfg(feature = "ssr")]
pub fn for_title(text: String) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(not(feature = "ssr"))]
pub fn for_title(text: String) -> String {
    text
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    #[test]
    fn a_name_cannot_end_the_title() {
        let title = super::for_title("A & B</title><script>alert(1)</script>".to_owned());
        assert_eq!(title, "A &amp; B&lt;/title>&lt;script>alert(1)&lt;/script>");
    }
}
