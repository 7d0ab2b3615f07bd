//! Connecting customers and letting them go.

use domain::id::CustomerId;
use leptos::prelude::*;

use crate::{api::context, error::AppError};

/// Adds a customer and sends the browser to its authority to consent.
#[server(endpoint = "connect")]
pub async fn connect(tenant: String) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let browser = server.browser()?;
    let url = server.engine.connect(&operator, &tenant, browser).await?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// Sends the browser to a customer's authority to consent again.
#[server(endpoint = "reconnect")]
pub async fn reconnect(customer: CustomerId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let browser = server.browser()?;
    let url = server
        .engine
        .reconnect(&operator, customer, browser)
        .await?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// A one-time link for the customer's own admin.
#[server(endpoint = "make_link")]
pub async fn make_link(customer: CustomerId) -> Result<String, AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.make_link(&operator, customer).await?)
}

/// Uses a one-time link: sends the customer's admin to its authority. Needs no operator.
#[server(endpoint = "join")]
pub async fn join(token: String) -> Result<(), AppError> {
    let server = context::server()?;
    let browser = server.browser()?;
    let url = server.engine.join_link(&token, browser).await?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// Forgets a customer's token and keeps its history. `confirm` is the customer's name.
#[server(endpoint = "disconnect")]
pub async fn disconnect(customer: CustomerId, confirm: String) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let done = server
        .engine
        .disconnect(&operator, customer, &confirm)
        .await;
    Ok(done?)
}
