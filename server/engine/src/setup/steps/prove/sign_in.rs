//! Signs in as the application, with its own secret.

use domain::{Problem, permission::Resource, problem::Remedy, secret::ClientSecret};
use microsoft::{Kind, entra::scopes, graph::Sender};
use secrecy::SecretString;

use super::super::super::work::Work;
use crate::Failure;

/// Signs in as the application. A refusal is about the application and its secret, never about the
/// consent with which Postern acts in the customer. `claims`: the claims that a challenge asks for.
pub(super) async fn sign_in(
    work: &mut Work<'_>,
    secret: &ClientSecret,
    claims: Option<&str>,
) -> Result<Result<Sender, Problem>, Failure> {
    let microsoft = work.engine.microsoft();
    let scope = scopes::default_of(microsoft.endpoints(), Resource::Graph);
    let secret = SecretString::from(secret.expose());
    let (tenant, app) = (work.tenant.tenant(), work.plan.application.app_id);
    match microsoft
        .client_credentials(tenant, app, &secret, &scope, claims)
        .await
    {
        Ok(token) => Ok(Ok(Sender { tenant, app, token })),
        Err(error) if error.is_transient() || *error.kind() == Kind::Malformed => Err(error.into()),
        Err(error) => {
            work.notes
                .evidence
                .push(error.trace().evidence("Sign-in as the application", false));
            Ok(Err(no_sign_in(&error, &work.plan.application.name)))
        }
    }
}

/// Why Entra gave the application no token, and what to do about it.
fn no_sign_in(error: &microsoft::Error, name: &str) -> Problem {
    const AGAIN: &str = "then try again and give the client secret once more";
    let (key, happened, means, todo) = match error.kind() {
        // These kinds are about the secret already.
        Kind::SecretWrong | Kind::SecretExpired => return error.problem(),
        Kind::AppDisabled => (
            "prove.application_disabled",
            format!("{name} is switched off in this tenant, so its client secret opens nothing."),
            "Entra gives it no token: it can send no mail now, and nothing can be proven with it.",
            format!(
                "Switch it on under “Enterprise applications” if it is meant to work, {AGAIN}; or leave the proof out."
            ),
        ),
        Kind::AppNotFound => (
            "prove.application_not_found",
            format!(
                "Entra does not find {name} in this tenant, so its client secret opens nothing."
            ),
            "It was removed since the plan was approved, or it is so new that not all of Entra knows it.",
            format!(
                "Check that it stands under “Enterprise applications” in the customer's Entra, {AGAIN}; or leave the proof out."
            ),
        ),
        Kind::InteractionRequired => (
            "prove.conditional_access",
            format!(
                "A Conditional Access policy of the tenant refused {name} with its client secret."
            ),
            "Policies for workload identities let an application sign in from some places only, and Postern's server is not among them.",
            format!(
                "Have an admin of the customer let it in from Postern's address for the proof, {AGAIN}; or leave the proof out."
            ),
        ),
        _ => (
            "prove.sign_in_refused",
            format!("Entra gave {name} no token for its client secret."),
            "Without it the application sends no mail, so nothing can be proven. The customer's connection is not concerned.",
            format!(
                "Read what Entra said below and put it right for this application, {AGAIN}; or leave the proof out."
            ),
        ),
    };
    let problem = Problem::new(key, Remedy::Act, happened, means, todo);
    match error.problem().microsoft {
        Some(answer) => problem.with_answer(answer),
        None => problem,
    }
}
