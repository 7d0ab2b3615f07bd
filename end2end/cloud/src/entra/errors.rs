//! Entra's errors: AADSTS codes, as JSON for programs and as pages for people (MICROSOFT.md §6.1).

use serde_json::{Value, json};
use uuid::Uuid;

use super::pages;
use crate::clock::Dice;
use crate::clock::wall_now;
use crate::decisions;
use crate::http_parts::{Call, Reply};

/// In place of a code: see [`EntraError::not_simulated`]. Entra has no such code.
pub const NOT_SIMULATED: u32 = 0;

/// One AADSTS error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraError {
    pub code: u32,
    pub text: String,
    /// The Conditional Access rule that refuses.
    pub rule: Option<Uuid>,
}

impl EntraError {
    pub fn new(code: u32, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            rule: None,
        }
    }

    /// A refusal of a Conditional Access rule: what the next sign-in must bring is in `claims`.
    pub fn demanded(code: u32, rule: Uuid) -> Self {
        Self {
            rule: Some(rule),
            ..Self::new(code, general_text(code))
        }
    }

    /// An error by its code alone, with a general text; for faults. `AADSTS53003` or `53003`.
    pub fn from_name(name: &str) -> Self {
        let code = name
            .trim()
            .trim_start_matches("AADSTS")
            .parse()
            .unwrap_or(90000);
        Self::new(code, general_text(code))
    }

    /// What Microsoft has and this cloud has not: an answer that no client takes for Microsoft's.
    pub fn not_simulated(what: &str) -> Self {
        Self::new(
            NOT_SIMULATED,
            format!(
                "Cloud.NotSimulatedException: the simulated cloud has no {what}. Microsoft has."
            ),
        )
    }

    /// OAuth's word for it.
    pub fn error(&self) -> &'static str {
        match self.code {
            NOT_SIMULATED => "not_simulated",
            50076 | 50078 | 50079 | 50177 | 53000 | 53001 | 53003 | 530_032 | 530_034 => {
                "interaction_required"
            }
            50058 => "login_required",
            90094 => "consent_required",
            65004 => "access_denied",
            700_016 | 700_011 | 7_000_112 | 50105 => "unauthorized_client",
            7_000_215 | 7_000_218 | 7_000_222 | 700_023 | 700_024 | 700_027 | 650_052 => {
                "invalid_client"
            }
            70011 | 700_022 | 1_002_012 => "invalid_scope",
            70003 => "unsupported_grant_type",
            700_054 => "unsupported_response_type",
            500_011 | 650_056 | 650_057 => "invalid_resource",
            90055 | 90033 => "temporarily_unavailable",
            50011 | 50194 | 50196 | 90002 | 900_023 | 900_144 | 900_971 | 9_002_313 | 90014
            | 90023 | 90124 | 900_561 | 50059 => "invalid_request",
            90000 => "server_error",
            _ => "invalid_grant",
        }
    }

    fn suberror(&self) -> Option<&'static str> {
        match self.code {
            50076 | 50078 | 50079 => Some("basic_action"),
            53000 | 53003 | 530_032 | 530_034 => Some("message_only"),
            65001 | 90094 => Some("consent_required"),
            50173 | 70008 | 70043 | 700_082 => Some("bad_token"),
            _ => None,
        }
    }

    /// The description with the lines that Entra appends.
    pub fn description(&self, trace: &str, correlation: &str) -> String {
        let code = match self.code {
            NOT_SIMULATED => String::new(),
            code => format!("AADSTS{code}: "),
        };
        format!(
            "{code}{}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {}",
            self.text,
            stamp()
        )
    }

    /// The body for the token endpoint.
    pub fn body(&self, base: &str, trace: &str, correlation: &str) -> Value {
        let mut body = json!({
            "error": self.error(),
            "error_description": self.description(trace, correlation),
            "error_codes": [self.code],
            "timestamp": stamp(),
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("{base}/error?code={}", self.code),
        });
        if let Some(map) = body.as_object_mut() {
            if let Some(suberror) = self.suberror() {
                map.insert("suberror".to_owned(), suberror.into());
            }
            // UNVERIFIED (§6.1): the claims challenge that the next sign-in must carry.
            if self.error() == "interaction_required" {
                let mut capolids = json!({"essential": true});
                if let (Some(rule), Some(map)) = (self.rule, capolids.as_object_mut()) {
                    map.insert("values".to_owned(), json!([rule]));
                }
                let claims = json!({"access_token": {"capolids": capolids}});
                map.insert("claims".to_owned(), claims.to_string().into());
            }
        }
        body
    }

    /// The discovery document's answer: it has another word for a tenant that nobody knows.
    pub fn discovery_reply(&self, base: &str, dice: &mut Dice, call: &Call) -> Reply {
        let mut reply = self.reply(base, dice, call);
        if self.code == 90002
            && let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body)
            && let Some(map) = body.as_object_mut()
        {
            map.insert("error".to_owned(), "invalid_tenant".into());
            reply.body = body.to_string().into_bytes();
        }
        reply
    }

    /// The token endpoint's answer.
    pub fn reply(&self, base: &str, dice: &mut Dice, call: &Call) -> Reply {
        let trace = dice.guid().to_string();
        let correlation = correlation(dice, call);
        let status = decisions::entra_status(self.error());
        Reply::json(status, &self.body(base, &trace, &correlation))
            .header("Cache-Control", "no-store")
            .header("x-ms-request-id", &trace)
            .header("client-request-id", &correlation)
    }

    /// A page for the person in front of the browser.
    pub fn page(&self, dice: &mut Dice, call: &Call) -> Reply {
        self.page_with_retry(dice, call, None)
    }

    /// The page with a way to another account: path segment and flow.
    pub fn page_with_retry(
        &self,
        dice: &mut Dice,
        call: &Call,
        retry: Option<(&str, &str)>,
    ) -> Reply {
        let trace = dice.guid().to_string();
        let correlation = correlation(dice, call);
        let html = pages::error(self.code, &self.text, &trace, &correlation, &stamp(), retry);
        Reply::html(400, html).header("x-ms-request-id", &trace)
    }
}

fn stamp() -> String {
    wall_now().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn correlation(dice: &mut Dice, call: &Call) -> String {
    call.client_request_id()
        .and_then(|id| uuid::Uuid::parse_str(id).ok())
        .unwrap_or_else(|| dice.guid())
        .to_string()
}

/// What a code means, in general words.
fn general_text(code: u32) -> &'static str {
    match code {
        50020 => {
            "User account does not exist in tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first."
        }
        50057 => "The user account is disabled.",
        500_341 => {
            "The user account has been deleted from the directory. To sign into this application, the account must be added to the directory."
        }
        50058 => "A silent sign-in request was sent but no user is signed in.",
        50076 => {
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."
        }
        50078 => {
            "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access the resource."
        }
        50079 => {
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource."
        }
        50105 => {
            "Your administrator has configured the application to block users unless they are specifically granted access to the application."
        }
        50173 => {
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."
        }
        53000 => "Your device is required to be managed to access this resource.",
        53003 => {
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
        }
        530_032 => "User blocked due to risk on home tenant.",
        530_034 => {
            "A delegated administrator was blocked from accessing the tenant due to account risk in their home tenant."
        }
        65001 => {
            "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."
        }
        650_051 => {
            "The application needs permission to access resources in your organization that only an admin can grant; the service principal name is already present for the tenant."
        }
        650_052 => {
            "The app needs access to a service that your organization has not subscribed to or enabled."
        }
        70008 => {
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."
        }
        70043 => {
            "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."
        }
        700_082 => "The refresh token has expired due to inactivity.",
        700_016 => {
            "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."
        }
        7_000_112 => "Application is disabled.",
        7_000_215 => {
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."
        }
        7_000_222 => "The provided client secret keys are expired.",
        90002 => {
            "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        }
        90055 => "The tenant is throttled: too many requests were sent for it.",
        90099 => {
            "The application has not been authorized in the tenant. Applications must be authorized to access the external tenant before partner delegated administrators can use them. Provide pre-consent or execute the appropriate Partner Center API to authorize the application."
        }
        _ => "The request could not be completed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_documented_shape() {
        let error = EntraError::from_name("AADSTS53003");
        let body = error.body("http://cloud", "t", "c");
        assert_eq!(body["error"], "interaction_required");
        assert_eq!(body["error_codes"], json!([53003]));
        let text = body["error_description"].as_str().unwrap_or_default();
        assert!(text.starts_with("AADSTS53003: Access has been blocked"));
        assert!(text.contains("\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: "));
        assert!(body["claims"].is_string());
    }
}
