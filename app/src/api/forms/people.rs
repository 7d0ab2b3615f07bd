//! Server functions for roles, and for signing out other browsers.

use domain::{
    Problem,
    id::{OperatorId, SessionRef},
    person::Role,
};
use leptos::prelude::*;

use crate::{api::context, error::AppError};

/// Gives a person a role. An empty text removes the role. For owners.
#[server(endpoint = "set_role")]
pub async fn set_role(person: OperatorId, role: String) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    let role = (!role.is_empty())
        .then(|| role.parse::<Role>())
        .transpose()
        .map_err(|wrong| Problem::input("role", wrong.to_string(), "Choose one from the list."))?;
    Ok(server.engine.set_role(&operator, person, role).await?)
}

/// Ends one of the operator's own sessions.
#[server(endpoint = "end_session")]
pub async fn end_session(session: SessionRef) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server.engine.end_session(&operator, session).await?)
}

/// Ends one session of another person, or all of them when none is named. For owners.
#[server(endpoint = "end_sessions_of")]
pub async fn end_sessions_of(
    person: OperatorId,
    session: Option<SessionRef>,
) -> Result<(), AppError> {
    let server = context::server()?;
    let operator = server.operator()?;
    Ok(server
        .engine
        .end_sessions_of(&operator, person, session)
        .await?)
}
