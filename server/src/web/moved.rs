//! Redirects from old addresses of pages.

use axum::{
    Router,
    extract::{Path, RawQuery},
    response::Redirect,
    routing::get,
};
use domain::id::CustomerId;

use super::{Web, download::id, refusal::Refusal};

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/customers/{customer}/reach", get(reach))
}

/// The list of a customer's applications has moved to the customer's page.
async fn reach(
    Path(customer): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Redirect, Refusal> {
    let customer: CustomerId = id(&customer)?;
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Ok(Redirect::permanent(&format!(
        "/customers/{customer}{query}"
    )))
}
