//! Entra's error responses, from the token endpoint and from the redirect of the browser
//! (MICROSOFT.md §6.1).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    call::{Trace, shorten_to},
    error::{Error, Kind, Service},
    microsoft::Microsoft,
};

/// The body of an error response from the token endpoint.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
    #[serde(default)]
    pub(crate) error_codes: Vec<u64>,
    #[serde(default)]
    pub(crate) suberror: Option<String>,
    #[serde(default)]
    pub(crate) trace_id: Option<String>,
}

impl oauth2::ErrorResponse for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl Refusal {
    /// The AADSTS number: from the list, otherwise from the beginning of the description.
    pub(crate) fn number(&self) -> Option<u64> {
        self.error_codes.first().copied().or_else(|| {
            let rest = self.error_description.as_deref()?.split_once("AADSTS")?.1;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
    }

    pub(crate) fn into_error(self, mut trace: Trace) -> Error {
        let number = self.number();
        let kind = kind(&self.error, self.suberror.as_deref(), number);
        // Only the first line is used. The other lines repeat ids and the time.
        let message = self
            .error_description
            .as_deref()
            .and_then(|text| text.lines().next())
            .map_or_else(|| self.error.clone(), |line| shorten_to(line, 400));
        let code = number.map_or_else(|| self.error.clone(), |number| format!("AADSTS{number}"));
        if let Some(id) = &self.trace_id {
            trace.request_id = Some(shorten_to(id, 200));
        }
        trace.answer = format!("{} {message}", self.error);
        Error::new(Service::Entra, kind, trace)
            .with_code(code)
            .with_message(message)
    }
}

/// The kind of the error. `error`, which the protocol defines, decides first. Microsoft may change
/// the number, so the number decides only between the possible meanings of one `error`.
fn kind(error: &str, suberror: Option<&str>, number: Option<u64>) -> Kind {
    let by_number = number.and_then(of_number);
    match error {
        "interaction_required" | "login_required" => by_number.unwrap_or(Kind::InteractionRequired),
        "consent_required" => by_number.unwrap_or(Kind::ConsentMissing),
        "access_denied" => by_number.unwrap_or(Kind::Declined),
        "temporarily_unavailable" => by_number.unwrap_or(Kind::Throttled { until: None }),
        "server_error" => by_number.unwrap_or(Kind::Unreachable { maybe_done: false }),
        "invalid_grant" => match (suberror, by_number) {
            (Some("consent_required"), _) => Kind::ConsentMissing,
            (_, Some(kind)) => kind,
            (
                Some(
                    "basic_action"
                    | "additional_action"
                    | "message_only"
                    | "protection_policy_required",
                ),
                None,
            ) => Kind::InteractionRequired,
            (Some("bad_token" | "token_expired" | "user_password_expired"), None) => {
                Kind::TokenDead
            }
            // Entra gives no number, so the protocol's own meaning applies.
            (_, None) if number.is_none() => Kind::TokenDead,
            (_, None) => Kind::SignInRefused,
        },
        "invalid_client" | "unauthorized_client" => by_number.unwrap_or(Kind::Other),
        "invalid_tenant" => Kind::TenantNotFound,
        "invalid_resource" => by_number.unwrap_or(Kind::ServiceMissing),
        _ => by_number.unwrap_or(Kind::Other),
    }
}

fn of_number(number: u64) -> Option<Kind> {
    Some(match number {
        65001 | 90094 | 650_051 | 650_056 => Kind::ConsentMissing,
        65004 => Kind::Declined,
        90099 => Kind::PartnerNotAuthorised,
        50057 | 50173 | 70000 | 70008 | 700_082 | 700_084 | 50089 | 50132 | 50133 => {
            Kind::TokenDead
        }
        50005 | 50055 | 50076 | 50078 | 50079 | 50058 | 50072 | 50074 | 50097 | 50131 | 50158
        | 50177 | 53000 | 53001 | 53002 | 53003 | 53004 | 53009 | 53010 | 53011 | 70043 | 70044
        | 70046 | 530_021 | 530_032 | 530_034 | 530_084 | 16000 => Kind::InteractionRequired,
        54005 | 501_481 | 700_005 => Kind::CodeSpent,
        7_000_215 | 7_000_218 | 700_027 => Kind::SecretWrong,
        7_000_222 => Kind::SecretExpired,
        700_011 | 700_016 => Kind::AppNotFound,
        7_000_112 => Kind::AppDisabled,
        90002 | 900_023 | 5_000_224 => Kind::TenantNotFound,
        50020 | 50105 | 50034 | 500_341 => Kind::NotInTenant,
        500_014 | 650_052 => Kind::ServiceOff,
        500_011 => Kind::ServiceMissing,
        50011 | 50194 | 650_057 => Kind::Registration,
        90055 | 50196 => Kind::Throttled { until: None },
        _ => return None,
    })
}

impl Microsoft {
    /// The error with which Entra redirected the browser back instead of a code: `error` and
    /// `error_description` of the query. Both come from the browser, so they are shortened, and no
    /// action may depend on them.
    pub fn refused(&self, error: &str, description: Option<&str>) -> Error {
        Refusal {
            error: shorten_to(error, 60),
            error_description: description.map(|text| shorten_to(text, 1_000)),
            ..Refusal::default()
        }
        .into_error(Trace::default())
    }
}
