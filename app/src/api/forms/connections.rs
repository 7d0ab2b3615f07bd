//! Server functions that connect and disconnect customers.

use domain::{
    Problem,
    connection::Way,
    id::{CustomerId, LinkId},
};
use leptos::prelude::*;

use crate::{api::context, error::AppError, paths, query::Query};

/// Adds a customer and sends the browser to its authority to consent.
#[server(endpoint = "connect")]
pub async fn connect(tenant: String, way: Option<Way>) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let browser = server.browser()?;
    let way = way.unwrap_or(Way::Admin);
    let url = server
        .engine
        .connect(&operator, &tenant, way, browser)
        .await;
    let url = url.map_err(|problem| mistyped(&tenant, way, problem))?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// Redirects back to the form with the typed values, also without JavaScript.
fn mistyped(tenant: &str, way: Way, problem: Problem) -> AppError {
    let error = AppError::from(problem);
    let query = Query::default().with("tenant", tenant);
    let page = query.with("way", way.as_str()).link(paths::CONNECT);
    context::back_to(&page, super::CONNECT, &error);
    error
}

/// Sends the browser to a customer's authority to consent again, or, for GDAP, to the operator's
/// own authority. Without a `way`, the way of the previous consent is used. `return_to`: a local
/// path to end at. `replaces`: the new account replaces an account that works, even if the new
/// account may do less.
#[server(endpoint = "reconnect")]
pub async fn reconnect(
    customer: CustomerId,
    way: Option<Way>,
    return_to: Option<String>,
    replaces: Option<bool>,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let browser = server.browser()?;
    let url = server
        .engine
        .reconnect(
            &operator,
            customer,
            way,
            return_to.as_deref(),
            replaces.unwrap_or_default(),
            browser,
        )
        .await?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// Makes a one-time link for the customer's own admin, and returns its address.
#[server(endpoint = "make_link")]
pub async fn make_link(customer: CustomerId) -> Result<String, AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.make_link(&operator, customer).await?)
}

/// Revokes a one-time link.
#[server(endpoint = "revoke_link")]
pub async fn revoke_link(customer: CustomerId, link: LinkId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let done = server.engine.revoke_link(&operator, customer, link).await;
    Ok(done?)
}

/// Follows a one-time link: sends the customer's admin to its authority. The link can be used until
/// a consent is stored. Needs no operator.
#[server(endpoint = "join")]
pub async fn join(token: String) -> Result<(), AppError> {
    let server = context::server()?;
    let browser = server.browser()?;
    let url = server.engine.join_link(&token, browser).await?;
    leptos_axum::redirect(&url);
    Ok(())
}

/// Deletes a customer's token and keeps its history. `confirm` is the customer's name.
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
