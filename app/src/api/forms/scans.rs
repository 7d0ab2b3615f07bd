//! Server functions that start and cancel scans.

use domain::id::CustomerId;
use leptos::prelude::*;

use crate::{api::context, error::AppError};

/// Starts a scan of all customers.
#[server(endpoint = "scan_all")]
pub async fn scan_all() -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.scan_all(&operator).await?)
}

/// Cancels the scan of all customers.
#[server(endpoint = "cancel_scan_all")]
pub async fn cancel_scan_all() -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.cancel_scan_all(&operator).await?)
}

/// Requests a scan of one customer.
#[server(endpoint = "scan_one")]
pub async fn scan_one(customer: CustomerId) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.scan_one(&operator, customer).await?)
}
