//! Reading customers anew.

use domain::id::CustomerId;
use leptos::prelude::*;

use crate::{api::context, error::AppError};

/// Reads all customers.
#[server(endpoint = "scan_all")]
pub async fn scan_all() -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.scan_all(&operator).await?)
}

/// Ends the reading of all customers before its end.
#[server(endpoint = "cancel_scan_all")]
pub async fn cancel_scan_all() -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.cancel_scan_all(&operator).await?)
}

/// Reads one customer.
#[server(endpoint = "scan_one")]
pub async fn scan_one(customer: CustomerId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.scan_one(&operator, customer).await?)
}
