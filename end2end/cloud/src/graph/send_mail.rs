//! Sending mail, where access policies and RBAC show whether they work (MICROSOFT.md §5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Context;
use super::errors::GraphError;
use super::mail_body;
use crate::books::Mail;
use crate::http_parts::Reply;
use crate::journal::{Deed, Thing};
use crate::permissions::Resource;
use crate::world::enforcement::{self, Caller, Refused};

/// The reason that Exchange gives when an access policy refuses.
const BLOCKED_BY_POLICY: &str = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
/// The reason that Exchange gives when a list of user agents refuses.
const BLOCKED_PROGRAM: &str = "Access to OData is disabled.";
/// The reason for everything else.
const DENIED: &str = "Access is denied. Check credentials and try again.";

/// A mailbox that mail can be sent from.
struct Sender {
    id: Uuid,
    upn: String,
    smtp: String,
    purpose: &'static str,
}

/// Finds the mailbox, by object id or user principal name alone: an address that is neither names
/// nobody (MICROSOFT.md §2.5). Unknown users and users without a mailbox have errors of their own.
fn sender(context: &mut Context<'_>, key: &str) -> Result<Sender, GraphError> {
    let tenant = context.tenant()?;
    let Some(user) = tenant.user(key) else {
        let alias = tenant.users.values().any(|user| {
            let mailbox = user.mailbox.as_ref();
            mailbox.is_some_and(|it| it.aliases.iter().any(|one| one.eq_ignore_ascii_case(key)))
        });
        return Err(if alias {
            GraphError::new(404, "ResourceNotFound", "Resource could not be discovered.")
        } else {
            GraphError::new(
                404,
                "ErrorInvalidUser",
                format!("The requested user '{key}' is invalid."),
            )
        });
    };
    let lives = tenant.exchange.licensed && !tenant.directory.mail.inactive.contains(&user.id);
    match &user.mailbox {
        Some(mailbox) if mailbox.kind.is_mailbox() && lives => Ok(Sender {
            id: user.id,
            upn: user.upn.clone(),
            smtp: mailbox.smtp.clone(),
            purpose: mailbox.kind.purpose(),
        }),
        _ => Err(GraphError::new(
            404,
            "MailboxNotEnabledForRESTAPI",
            if user.guest_of.is_some() {
                "REST API is not yet supported for this mailbox."
            } else {
                "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            },
        )),
    }
}

/// Whether the program that calls is let in: lists of user agents close REST as well (§2.8), and
/// their refusal lacks what an access policy's has.
fn check_program(context: &mut Context<'_>, mailbox: Uuid) -> Result<(), GraphError> {
    let agent = context.call.header("user-agent").unwrap_or("").to_owned();
    let switches = &context.tenant()?.exchange.switches;
    match switches.user_agent_allowed(mailbox, &agent) {
        true => Ok(()),
        false => Err(GraphError::access(BLOCKED_PROGRAM)),
    }
}

/// The address that a mail appears as: the mailbox's own, or what `from` names, when the mailbox
/// may (§2.6, §5.1).
fn appearance(
    context: &mut Context<'_>,
    sender: &Sender,
    from: Option<String>,
) -> Result<String, GraphError> {
    let own = |from: &str| {
        from.eq_ignore_ascii_case(&sender.smtp) || from.eq_ignore_ascii_case(&sender.upn)
    };
    let Some(from) = from.filter(|from| !own(from)) else {
        return Ok(sender.smtp.clone());
    };
    let tenant = context.tenant()?;
    let may = match tenant.holder_of(&from) {
        Some(holder) if holder == sender.id => tenant.directory.mail.from_aliases,
        Some(other) => tenant.may_appear_as(sender.id, other),
        None => false,
    };
    if may {
        return Ok(from);
    }
    Err(GraphError::new(
        403,
        "ErrorSendAsDenied",
        "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.",
    ))
}

/// Takes a mail from what the mailbox may still send today.
fn take_quota(context: &mut Context<'_>, mailbox: Uuid) -> Result<(), GraphError> {
    match context.tenant()?.directory.mail.quotas.get_mut(&mailbox) {
        None => Ok(()),
        Some(0) => Err(GraphError::new(
            403,
            "ErrorExceededMessageLimit",
            "The message limit of the mailbox is exceeded.",
        )),
        Some(left) => {
            *left -= 1;
            Ok(())
        }
    }
}

/// Whether the application may use any of these permissions on a mailbox.
fn application_may(
    context: &mut Context<'_>,
    permissions: &[&str],
    mailbox: Uuid,
) -> Result<(), GraphError> {
    let claims = context.claims.clone();
    let caller = Caller {
        tenant: claims.tenant,
        app_id: claims.app_id,
        object: claims.object,
        roles: &claims.roles,
    };
    let mut why = DENIED;
    for permission in permissions {
        match enforcement::application_may(
            context.world,
            caller,
            Resource::Graph,
            permission,
            mailbox,
        ) {
            Ok(()) => return Ok(()),
            Err(Refused::ByPolicy) => why = BLOCKED_BY_POLICY,
            Err(Refused::NotHeld) => {}
        }
    }
    Err(GraphError::access(why))
}

pub fn as_me(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let key = context.claims.object.to_string();
    send(context, &key)
}

pub fn as_user(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let key = context.key(0).to_owned();
    send(context, &key)
}

fn send(context: &mut Context<'_>, key: &str) -> Result<Reply, GraphError> {
    let sender = sender(context, key)?;
    if context.claims.delegated {
        // Policies do not govern delegated access (§2.4). A person opens their own mailbox alone.
        if !context.claims.has_scope("Mail.Send") || context.claims.object != sender.id {
            return Err(GraphError::access(DENIED));
        }
    } else {
        application_may(context, &["Mail.Send"], sender.id)?;
    }
    check_program(context, sender.id)?;
    let message = read_message(context)?;
    let from = appearance(context, &sender, message.from)?;
    take_quota(context, sender.id)?;
    let world = &mut *context.world;
    let mail = Mail {
        number: 0,
        time: world.dice.now(),
        tenant: context.claims.tenant,
        app_id: context.claims.app_id,
        user: context.claims.upn.clone(),
        from,
        to: message.to,
        subject: message.subject,
        body: message.body,
        save_to_sent_items: message.save,
        client_request_id: context.call.client_request_id().map(str::to_owned),
    };
    tracing::debug!(from = %sender.upn, "mail accepted");
    let (from, subject) = (mail.from.clone(), mail.subject.clone());
    let number = world.books.post(mail);
    let detail = json!({"from": from});
    context.changed(Deed::Created, Thing::Mail, number, subject, detail);
    Ok(Reply::empty(202))
}

struct Message {
    /// What the mail is to appear as.
    from: Option<String>,
    to: Vec<String>,
    subject: String,
    body: String,
    save: bool,
}

fn read_message(context: &Context<'_>) -> Result<Message, GraphError> {
    let mime = context
        .call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/plain"));
    if mime {
        return read_mime(&context.call.body);
    }
    let body = context.call.json().map_err(|_| {
        GraphError::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )
    })?;
    let body = mail_body::read(body)?;
    let message = body
        .get("message")
        .filter(|value| value.is_object())
        .ok_or_else(|| {
            GraphError::new(
                400,
                "ErrorInvalidRequest",
                "The parameter 'Message' is missing or invalid.",
            )
        })?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("").to_owned();
    let mut to = Vec::new();
    for list in ["toRecipients", "ccRecipients", "bccRecipients"] {
        for recipient in message
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let address = text(recipient.pointer("/emailAddress/address"));
            if !address.contains('@') {
                return Err(no_recipient());
            }
            to.push(address);
        }
    }
    if to.is_empty() {
        return Err(no_recipient());
    }
    let from = text(message.pointer("/from/emailAddress/address"));
    Ok(Message {
        from: (!from.is_empty()).then_some(from),
        to,
        subject: text(message.get("subject")),
        body: text(message.pointer("/body/content")),
        save: body
            .get("saveToSentItems")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    })
}

fn no_recipient() -> GraphError {
    GraphError::new(
        400,
        "ErrorInvalidRecipients",
        "At least one recipient is not valid.",
    )
}

fn read_mime(body: &[u8]) -> Result<Message, GraphError> {
    let trimmed: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let text = STANDARD
        .decode(trimmed)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| {
            GraphError::new(
                400,
                "ErrorMimeContentInvalidBase64String",
                "Invalid base64 string for MIME content.",
            )
        })?;
    let (head, content) = text
        .split_once("\r\n\r\n")
        .or_else(|| text.split_once("\n\n"))
        .unwrap_or((&text, ""));
    let header = |name: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    };
    let to: Vec<String> = header("to")
        .unwrap_or_default()
        .split(',')
        .map(|address| address.trim().to_owned())
        .filter(|address| address.contains('@'))
        .collect();
    if to.is_empty() {
        return Err(no_recipient());
    }
    // `Name <address>` or the address alone.
    let from = header("from").map(|from| match from.rsplit_once('<') {
        Some((_, address)) => address.trim_end_matches('>').to_owned(),
        None => from,
    });
    Ok(Message {
        from,
        to,
        subject: header("subject").unwrap_or_default(),
        body: content.to_owned(),
        save: true,
    })
}

/// The mailbox that a request names, when its caller may use any of these permissions on it.
fn opened(context: &mut Context<'_>, permissions: &[&str]) -> Result<Sender, GraphError> {
    let key = context.key(0).to_owned();
    let sender = sender(context, &key)?;
    if !context.claims.delegated {
        application_may(context, permissions, sender.id)?;
    } else if context.claims.object != sender.id
        || !permissions
            .iter()
            .any(|permission| context.claims.has_scope(permission))
    {
        return Err(GraphError::access(DENIED));
    }
    check_program(context, sender.id)?;
    Ok(sender)
}

fn settings(context: &mut Context<'_>) -> Result<Sender, GraphError> {
    opened(
        context,
        &["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
    )
}

/// `GET /users/{id}/messages`: the mail that applications sent there. Nobody else writes.
pub fn messages(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let mailbox = opened(
        context,
        &[
            "Mail.Read",
            "Mail.ReadWrite",
            "Mail.ReadBasic",
            "Mail.ReadBasic.All",
        ],
    )?;
    let value: Vec<Value> = context
        .world
        .books
        .outbox()
        .filter(|mail| {
            mail.to
                .iter()
                .any(|to| to.eq_ignore_ascii_case(&mailbox.smtp))
        })
        .map(|mail| {
            json!({
                "id": mail.number.to_string(),
                "subject": mail.subject,
                "from": {"emailAddress": {"address": mail.from}},
            })
        })
        .collect();
    Ok(Reply::json(200, &json!({ "value": value })))
}

/// `GET /users/{id}/events`: nobody has any.
pub fn events(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    opened(context, &["Calendars.Read", "Calendars.ReadWrite"])?;
    Ok(Reply::json(200, &json!({ "value": [] })))
}

/// `GET /users/{id}/contacts`: nobody has any.
pub fn contacts(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    opened(context, &["Contacts.Read", "Contacts.ReadWrite"])?;
    Ok(Reply::json(200, &json!({ "value": [] })))
}

/// `GET /users/{id}/mailboxSettings`, of which only the purpose is interesting here.
pub fn mailbox_settings(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let sender = settings(context)?;
    Ok(Reply::json(
        200,
        &json!({"timeZone": "UTC", "userPurpose": sender.purpose}),
    ))
}

/// `GET /users/{id}/mailboxSettings/userPurpose`.
pub fn user_purpose(context: &mut Context<'_>) -> Result<Reply, GraphError> {
    let sender = settings(context)?;
    Ok(Reply::json(200, &json!({"value": sender.purpose})))
}
