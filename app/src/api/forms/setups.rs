//! Server functions that start a setup, and that act on a running one.

use domain::{
    Problem,
    id::{CustomerId, SetupId},
    secret::ClientSecret,
    view::Shown,
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use engine::Started;

use crate::{api::context, error::AppError, paths, query::Query};

/// Starts a setup and opens its page. `draft` is the wizard's query string. `digest` and `shown`
/// are what the review showed. The secret may be empty. `accept`: the ticked items that, by the
/// review, stay open.
#[server(endpoint = "start_setup")]
pub async fn start_setup(
    customer: CustomerId,
    draft: String,
    secret: Option<ClientSecret>,
    #[server(default)] accept: Vec<String>,
    #[server(default)] digest: String,
    #[server(default)] shown: String,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let draft = Query::parse(&draft).draft();
    let secret = secret.and_then(given).transpose()?;
    let shown = Shown {
        digest,
        text: shown,
    };
    let started =
        server
            .engine
            .start_setup(&operator, customer, draft.clone(), &shown, secret, &accept);
    match started.await? {
        Started::Setup(setup) => {
            leptos_axum::redirect(&paths::setup(customer, setup));
            Ok(())
        }
        Started::Changed { problem, changed } => {
            context::go_to(&paths::review(customer, &draft, &changed));
            Err((*problem).into())
        }
    }
}

/// Stops a setup. What the setup has made stays.
#[server(endpoint = "cancel_setup")]
pub async fn cancel_setup(customer: CustomerId, setup: SetupId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let asked = server.engine.cancel_setup(&operator, customer, setup).await;
    Ok(asked?)
}

/// Continues from the failed step.
#[server(endpoint = "retry_setup")]
pub async fn retry_setup(customer: CustomerId, setup: SetupId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let asked = server.engine.retry_setup(&operator, customer, setup).await;
    Ok(asked?)
}

/// Polls now instead of at the next scheduled time (`look`).
#[server(endpoint = "look_now")]
pub async fn look_now(customer: CustomerId, setup: SetupId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let asked = server.engine.look_now(&operator, customer, setup).await;
    Ok(asked?)
}

/// Ends the setup without real mail. Its proof stays "checked".
#[server(endpoint = "skip_proof")]
pub async fn skip_proof(customer: CustomerId, setup: SetupId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let asked = server.engine.skip_proof(&operator, customer, setup).await;
    Ok(asked?)
}

/// Undoes a setup in reverse order. `confirm` is the application's name.
#[server(endpoint = "roll_back")]
pub async fn roll_back(
    customer: CustomerId,
    setup: SetupId,
    confirm: String,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let asked = server
        .engine
        .roll_back(&operator, customer, setup, &confirm);
    Ok(asked.await?)
}

/// Stores the application's client secret for the proof.
#[server(endpoint = "give_secret")]
pub async fn give_secret(
    customer: CustomerId,
    setup: SetupId,
    secret: ClientSecret,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let secret = ClientSecret::parse(secret.expose())?;
    let given = server
        .engine
        .give_secret(&operator, customer, setup, secret);
    Ok(given.await?)
}

/// Tries mailboxes of a finished setup with real mail again.
#[server(endpoint = "prove_again")]
pub async fn prove_again(
    customer: CustomerId,
    setup: SetupId,
    #[server(default)] mailbox: Vec<String>,
    secret: ClientSecret,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let secret = ClientSecret::parse(secret.expose())?;
    let asked = server
        .engine
        .prove_again(&operator, customer, setup, &mailbox, secret);
    Ok(asked.await?)
}

/// The typed secret. None when the field is empty: there is no secret yet.
fn given(secret: ClientSecret) -> Option<Result<ClientSecret, Problem>> {
    let typed = secret.expose();
    (!typed.trim().is_empty()).then(|| ClientSecret::parse(typed))
}
