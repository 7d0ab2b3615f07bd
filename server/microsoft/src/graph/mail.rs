//! Sends mail as an application, to see which mailboxes are refused (MICROSOFT.md §5).

use domain::{
    Problem, Timestamp,
    address::MailAddress,
    id::{AppId, ObjectId, TenantId},
};
use http::{StatusCode, header};
use serde_json::json;

use super::{
    answer::{address, post, refusal},
    send_answers::Meaning,
};
use crate::{
    call::{Call, Trace},
    customer::{bearer, claims_of, unauthorized},
    error::{Error, Result, Service},
    http::transport::Reply,
    microsoft::Microsoft,
    tokens::AccessToken,
};

/// The result of an attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// Graph accepted the mail (202). This does not mean that the mail arrived.
    Accepted,
    /// An access policy refused the mail: Microsoft's answer names the policy (MICROSOFT.md §5.1).
    RefusedByPolicy,
    /// The mail was refused, but not by a policy: the permission is missing, or the mailbox is
    /// outside the scope of a role assignment.
    AccessDenied,
    /// The application's token was refused or is no longer accepted. Holds the claims that a new
    /// token must carry, if Microsoft names them.
    TokenRefused {
        problem: Problem,
        claims: Option<String>,
    },
    /// The attempt failed for another reason, or the outcome is unknown. It proves nothing.
    Unclear {
        problem: Problem,
        /// Microsoft asked for a pause. No other mail can succeed before the pause is over.
        paused: bool,
        /// The end of the pause, if Microsoft named it.
        until: Option<Timestamp>,
    },
}

/// An application that sends as itself, with its own token.
#[derive(Clone, Debug)]
pub struct Sender {
    pub tenant: TenantId,
    pub app: AppId,
    pub token: AccessToken,
}

impl Microsoft {
    /// Sends one mail from a mailbox with an application's own token. The mailbox is named by its
    /// object id, because Graph does not know some mailboxes by an address (MICROSOFT.md §5.1).
    ///
    /// Retries only when Graph throttled the mail. Never retries after a lost response, because the
    /// mail may be on its way. A pause that Graph asks for holds for all mail of this application
    /// here.
    pub async fn send_mail(
        &self,
        sender: &Sender,
        from: ObjectId,
        to: &MailAddress,
        subject: &str,
        body: &str,
    ) -> Call<SendOutcome> {
        match self.try_send_mail(sender, from, to, subject, body).await {
            Ok(reply) => judge(reply),
            Err(error) => unclear(error),
        }
    }

    async fn try_send_mail(
        &self,
        sender: &Sender,
        from: ObjectId,
        to: &MailAddress,
        subject: &str,
        body: &str,
    ) -> Result<Reply> {
        let address = address(
            self.endpoints().graph(),
            &["users", &from.to_string(), "sendMail"],
            &[],
        );
        let mail = json!({
            "message": {
                "subject": subject,
                "body": {"contentType": "Text", "content": body},
                "toRecipients": [{"emailAddress": {"address": to.as_str()}}],
            },
            "saveToSentItems": false,
        });
        let mut request = post(&address, &mail, false);
        request.sent = format!("{} to {to}", request.sent);
        request.headers.insert(
            header::AUTHORIZATION,
            bearer(&sender.token, Service::Graph)?,
        );
        let transport = &self.0.transport;
        let senders = &self.0.senders;
        let gate = senders
            .gate(sender.tenant, sender.app, transport.options())
            .await;
        transport.send(request, &gate).await
    }
}

fn unclear(error: Error) -> Call<SendOutcome> {
    Call {
        trace: error.trace().clone(),
        value: SendOutcome::Unclear {
            problem: error.problem(),
            paused: error.asks_for_pause(),
            until: error.paused_until(),
        },
    }
}

fn judge(reply: Reply) -> Call<SendOutcome> {
    let status = reply.status;
    if status == StatusCode::ACCEPTED {
        return Call {
            value: SendOutcome::Accepted,
            trace: Trace {
                answer: "202 Accepted".to_owned(),
                ..reply.trace
            },
        };
    }
    let claims = claims_of(&reply.headers);
    let error = if status == StatusCode::UNAUTHORIZED {
        unauthorized(Service::Graph, reply)
    } else {
        refusal(status, &reply.body, reply.trace)
    };
    let Some(meaning) = Meaning::of(status, &error) else {
        return unclear(error);
    };
    let told = error.problem();
    let problem = match (meaning.problem(), told.microsoft.clone()) {
        (Some(problem), Some(answer)) => problem.with_answer(answer),
        (Some(problem), None) => problem,
        (None, _) => told,
    };
    let value = match meaning {
        Meaning::Policy => SendOutcome::RefusedByPolicy,
        Meaning::NotAllowed => SendOutcome::AccessDenied,
        Meaning::Token => SendOutcome::TokenRefused { problem, claims },
        _ => SendOutcome::Unclear {
            problem,
            paused: meaning.pauses() || error.asks_for_pause(),
            until: error.paused_until(),
        },
    };
    Call {
        value,
        trace: error.trace().clone(),
    }
}
