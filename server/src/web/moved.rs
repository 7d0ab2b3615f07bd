//! Addresses that pages had before.

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

/// A customer's applications by reach are on the customer's page.
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
