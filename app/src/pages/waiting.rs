//! The page of a signed-in person without a role.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api,
    components::{Erase as _, Meanwhile, arriving, gate, problem_view},
    error::AppError,
    loaded::Loaded,
    paths,
};

#[component]
pub fn Waiting() -> impl IntoView {
    let me = Loaded::first(|| Ok(api::me()));
    view! {
        <Title text="Waiting for a role · Postern"/>
        <div class="start">
            <header>
                <a class="brand" href="/">{gate()}"Postern"</a>
            </header>
            <main id="main">
                <h1>"An owner has to let you in"</h1>
                {arriving(Meanwhile::default(), move || async move {
                        match me.get().await {
                            Ok(me) if me.role.is_some() => {
                                #[cfg(feature = "ssr")]
                                crate::api::context::redirect_page(paths::CUSTOMERS);
                                view! {
                                    <p class="lead">"You have a role now."</p>
                                    <p class="actions"><a class="btn primary large" href=paths::CUSTOMERS>"Go on"</a></p>
                                }
                                    .any()
                            }
                            Ok(me) => view! {
                                <p class="lead">
                                    "You are signed in as "<b>{me.upn}</b>" of "{me.partner.to_string()}
                                    ", but you have no role yet. Ask an owner to open People in Postern and to give you one."
                                </p>
                                <div class="actions">
                                    <a class="btn primary large" href=paths::WAITING rel="external">"Look again"</a>
                                    <form method="post" action=paths::SIGN_OUT>
                                        <button type="submit" class="btn large">"Sign out"</button>
                                    </form>
                                </div>
                            }
                                .any(),
                            Err(AppError::SignedOut) => {
                                #[cfg(feature = "ssr")]
                                crate::api::context::redirect_page("/");
                                problem_view(&AppError::SignedOut)
                            }
                            Err(error) => problem_view(&error),
                        }
                    })}
            </main>
        </div>
    }.any()
}
