#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn error(status: u16, body: &Value) -> Error {
    refusal(
        StatusCode::from_u16(status).unwrap(),
        &HeaderMap::new(),
        body.to_string().as_bytes(),
        Trace::default(),
    )
}

fn not_found(code: &str, detail: &str) -> Value {
    json!({"error": {"code": code, "message": "Error executing cmdlet",
        "details": [{"code": "Client", "target": "", "message": detail}],
        "innererror": {"message": "Error executing cmdlet", "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", "stacktrace": ""}}})
}

#[test]
fn the_inner_exception_speaks_first() {
    let error = error(
        400,
        &json!({"error": {"code": "BadRequest", "message": "Invalid Operation",
            "details": [{"code": "Client", "target": "", "message": "|Some.OtherException|something else"}],
            "innererror": {"message": "Invalid Operation", "type": "X",
                "internalexception": {
                    "message": "Cannot process argument transformation on parameter 'QuarantineTypes'.",
                    "type": "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException"}}}}),
    );
    assert_eq!(error.fault(), Some(Fault::BadParameter));
    assert_eq!(error.code(), Some("ParameterTransformationException"));
    assert!(error.message().unwrap().starts_with("Cannot process"));
}

#[test]
fn unknown_parameters_are_bad_parameters() {
    let error = error(
        400,
        &json!({"error": {"code": "BadRequest", "message": "Invalid Operation",
            "details": [{"code": "Client", "target": "", "message": "|Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException|Parameter set cannot be resolved using the specified named parameters. Invalid cmdlet parameters specified. BogusParameter"}]}}),
    );
    assert_eq!(error.fault(), Some(Fault::BadParameter));
    assert!(error.message().unwrap().ends_with("BogusParameter"));
}

#[test]
fn not_found_comes_with_any_status_and_in_three_shapes() {
    let text = "The operation couldn't be performed because object 'user@contoso.onmicrosoft.com' couldn't be found on 'YQBPR01A12DC007.CANPR01A012.PROD.OUTLOOK.COM'.";
    let class = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException";
    let json_shape = json!({"ClassName": class, "Message": text,
        "localizedString": {"stringId": "Ex6F9304"}})
    .to_string();
    for (status, code, detail) in [
        (404, "NotFound", format!("Ex6F9304|{class}|{text}")),
        (400, "BadRequest", format!("|{class}|{text}")),
        (500, "InternalServerError", json_shape),
    ] {
        let error = error(status, &not_found(code, &detail));
        assert_eq!(error.fault(), Some(Fault::NotFound), "{status} {detail}");
        assert_eq!(error.code(), Some("ManagementObjectNotFoundException"));
        assert_eq!(error.message(), Some(text));
    }
}

#[test]
fn a_translated_text_is_known_by_its_type() {
    let detail = "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|Der Vorgang konnte nicht ausgeführt werden.";
    assert_eq!(
        error(404, &not_found("NotFound", detail)).fault(),
        Some(Fault::NotFound)
    );
}

#[test]
fn texts_without_a_type_are_known_too() {
    for (text, fault) in [
        (
            "\"a\" is already a member of the group \"g\".",
            Fault::AlreadyMember,
        ),
        (
            "The recipient \"a\" isn’t a member of the group \"g\".",
            Fault::NotMember,
        ),
        ("Couldn't find object \"x\".", Fault::NotFound),
        (
            "The executing user is not in the current organization",
            Fault::WrongOrganization,
        ),
        (
            "The total size of App Access Policies exceeded the limit.",
            Fault::PoliciesFull,
        ),
        ("The name 'x' already exists.", Fault::AlreadyExists),
        (
            "Unable to initialize the authorization context.",
            Fault::DelegationNotMapped,
        ),
        (
            "Run the cmdlet Enable-OrganizationCustomization first.",
            Fault::Dehydrated,
        ),
        (
            "The identity of the policy scope is not a security principal.",
            Fault::NotSecurityPrincipal,
        ),
        (
            "The action 'Set-DistributionGroup', 'HiddenFromAddressListsEnabled', can't be performed on the object 'g' because the object is being synchronized from your on-premises organization.",
            Fault::Synced,
        ),
        (
            "You don't have sufficient permissions. This operation can only be performed by a manager of the group.",
            Fault::NotOwner,
        ),
        (
            "The user 'a' doesn't have write permission to target DC 'b'.",
            Fault::DirectoryWrite,
        ),
        (
            "The user \"a@b.example\" isn’t assigned to any management roles.",
            Fault::NoRoles,
        ),
        (
            "You don't have access to create, change, or remove the \"o\\n\" management role assignment. You must be assigned a delegating role assignment to the management role or its parent in the hierarchy without a scope restriction.",
            Fault::NotDelegating,
        ),
        (
            "The proxy address \"smtp:a@b.example\" is already being used by the proxy addresses or LegacyExchangeDN of \"x\". Please choose another proxy address.",
            Fault::AlreadyExists,
        ),
        (
            "The name \"a\" is already being used. Please try another name.",
            Fault::AlreadyExists,
        ),
        ("Something new.", Fault::Other),
    ] {
        let body = json!({"error": {"code": "X", "message": "Invalid Operation",
            "details": [{"message": text}]}});
        assert_eq!(error(400, &body).fault(), Some(fault), "{text}");
    }
}

/// The type decides where the text is translated.
#[test]
fn field_b21_types_of_the_field_are_known_in_every_language() {
    for (class, fault) in [
        (
            "Microsoft.Exchange.Data.Directory.InsufficientPermissionsException",
            Fault::DirectoryWrite,
        ),
        (
            "Microsoft.Exchange.Data.Directory.ProxyAddressExistsException",
            Fault::AlreadyExists,
        ),
        (
            "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException",
            Fault::Dehydrated,
        ),
    ] {
        let body = not_found("BadRequest", &format!("|{class}|Das ging nicht."));
        assert_eq!(error(400, &body).fault(), Some(fault), "{class}");
    }
}

#[test]
fn a_body_of_nul_bytes_is_a_missing_role() {
    let error = refusal(
        StatusCode::FORBIDDEN,
        &HeaderMap::new(),
        &[0; 4_096],
        Trace::default(),
    );
    assert_eq!(error.kind(), &Kind::ExchangeRoleMissing);
    assert_eq!(error.trace().answer, "403 Forbidden");
}

#[test]
fn the_reason_can_be_in_a_header() {
    let mut headers = HeaderMap::new();
    headers.insert(
        "x-ms-diagnostics",
        "2000003;reason=\"role required\"".parse().unwrap(),
    );
    let error = refusal(StatusCode::FORBIDDEN, &headers, b"", Trace::default());
    assert_eq!(error.kind(), &Kind::ExchangeRoleMissing);
    assert_eq!(error.message(), Some("2000003;reason=\"role required\""));
}

#[test]
fn a_cmdlet_outside_the_role_is_a_missing_role() {
    let body = json!({"error": {"code": "X", "message": "Invalid Operation", "details": [{"message":
        "|System.Exception|New-ApplicationAccessPolicy is not present in the role definition of the current user."}]}});
    assert_eq!(error(400, &body).kind(), &Kind::ExchangeRoleMissing);
}

#[test]
fn an_expired_page_is_no_failed_cmdlet() {
    let body = json!({"error": {"code": "BadRequest", "message": "Invalid Operation",
        "innererror": {"internalexception": {
            "message": "Expired or Invalid pagination request. Default Expiry time is 00:30:00",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"}}}});
    assert_eq!(error(400, &body).kind(), &Kind::PageLost);
}

#[test]
fn html_of_a_proxy_is_not_understood() {
    let error = refusal(
        StatusCode::BAD_REQUEST,
        &HeaderMap::new(),
        b"<html>\x01no</html>",
        Trace::default(),
    );
    assert_eq!(error.kind(), &Kind::Malformed);
    assert_eq!(error.message(), Some("<html>no</html>"));
}
