//! Interprets Exchange's errors: the text is nested, and the status is misleading (MICROSOFT.md
//! §1.4).

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    call::{Trace, shorten_to},
    error::{Error, Fault, Kind, Service},
    http::transport::text_of,
};

/// Exchange's text about a cmdlet that none of the caller's roles contains.
pub(crate) const NOT_IN_ROLE: &str = "is not present in the role definition";

/// The exception type and the text, as far as they can be found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    exception: Option<String>,
    text: Option<String>,
}

/// The error in a cmdlet's response.
pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    mut trace: Trace,
) -> Error {
    let diagnostics = text_of(headers.get("x-ms-diagnostics"));
    let Some(body) = json_of(body) else {
        // When a role is missing there is no JSON: the body is NUL bytes or empty. A header may
        // hold the reason.
        let kind = if status == StatusCode::FORBIDDEN {
            Kind::ExchangeRoleMissing
        } else {
            Kind::Malformed
        };
        let shown = diagnostics.unwrap_or_else(|| words_of(body));
        trace.answer = format!("{status} {shown}").trim().to_owned();
        return Error::new(Service::Exchange, kind, trace)
            .with_code(status.as_u16().to_string())
            .with_message(shown);
    };
    let mut told = told(&body);
    if told.exception.is_none() {
        told.exception = text_of(headers.get("x-exceptiontype"));
    }
    let exception = told.exception.unwrap_or_default();
    let text = told.text.or(diagnostics).unwrap_or_default();
    let kind = kind(status, &exception, &text);
    let name = exception.rsplit('.').next().unwrap_or_default();
    let message = shorten_to(&text, 600);
    trace.answer = format!("{status} {name}: {message}");
    let error = Error::new(Service::Exchange, kind, trace).with_message(message);
    match (name, body.pointer("/error/code").and_then(Value::as_str)) {
        ("", Some(code)) => error.with_code(shorten_to(code, 100)),
        ("", None) => error.with_code(status.as_u16().to_string()),
        (name, _) => error.with_code(shorten_to(name, 100)),
    }
}

/// The body, if it is a JSON object.
fn json_of(body: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Value>(body)
        .ok()
        .filter(Value::is_object)
}

/// The readable text of a body that is not JSON.
fn words_of(body: &[u8]) -> String {
    let head = body.get(..600).unwrap_or(body);
    let text: String = String::from_utf8_lossy(head)
        .chars()
        .filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER)
        .collect();
    shorten_to(&text, 200)
}

/// Takes the text from the first place that has it: inner exception, details, message.
fn told(body: &Value) -> Told {
    let error = body.get("error").unwrap_or(body);
    let text_at = |pointer: &str| {
        error
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let inner = Told {
        exception: text_at("/innererror/internalexception/type"),
        text: text_at("/innererror/internalexception/message"),
    };
    let detail = text_at("/details/0/message")
        .map(|message| of_detail(&message))
        .unwrap_or_default();
    Told {
        exception: inner.exception.or(detail.exception),
        text: inner.text.or(detail.text).or(text_at("/message")),
    }
}

/// Parses `Ex6F9304|Type|Text`, `|Type|Text`, an exception as JSON, or plain text.
fn of_detail(message: &str) -> Told {
    if message.starts_with('{')
        && let Some(exception) = json_of(message.as_bytes())
    {
        let text = |name: &str| exception.get(name)?.as_str().map(str::to_owned);
        return Told {
            exception: text("ClassName"),
            text: text("Message"),
        };
    }
    let mut parts = message.splitn(3, '|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(exception), Some(text)) => Told {
            exception: Some(exception.trim().to_owned()).filter(|name| !name.is_empty()),
            text: Some(text.trim().to_owned()),
        },
        _ => Told {
            exception: None,
            text: Some(message.to_owned()),
        },
    }
}

/// Decides by the type first, because texts are translated into the tenant's language.
fn kind(status: StatusCode, exception: &str, text: &str) -> Kind {
    let name = exception.rsplit('.').next().unwrap_or_default();
    let text = text.to_lowercase().replace('’', "'");
    let says = |part: &str| text.contains(part);
    if says("expired or invalid pagination request") {
        return Kind::PageLost;
    }
    if says(NOT_IN_ROLE) {
        return Kind::ExchangeRoleMissing;
    }
    let fault = match name {
        "MemberAlreadyExistsException" => Fault::AlreadyMember,
        "MemberNotFoundException" => Fault::NotMember,
        "ADObjectAlreadyExistsException"
        | "ManagementObjectAlreadyExistsException"
        | "ProxyAddressExistsException" => Fault::AlreadyExists,
        "InsufficientPermissionsException" => Fault::DirectoryWrite,
        "InvalidOperationInDehydratedContextException" => Fault::Dehydrated,
        "OperationRequiresGroupManagerException" => Fault::NotOwner,
        "ParameterTransformationException"
        | "AmbiguousParameterSetException"
        | "ParameterBindingException" => Fault::BadParameter,
        // Only the text distinguishes the two meanings.
        "ManagementObjectNotFoundException" if says("isn't a member of the group") => {
            Fault::NotMember
        }
        "ManagementObjectNotFoundException" => Fault::NotFound,
        _ if says("already a member of the group") => Fault::AlreadyMember,
        _ if says("isn't a member of the group") => Fault::NotMember,
        _ if says("the executing user is not in the current organization") => {
            Fault::WrongOrganization
        }
        _ if says("unable to initialize the authorization context")
            || says("providers.common.v1.coreexception") =>
        {
            Fault::DelegationNotMapped
        }
        _ if says("total size of app access policies exceeded") => Fault::PoliciesFull,
        _ if says("enable-organizationcustomization") => Fault::Dehydrated,
        _ if says("not a security principal") || says("valid security principal") => {
            Fault::NotSecurityPrincipal
        }
        _ if says("synchronized from your on-premises") => Fault::Synced,
        _ if says("performed by a manager of the group") => Fault::NotOwner,
        _ if says("write permission to target dc") => Fault::DirectoryWrite,
        _ if says("assigned to any management roles") => Fault::NoRoles,
        _ if says("assigned a delegating role assignment") => Fault::NotDelegating,
        _ if says("already exist") || says("already being used") => Fault::AlreadyExists,
        _ if says("couldn't be found") || says("couldn't find object") => Fault::NotFound,
        _ if status == StatusCode::FORBIDDEN => return Kind::ExchangeRoleMissing,
        _ => Fault::Other,
    };
    Kind::Cmdlet(fault)
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
