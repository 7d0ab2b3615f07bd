//! The sessions of an operator: browsers that are signed in.

use std::time::Duration;

use domain::{
    Problem, Timestamp,
    history::EventKind,
    id::{OperatorId, PartnerId, SessionRef},
    person::{Actor, Operator, Right},
    problem::Remedy,
    view::SessionRow,
};
use microsoft::{
    Kind,
    entra::{Redeemed, scopes},
};
use secrecy::SecretString;
use serde_json::json;
use store::{HomeToken, HomeTokenRead, NewEvent};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{Answer, Engine, Failure, connection::event, failure::owner_only};

/// How long Entra's answer that a person may sign in is valid. Milliseconds.
const ASK_HOME: i64 = 15 * 60_000;
/// The gap before Entra is asked again, when it has not answered. Milliseconds.
const ASK_SOON: i64 = 60_000;
/// How long Entra's last answer stays valid after the first question without an answer.
/// Milliseconds.
const BELIEVED: i64 = 60 * 60_000;
/// The timeout of one question. It is shorter than that of a request, because the answer decides
/// the request that waits for it.
const ANSWER: Duration = Duration::from_secs(10);
/// The account is disabled, does not exist any more, or was deleted (MICROSOFT.md §6.1).
const ACCOUNT_GONE: [&str; 3] = ["AADSTS50057", "AADSTS50034", "AADSTS500341"];

/// What ends after Entra's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Nothing,
    /// This session. The person must sign in again, for example for a second factor or a new
    /// consent.
    Session,
    /// All sessions of the person, after a new password, or after an administrator has revoked the
    /// sessions.
    Sessions,
    /// All sessions, and everything else that depends on the account.
    Authority,
}

/// The result of asking Entra.
enum Asked {
    /// The person may sign in. The new refresh token, where Entra gave one.
    Yes(Option<SecretString>),
    No(microsoft::Error),
    /// No answer within [`ANSWER`], or nobody could be asked now.
    NoAnswer,
    NothingToAskWith,
}

impl Asked {
    /// `answer`: none means that no answer came in time.
    fn of(answer: Option<Result<Redeemed, microsoft::Error>>) -> Self {
        match answer {
            Some(Ok(redeemed)) => Self::Yes(redeemed.refresh),
            Some(Err(error)) => Self::No(error),
            None => Self::NoAnswer,
        }
    }
}

/// Whether Entra's refusal is about this person's sign-in, and not about Entra, the network, or
/// Postern.
fn is_about_the_person(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::InteractionRequired | Kind::ConsentMissing | Kind::Declined | Kind::SignInRefused
    )
}

impl Engine {
    /// Stores the session of a browser that has just signed in. `session_hash`: the hash under
    /// which the session store keeps the session.
    pub async fn open_session(
        &self,
        operator: &Operator,
        session_hash: &[u8],
        device: &str,
        home_token: Option<&SecretString>,
    ) -> Answer<SessionRef> {
        let now = self.now();
        let open = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let session = tx
                .session_opened(operator.id, session_hash, device, home_token, now)
                .await?;
            tx.append_own(&NewEvent {
                after: Some(json!({ "device": device, "session": session })),
                ..event(
                    now,
                    operator.into(),
                    EventKind::SignedIn,
                    format!("{} signed in with {device}.", operator.upn),
                )
            })
            .await?;
            tx.commit().await?;
            Ok::<_, store::Error>(session)
        };
        Ok(open.await.map_err(Failure::from)?)
    }

    /// The operator of a session, as the database has them now. None: the session has ended. The
    /// person or an owner ended it, the person's tenant left the settings, or Entra said that the
    /// account may not sign in any more. `counts`: whether this call is a use of the session.
    ///
    /// Every [`ASK_HOME`], one request of one process asks Entra again. The question continues when
    /// that request is given up, so that nobody can avoid the answer by leaving early.
    pub async fn operator_of_session(
        &self,
        partner: PartnerId,
        operator: OperatorId,
        session: SessionRef,
        counts: bool,
    ) -> Answer<Option<Operator>> {
        let now = self.now();
        let load = async {
            let mut tx = self.store().begin(partner).await?;
            if !tx.session_used(operator, session, counts, now).await? {
                return Ok(None);
            }
            let Some(found) = tx.operator(operator).await? else {
                return Ok(None);
            };
            if !self.inner.partner_tenants.contains(&found.tenant) {
                tx.end_authority(operator, None, &tenant_left(), &Actor::System, now)
                    .await?;
                tx.commit().await?;
                return Ok(None);
            }
            let since = [ASK_HOME, ASK_SOON].map(|ago| now.plus_millis(-self.inner.pace.of(ago)));
            let asks = tx.ask_home(operator, session, since, now).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(Some((found, asks)))
        };
        let Some((found, asks)) = load.await.map_err(Failure::from)? else {
            return Ok(None);
        };
        let Some(home) = asks else {
            return Ok(Some(found));
        };
        let (engine, person) = (self.clone(), found.clone());
        let asked =
            tokio::spawn(
                async move { engine.may_still_sign_in(&person, session, home, now).await },
            );
        let may = asked.await.map_err(|error| {
            let reference = Uuid::new_v4();
            tracing::error!(%reference, %error, "the question to Entra ended without an answer");
            Problem::internal(reference)
        })??;
        Ok(may.then_some(found))
    }

    /// Asks Entra with the person's own token, and ends what must end. Without an answer, Entra's
    /// last answer stays valid for a while.
    async fn may_still_sign_in(
        &self,
        operator: &Operator,
        session: SessionRef,
        home: HomeToken,
        now: Timestamp,
    ) -> Answer<bool> {
        let answer = match &home.token {
            Some(HomeTokenRead::Token(token)) => {
                let scopes = scopes::SIGN_IN.map(str::to_owned);
                let asked = self.microsoft().refresh(operator.tenant, token, &scopes);
                Asked::of(timeout(ANSWER, asked).await.ok())
            }
            Some(HomeTokenRead::NoKey) => Asked::NoAnswer,
            None => Asked::NothingToAskWith,
        };
        let over = now.millis_since(home.unanswered) > self.inner.pace.of(BELIEVED);
        let ending = match &answer {
            Asked::Yes(_) => Ending::Nothing,
            Asked::No(error) => match error.kind() {
                Kind::TokenDead | Kind::NotInTenant | Kind::TenantNotFound => {
                    if ACCOUNT_GONE.contains(&error.code().unwrap_or_default()) {
                        Ending::Authority
                    } else {
                        Ending::Sessions
                    }
                }
                _ if over => Ending::Session,
                kind if is_about_the_person(kind) => Ending::Session,
                _ => Ending::Nothing,
            },
            Asked::NoAnswer if over => Ending::Session,
            Asked::NoAnswer => Ending::Nothing,
            Asked::NothingToAskWith => Ending::Session,
        };
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            match ending {
                Ending::Nothing => {
                    if let Asked::Yes(token) = &answer {
                        tx.home_confirmed(operator.id, session, token.as_ref())
                            .await?;
                    }
                }
                Ending::Session => {
                    tx.end_session(operator.id, session).await?;
                }
                Ending::Sessions => {
                    let sessions = tx.end_all_sessions(operator.id).await?;
                    tx.end_attempts(operator.id).await?;
                    let what = format!(
                        "{} was signed out everywhere: Entra says that the account has to sign in again.",
                        operator.upn
                    );
                    let ended = sessions_ended(operator, sessions, &Actor::System, what, now);
                    tx.append_own(&ended).await?;
                }
                Ending::Authority => {
                    let problem = account_gone(operator);
                    tx.end_authority(operator.id, None, &problem, &Actor::System, now)
                        .await?;
                }
            }
            tx.commit().await
        };
        end.await.map_err(Failure::from)?;
        // Entra's sentences can name the account, so only the code is logged. It says as much.
        if let Asked::No(error) = &answer {
            let (kind, code) = (error.kind(), error.code());
            tracing::warn!(operator = %operator.id, ?kind, code, ?ending, "Entra was asked again about somebody who is signed in");
        }
        Ok(ending == Ending::Nothing)
    }

    /// The operator's sessions, the last used first.
    pub async fn sessions(
        &self,
        operator: &Operator,
        current: Option<SessionRef>,
    ) -> Answer<Vec<SessionRow>> {
        let list = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.sessions_of(operator.id, current).await
        };
        Ok(list.await.map_err(Failure::from)?)
    }

    /// Ends one of the operator's own sessions.
    pub async fn end_session(&self, operator: &Operator, session: SessionRef) -> Answer<()> {
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.end_session(operator.id, session).await?;
            tx.commit().await
        };
        Ok(end.await.map_err(Failure::from)?)
    }

    /// Ends every session of the operator, this one included.
    pub async fn sign_out_everywhere(&self, operator: &Operator) -> Answer<()> {
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.end_all_sessions(operator.id).await?;
            tx.end_attempts(operator.id).await?;
            tx.commit().await
        };
        Ok(end.await.map_err(Failure::from)?)
    }

    /// Ends one session of another person, or all of them. Only owners may do that.
    pub async fn end_sessions_of(
        &self,
        operator: &Operator,
        person: OperatorId,
        session: Option<SessionRef>,
    ) -> Answer<()> {
        owner_only(operator.role)?;
        let now = self.now();
        let end = async {
            let mut tx = self.store().begin(operator.partner).await?;
            tx.may_still(operator.id, Right::Administer).await?;
            if tx.operator(person).await?.is_none() {
                return Err(store::Error::NotFound.into());
            }
            let ended = match session {
                Some(session) => i64::from(tx.end_session(person, session).await?),
                None => {
                    tx.end_attempts(person).await?;
                    tx.end_all_sessions(person).await?
                }
            };
            if ended > 0
                && let Some(person) = tx.operator(person).await?
            {
                let what = match session {
                    Some(_) => format!("{} was signed out in one browser.", person.upn),
                    None => format!("{} was signed out everywhere.", person.upn),
                };
                let by = operator.into();
                tx.append_own(&sessions_ended(&person, ended, &by, what, now))
                    .await?;
            }
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        Ok(end.await?)
    }
}

fn sessions_ended(
    person: &Operator,
    sessions: i64,
    by: &Actor,
    what: String,
    now: Timestamp,
) -> NewEvent {
    NewEvent {
        after: Some(json!({ "person": person.id, "upn": person.upn, "sessions": sessions })),
        ..event(now, by.clone(), EventKind::SessionsEnded, what)
    }
}

/// The note on connections whose account may not be used any more.
pub(crate) fn account_gone(operator: &Operator) -> Problem {
    Problem::new(
        "connection.account_gone",
        Remedy::Consent,
        format!("The account {} may not sign in any more.", operator.upn),
        "Postern acted in this customer with that account, through GDAP. Entra says that it is disabled or deleted, so Postern has forgotten its token.",
        "Connect the customer again: with the account of somebody who still works for you, or by an admin of the customer.",
    )
}

/// The note on connections of a person who has lost the role.
pub(crate) fn role_gone(upn: &str) -> Problem {
    Problem::new(
        "connection.role_gone",
        Remedy::Consent,
        format!("{upn} may not change anything here any more."),
        "Postern acted in this customer with that person's own account, through GDAP. It ended with the role, so Postern has forgotten its token.",
        "Connect the customer again: with the account of somebody who has the role, or by an admin of the customer.",
    )
}

/// The problem of a partner that has left the settings.
pub(crate) fn tenant_left() -> Problem {
    Problem::new(
        "partner.left",
        Remedy::Never,
        "Your organisation is not entered in this Postern any more.",
        "Whoever runs it has taken your tenant out of its settings, so nothing is read or changed for you.",
        "Ask whoever runs this Postern.",
    )
}
