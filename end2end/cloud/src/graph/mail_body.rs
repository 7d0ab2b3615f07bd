//! The body of `sendMail` as Outlook takes it: parameters in both spellings, properties only as
//! they are defined.

use serde_json::{Map, Value};

use super::errors::GraphError;

/// The action's parameters. The metadata has them with capitals, and so have the SDKs; the
/// documentation without.
const PARAMETERS: &[(&str, &str)] = &[
    ("Message", "message"),
    ("SaveToSentItems", "saveToSentItems"),
];

const MESSAGE: &[&str] = &[
    "id",
    "attachments",
    "bccRecipients",
    "body",
    "bodyPreview",
    "categories",
    "ccRecipients",
    "changeKey",
    "conversationId",
    "conversationIndex",
    "createdDateTime",
    "extensions",
    "flag",
    "from",
    "hasAttachments",
    "importance",
    "inferenceClassification",
    "internetMessageHeaders",
    "internetMessageId",
    "isDeliveryReceiptRequested",
    "isDraft",
    "isRead",
    "isReadReceiptRequested",
    "lastModifiedDateTime",
    "multiValueExtendedProperties",
    "parentFolderId",
    "receivedDateTime",
    "replyTo",
    "sender",
    "sentDateTime",
    "singleValueExtendedProperties",
    "subject",
    "toRecipients",
    "uniqueBody",
    "webLink",
];
const RECIPIENT: &[&str] = &["emailAddress"];
const ADDRESS: &[&str] = &["address", "name"];
const BODY: &[&str] = &["content", "contentType"];

/// Refuses properties that a type does not have; annotations are none.
fn check(value: &Value, kind: &str, known: &[&str]) -> Result<(), GraphError> {
    let unknown = value
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .find(|name| !name.contains('@') && !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some(name) => Err(GraphError::new(
            400,
            "RequestBodyRead",
            format!(
                "The property '{name}' does not exist on type 'microsoft.graph.{kind}'. Make sure to only use property names that are defined by the type or mark the type as open type."
            ),
        )),
    }
}

fn check_recipient(recipient: &Value) -> Result<(), GraphError> {
    check(recipient, "recipient", RECIPIENT)?;
    match recipient.get("emailAddress") {
        Some(address) => check(address, "emailAddress", ADDRESS),
        None => Ok(()),
    }
}

/// The body with the documented spelling of the parameters.
pub fn read(body: Value) -> Result<Value, GraphError> {
    let Value::Object(sent) = body else {
        return Ok(body);
    };
    let mut out = Map::new();
    for (name, value) in sent {
        let known = PARAMETERS
            .iter()
            .find(|(capital, small)| name == *capital || name == *small);
        match known {
            Some((_, small)) => {
                out.insert((*small).to_owned(), value);
            }
            None if name.contains('@') => {}
            None => {
                return Err(GraphError::new(
                    400,
                    "RequestBodyRead",
                    format!(
                        "The parameter '{name}' in the request payload is not a valid parameter for the operation 'sendMail'."
                    ),
                ));
            }
        }
    }
    if let Some(message) = out.get("message") {
        check(message, "message", MESSAGE)?;
        if let Some(text) = message.get("body") {
            check(text, "itemBody", BODY)?;
        }
        for name in ["toRecipients", "ccRecipients", "bccRecipients", "replyTo"] {
            let all = message.get(name).and_then(Value::as_array);
            all.into_iter().flatten().try_for_each(check_recipient)?;
        }
        for name in ["from", "sender"] {
            message.get(name).map_or(Ok(()), check_recipient)?;
        }
    }
    Ok(Value::Object(out))
}
