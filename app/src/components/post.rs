//! Forms that change something. They are plain forms. Once the page has been hydrated they are sent
//! without leaving the page.

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use super::{Erase as _, dynamic, on_change};

use crate::{
    api::{Sent, send},
    browser,
    error::{Answer, AppError},
};

/// The problem of a form that was sent without JavaScript. The browser was then redirected back to
/// the form's page.
///
/// The value comes from the server alone, which has verified it. The page does not read it from the
/// address, because anybody can make an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FailedForm {
    /// The form's own path.
    pub form: String,
    pub error: AppError,
}

impl FailedForm {
    /// Provides the problem that the server knows. In the browser it is read from the rendered
    /// page.
    pub fn provide() {
        let failed = SharedValue::new(Self::of_request);
        provide_context(StoredValue::new(failed.into_inner()));
    }

    #[cfg(feature = "ssr")]
    fn of_request() -> Option<Self> {
        use_context::<crate::api::context::Server>().and_then(|server| server.failed)
    }

    #[cfg(not(feature = "ssr"))]
    fn of_request() -> Option<Self> {
        None
    }

    fn told(form: &str) -> Option<AppError> {
        let failed = use_context::<StoredValue<Option<Self>>>()?.try_get_value()??;
        (failed.form == form).then_some(failed.error)
    }
}

/// One action of the server, and its state. Several forms may share it.
#[derive(Clone, Copy)]
pub struct Post {
    path: &'static str,
    pending: RwSignal<bool>,
    failure: RwSignal<Option<AppError>>,
    /// The newest answer as JSON.
    answer: RwSignal<Option<String>>,
}

impl Post {
    /// An action. `path` is one of [`crate::api::forms`].
    pub fn new(path: &'static str) -> Self {
        let failure = FailedForm::told(path);
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

    /// The newest failure. Empty while the form is being sent and after a success.
    pub fn failure(self) -> Signal<Option<AppError>> {
        self.failure.into()
    }

    /// The newest failure, unless it belongs to `field`.
    pub fn failure_beside(self, field: &'static str) -> Signal<Option<AppError>> {
        Signal::derive(move || {
            self.failure
                .get()
                .filter(|error| error.field() != Some(field))
        })
    }

    /// The message of a failure that belongs to `field`.
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

    /// The newest answer, as JSON.
    pub fn answer(self) -> Signal<Option<String>> {
        self.answer.into()
    }

    /// Clears the answer and the failure.
    pub fn forget(self) {
        self.failure.set(None);
        self.answer.set(None);
    }

    /// Runs `then` after each success. In the browser only.
    pub fn then(self, then: impl Fn() + 'static) {
        on_change(move || {
            if self.answer.with(Option::is_some) {
                then();
            }
        });
    }

    fn send(self, body: String, navigate: impl Fn(&str) + 'static) {
        if self.pending.get_untracked() {
            // A request is under way: a second click must not send the form again.
            return;
        }
        self.pending.set(true);
        self.failure.set(None);
        spawn_local(async move {
            let kind = "application/x-www-form-urlencoded";
            let answer: Answer<Sent> = send(self.path, kind, body).await;
            // The page may be gone when the answer arrives.
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

/// A form whose fields become the query of the address.
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

/// The submit button of the form around it. It shows while the form is being sent.
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
