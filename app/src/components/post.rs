//! Forms that change something. They are plain forms; once the page has been hydrated they are
//! sent without leaving it.

use domain::Problem;
use leptos::{prelude::*, server::ServerActionError, task::spawn_local};

use super::{Erase as _, dynamic, on_change};

use crate::{
    api::{Sent, send},
    browser,
    error::{Answer, AppError},
};

/// One thing that can be asked of the server, and how asking went. May stand behind several forms.
#[derive(Clone, Copy)]
pub struct Post {
    path: &'static str,
    pending: RwSignal<bool>,
    failure: RwSignal<Option<AppError>>,
    /// The newest answer as JSON.
    answer: RwSignal<Option<String>>,
}

impl Post {
    /// `path` is one of [`crate::api::forms`]. A failure of a form that was sent without JavaScript
    /// is in the address that the browser was sent back to.
    pub fn new(path: &'static str) -> Self {
        let failure = use_context::<ServerActionError>()
            .filter(|error| error.path() == path)
            .map(|error| from_address(error.err()));
        Self {
            path,
            pending: RwSignal::new(false),
            failure: RwSignal::new(failure),
            answer: RwSignal::new(None),
        }
    }

    pub fn pending(self) -> Signal<bool> {
        self.pending.into()
    }

    /// The newest failure; empty while the form is under way and after it worked.
    pub fn failure(self) -> Signal<Option<AppError>> {
        self.failure.into()
    }

    /// The newest failure unless it belongs beside `field`.
    pub fn failure_beside(self, field: &'static str) -> Signal<Option<AppError>> {
        Signal::derive(move || {
            self.failure
                .get()
                .filter(|error| error.field() != Some(field))
        })
    }

    /// The words of a failure that belong beside `field`.
    pub fn failure_of(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.failure.with(|failure| {
                let error = failure.as_ref()?;
                (error.field() == Some(field)).then(|| {
                    let problem = error.problem();
                    format!("{} {}", problem.happened, problem.todo)
                })
            })
        })
    }

    /// What came back, as JSON.
    pub fn answer(self) -> Signal<Option<String>> {
        self.answer.into()
    }

    /// Forgets what came back.
    pub fn forget(self) {
        self.failure.set(None);
        self.answer.set(None);
    }

    /// Runs `then` each time it worked. In the browser only.
    pub fn then(self, then: impl Fn() + 'static) {
        on_change(move || {
            if self.answer.with(Option::is_some) {
                then();
            }
        });
    }

    fn send(self, body: String, navigate: impl Fn(&str) + 'static) {
        if self.pending.get_untracked() {
            // Sent already: a second click must not send it again.
            return;
        }
        self.pending.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let kind = "application/x-www-form-urlencoded";
            let answer: Answer<Sent> = send(self.path, kind, body).await;
            // The page may be gone by the time that an answer arrives.
            if self.pending.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(sent) => {
                    self.answer.set(Some(sent.text));
                    if let Some(to) = sent.location {
                        navigate(&to);
                    }
                }
                Err(error) => self.failure.set(Some(error)),
            }
        });
    }
}

/// An error as leptos puts it into an address: JSON in base64 for addresses.
fn from_address(text: &str) -> AppError {
    base64url(text)
        .and_then(|bytes| serde_json::from_str(&String::from_utf8(bytes).ok()?).ok())
        .unwrap_or_else(|| Problem::internal("the time of this request").into())
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// A form for a [`Post`].
#[component]
pub fn PostForm(
    post: Post,
    #[prop(optional)] class: &'static str,
    children: Children,
) -> impl IntoView {
    let navigate = browser::use_go();
    let on_submit = move |event: leptos::ev::SubmitEvent| {
        if let Some(body) = browser::form_text(&event) {
            event.prevent_default();
            post.send(body, navigate.clone());
        }
    };
    view! { <form class=class method="post" action=post.path on:submit=on_submit>{children()}</form> }.any()
}

/// A form whose fields become the address's query.
#[component]
pub fn GetForm(#[prop(into)] action: String, children: Children) -> impl IntoView {
    let navigate = browser::use_go();
    let to = action.clone();
    let on_submit = move |event: leptos::ev::SubmitEvent| {
        if let Some(query) = browser::form_text(&event) {
            event.prevent_default();
            navigate(&format!("{to}?{query}"));
        }
    };
    view! { <form method="get" action=action on:submit=on_submit>{children()}</form> }.any()
}

/// Sends the form around it; says so while it does.
#[component]
pub fn Submit(
    #[prop(into)] label: String,
    #[prop(default = "btn primary")] class: &'static str,
    #[prop(optional, into)] pending: Signal<bool>,
) -> impl IntoView {
    view! {
        <button type="submit" class=class aria-disabled=move || pending.get().then_some("true")>
            {dynamic(move || pending.get().then(|| view! { <span class="spin" aria-hidden="true"></span> }.any()))}
            {label}
        </button>
    }.any()
}

#[cfg(test)]
mod tests {
    use leptos::server_fn::error::FromServerFnError;

    use super::*;

    #[test]
    fn reads_errors_as_leptos_writes_them() {
        let error: AppError = Problem::input("tenant", "“ü” is no domain.", "Write one.").into();
        // The bytes of "any carnal pleas" in three lengths, from the RFC's alphabet.
        assert_eq!(
            base64url("YW55IGNhcm5hbCBwbGVhcw==").as_deref(),
            Some(&b"any carnal pleas"[..])
        );
        assert_eq!(base64url("_-8="), Some(vec![0xff, 0xef]));
        assert_eq!(base64url("a b"), None);
        assert_eq!(AppError::de(error.ser()), error);
    }

    #[test]
    fn nonsense_in_the_address_is_a_plain_problem() {
        assert!(
            matches!(from_address("!!"), AppError::Problem(problem) if problem.key == "internal")
        );
    }
}
