//! Functions that only a browser can perform. On the server they do nothing.

use domain::Timestamp;
use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast as _;

/// The browser's clock.
pub fn now() -> Timestamp {
    // Whole milliseconds since 1970 are far below 2^53, so the cast loses nothing.
    #[allow(clippy::cast_possible_truncation)]
    Timestamp(js_sys::Date::now() as i64)
}

/// The same moment shifted so that its UTC fields read as the browser's local time.
pub fn to_local(moment: Timestamp) -> Timestamp {
    #[allow(clippy::cast_precision_loss)]
    let date = js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(moment.millis() as f64));
    #[allow(clippy::cast_possible_truncation)]
    let minutes_behind = date.get_timezone_offset() as i64;
    moment.plus_seconds(-minutes_behind * 60)
}

/// Marks the page as hydrated, for tests and style sheets.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        // Fails only for an invalid attribute name.
        let _ = root.set_attribute("data-hydrated", "true");
    }
}

/// Opens a `<dialog>` as a modal above the page.
pub fn open_dialog(id: &str) {
    if let Some(dialog) = dialog(id) {
        // A dialog that was rendered open is not modal until it was closed once.
        dialog.close();
        // Fails only when the dialog is open or not in the page.
        let _ = dialog.show_modal();
    }
}

pub fn close_dialog(id: &str) {
    if let Some(dialog) = dialog(id) {
        dialog.close();
    }
}

fn dialog(id: &str) -> Option<web_sys::HtmlDialogElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Sets the keyboard focus on an element.
pub fn focus(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // Fails only for elements that cannot take the focus.
        let _ = element.focus();
    }
}

/// Shows the times in server-rendered markup in the reader's time zone.
pub fn show_local_times() {
    let Ok(times) = document().query_selector_all(".drawn time[datetime]") else {
        return;
    };
    for index in 0..times.length() {
        let Some(element) = times
            .get(index)
            .and_then(|node| node.dyn_into::<web_sys::Element>().ok())
        else {
            continue;
        };
        let written = element.get_attribute("datetime").unwrap_or_default();
        let millis = js_sys::Date::parse(&written);
        if millis.is_finite() {
            #[allow(clippy::cast_possible_truncation)]
            let at = Timestamp(millis as i64);
            element.set_text_content(Some(&crate::components::local_words(at)));
        }
    }
}

/// Whether an element that matches the selector is on the page.
pub fn shows(selector: &str) -> bool {
    document()
        .query_selector(selector)
        .is_ok_and(|found| found.is_some())
}

/// Whether the keyboard focus is in a form within the element that the selector names.
pub fn is_in_form(within: &str) -> bool {
    let selector = format!("{within} form");
    document()
        .active_element()
        .is_some_and(|element| element.closest(&selector).is_ok_and(|form| form.is_some()))
}

/// The text that the clicked button copies. None when the click was on no such button.
pub fn to_copy(click: &web_sys::MouseEvent) -> Option<String> {
    let clicked: web_sys::Element = click.target()?.dyn_into().ok()?;
    clicked
        .closest("[data-copy]")
        .ok()??
        .get_attribute("data-copy")
}

/// Copies text. Returns whether the browser allowed it.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // The clipboard is missing where the page came neither over HTTPS nor from this machine.
    let there = js_sys::Reflect::get(&navigator, &"clipboard".into())
        .is_ok_and(|clipboard| clipboard.is_object());
    there
        && wasm_bindgen_futures::JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok()
}

/// Navigates to an address: within the app for this site, by loading the page for another site.
pub fn use_go() -> impl Fn(&str) + Clone + 'static {
    let navigate = use_navigate();
    move |to: &str| {
        if domain::path::is_local(to) {
            navigate(to, NavigateOptions::default());
        } else if let Err(error) = window().location().set_href(to) {
            leptos::logging::error!("could not go on: {error:?}");
        }
    }
}

/// The fields of a form that is being sent, with the button that sent it, as a query string.
pub fn form_text(event: &leptos::ev::SubmitEvent) -> Option<String> {
    let form: web_sys::HtmlFormElement = event.target()?.dyn_into().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    let button = event
        .submitter()
        .and_then(|button| button.dyn_into::<web_sys::HtmlButtonElement>().ok());
    if let Some(button) = button
        && !button.name().is_empty()
    {
        data.append_with_str(&button.name(), &button.value()).ok()?;
    }
    let pairs = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    String::from(pairs.to_string()).into()
}

/// Whether a person has just clicked or typed in this page. Returns true when the browser does not
/// report it.
#[cfg(not(feature = "ssr"))]
fn is_used() -> bool {
    let navigator = window().navigator();
    js_sys::Reflect::get(&navigator, &"userActivation".into())
        .and_then(|activation| js_sys::Reflect::get(&activation, &"isActive".into()))
        .ok()
        .and_then(|active| active.as_bool())
        .unwrap_or(true)
}

/// The server's response.
#[cfg(not(feature = "ssr"))]
pub struct Response {
    pub status: u16,
    pub text: String,
    /// Where a server function sends the page.
    pub location: Option<String>,
}

/// Posts to this site. None when the server was not reached.
#[cfg(not(feature = "ssr"))]
pub async fn post(path: &str, kind: &str, body: &str) -> Option<Response> {
    let headers = web_sys::Headers::new().ok()?;
    headers.set("Content-Type", kind).ok()?;
    // The browser must not ask for HTML: a server function answers that with a redirect, as for a
    // form without JavaScript.
    headers.set("Accept", "application/json").ok()?;
    if !is_used() {
        headers.set(crate::BACKGROUND_HEADER, "1").ok()?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&body.into());
    let answer =
        wasm_bindgen_futures::JsFuture::from(window().fetch_with_str_and_init(path, &init));
    let answer: web_sys::Response = answer.await.ok()?.dyn_into().ok()?;
    let text = wasm_bindgen_futures::JsFuture::from(answer.text().ok()?)
        .await
        .ok()?;
    let sent_on = answer
        .headers()
        .has(leptos::server_fn::redirect::REDIRECT_HEADER)
        .ok()?;
    Some(Response {
        status: answer.status(),
        text: text.as_string()?,
        location: if sent_on {
            answer.headers().get("Location").ok()?
        } else {
            None
        },
    })
}
