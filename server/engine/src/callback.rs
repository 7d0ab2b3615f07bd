//! The callback from Entra: ends a sign-in or a consent.

mod invited;
mod replacing;

use std::fmt;

use domain::{
    Problem, Timestamp,
    connection::Way,
    history::EventKind,
    id::{CustomerId, LinkId, OperatorId, PartnerId, SessionRef, TenantId},
    invitation::unusable,
    permission::Resource,
    person::{Actor, Operator, Right},
    problem::Remedy,
};
use microsoft::{
    AccessToken,
    entra::{Identity, Redeemed, scopes},
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use store::{Purpose, SignIn, SignedIn, TakenSignIn};

use self::{
    invited::{declined, guest_by_link, was_good},
    replacing::{Known, Rights, kept_note, kept_problem, thanks},
};

use crate::{
    Answer, Engine, Failure,
    connection::{event, of_customer},
    session::tenant_left,
    sign_in::expired,
};

/// Refusals of the same kind within this time make one entry in a history. Milliseconds.
const REFUSED_AGAIN: i64 = 3_600_000;

/// The query of `/auth/callback`.
#[derive(Clone, Default, Deserialize)]
pub struct CallbackQuery {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// Leaves out code and state, which are secret.
impl fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackQuery")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// How the attempt ended.
#[derive(Clone, Debug)]
pub enum Finished {
    SignedIn {
        operator: Operator,
        return_to: String,
        /// The refresh token with which Entra is asked again about the person.
        home_token: Option<SecretString>,
    },
    Connected {
        return_to: String,
        /// The final message for a person who has no account here.
        thanks: Box<Problem>,
    },
    /// A person who followed an invitation came back, and there is no consent.
    NotByInvitation(Box<Problem>),
}

/// The attempt to get consent, as it was stored at its begin.
struct Asked {
    partner: PartnerId,
    customer: CustomerId,
    expected: TenantId,
    operator: Option<OperatorId>,
    way: Way,
    link: Option<LinkId>,
    replaces: bool,
    /// The session of the browser that came back, where somebody is signed in.
    session: Option<SessionRef>,
}

/// The access to a customer that a person has just given.
struct Admitted {
    way: Way,
    /// The account is that of the operator who made the attempt.
    own: bool,
    identity: Identity,
    refresh: SecretString,
    /// The token for Graph, at the customer.
    access: AccessToken,
    /// The scopes of that token, as Entra named them.
    scopes: Vec<String>,
}

impl Engine {
    /// Ends the attempt that `query` names. That works once, and only in the browser that began it.
    /// `visitor`: the operator who is signed in there now, and the session. An attempt that an
    /// operator began ends only with that operator signed in.
    pub async fn callback(
        &self,
        browser: &str,
        visitor: Option<(OperatorId, SessionRef)>,
        query: CallbackQuery,
    ) -> Answer<Finished> {
        let now = self.now();
        let Some(state) = query.state.as_deref() else {
            return Err(unknown_attempt());
        };
        let taken = self
            .store()
            .take_sign_in(state, browser, now)
            .await
            .map_err(Failure::from)?;
        let attempt = match taken {
            TakenSignIn::Found(attempt) => attempt,
            TakenSignIn::Expired { created_at } => return Err(expired(created_at, now)),
            TakenSignIn::Unknown => return Err(unknown_attempt()),
        };
        match attempt.purpose {
            Purpose::SignIn => self.finish_sign_in(&attempt, &query, now).await,
            Purpose::Connect {
                partner,
                customer,
                expected,
                operator,
                way,
                link,
                replaces,
            } => {
                let asked = Asked {
                    partner,
                    customer,
                    expected,
                    operator,
                    way,
                    link,
                    replaces,
                    session: visitor.map(|(_, session)| session),
                };
                if way != Way::Link && visitor.map(|(id, _)| id) != operator {
                    return Err(signed_out_meanwhile());
                }
                self.finish_consent(&attempt, &asked, &query, now).await
            }
        }
    }

    async fn finish_sign_in(
        &self,
        attempt: &SignIn,
        query: &CallbackQuery,
        now: Timestamp,
    ) -> Answer<Finished> {
        let code = self.code(query)?;
        let redeemed = self
            .microsoft()
            .redeem_code(
                None,
                code,
                &attempt.verifier,
                &self.redirect_uri(),
                &scopes::SIGN_IN.map(str::to_owned),
            )
            .await
            .map_err(Failure::from)?;
        let identity = self.identity(&redeemed, attempt, None).await?;
        if !self.inner.partner_tenants.contains(&identity.tid) {
            tracing::warn!(tenant = %identity.tid, "somebody of a foreign tenant tried to sign in");
            return Err(foreign_tenant(&identity));
        }
        if identity.guest && !self.inner.access.guests {
            tracing::warn!(tenant = %identity.tid, object = %identity.oid, "a guest tried to sign in");
            let refused = guest(&identity);
            self.note_refused(&identity, &refused, now).await;
            return Err(refused);
        }
        // The domain in a guest's name belongs to another organisation.
        let home = identity.tid.to_string();
        let partner_name = match identity.upn.rsplit_once('@') {
            Some((_, domain)) if !identity.guest => domain,
            _ => &home,
        };
        let first_owner = self
            .inner
            .access
            .first_owners
            .iter()
            .any(|owner| owner.is(&identity));
        let operator = self
            .store()
            .sign_in(
                &SignedIn {
                    home: identity.tid,
                    object: identity.oid,
                    name: &identity.name,
                    upn: &identity.upn,
                    guest: identity.guest,
                    first_owner,
                    partner_name,
                },
                now,
            )
            .await
            .map_err(Failure::from)?;
        Ok(Finished::SignedIn {
            operator,
            return_to: attempt.return_to.clone(),
            home_token: redeemed.refresh,
        })
    }

    async fn finish_consent(
        &self,
        attempt: &SignIn,
        asked: &Asked,
        query: &CallbackQuery,
        now: Timestamp,
    ) -> Answer<Finished> {
        let result = self.take_consent(attempt, asked, query, now).await;
        if let Err(problem) = &result {
            self.note_refusal(asked, problem, now).await;
        }
        match (result, asked.link) {
            (Ok(thanks), _) => Ok(Finished::Connected {
                return_to: attempt.return_to.clone(),
                thanks: Box::new(thanks),
            }),
            (Err(problem), Some(link)) => {
                let declined = declined(query, &problem);
                let told = self.told_by_link(asked, link, problem, declined, now).await;
                Ok(Finished::NotByInvitation(Box::new(told)))
            }
            (Err(problem), None) => Err(problem),
        }
    }

    async fn take_consent(
        &self,
        attempt: &SignIn,
        asked: &Asked,
        query: &CallbackQuery,
        now: Timestamp,
    ) -> Answer<Problem> {
        self.may_still_connect(asked, now).await?;
        let admitted = match asked.way {
            Way::Gdap => self.through_gdap(attempt, asked, query).await?,
            Way::Admin | Way::Link => self.at_the_customer(attempt, asked, query).await?,
        };
        let identity = &admitted.identity;
        let rights = self.rights_of(asked, &admitted, now).await;
        let store = async {
            let mut tx = self.store().begin(asked.partner).await?;
            // The redemption of the code took a while. The operator's role may have been taken away
            // meanwhile.
            if let Some(id) = asked.operator {
                if tx.may_still(id, Right::Change).await.is_err() {
                    return Err(right_gone().into());
                }
                if asked.way != Way::Link && !tx.session_stands(id, asked.session).await? {
                    return Err(signed_out_meanwhile().into());
                }
            }
            let access = tx.for_system(asked.customer).await?;
            let partner = self.partner_named(&mut tx).await?;
            let link = match asked.link {
                Some(id) => {
                    tx.lock_own().await?;
                    tx.link(&access, id).await?
                }
                None => None,
            };
            if let Some(link) = &link {
                // Check again under the lock: from here on nobody else can use or revoke the link.
                let state = self.state_of(&mut tx, link, now).await?;
                if !was_good(state) {
                    return Err(unusable(state).into());
                }
            }
            tx.hold_connection(&access).await?;
            let known = Known {
                health: tx.connection(&access).await?.health,
                consent: tx.stored_consent(&access).await?,
            };
            if let Some(kept) = known.stays(asked, identity, &rights) {
                let note = kept_note(identity, kept, &rights, now);
                tx.note_on_connection(&access, &note).await?;
                tx.commit().await?;
                return Err(kept_problem(identity, kept, &rights, &partner).into());
            }
            let actor = match asked.operator {
                Some(id) => match tx.operator(id).await? {
                    Some(operator) if asked.way != Way::Link => Actor::from(&operator),
                    _ => Actor::CustomerAdmin {
                        object: identity.oid,
                        upn: identity.upn.clone(),
                    },
                },
                None => Actor::CustomerAdmin {
                    object: identity.oid,
                    upn: identity.upn.clone(),
                },
            };
            // The scopes that Entra has confirmed so far: Graph's. Exchange's come with the first
            // token for Exchange.
            let scopes = &admitted.scopes;
            let said = match admitted.way {
                Way::Gdap => format!("{} got in through GDAP.", identity.upn),
                Way::Admin | Way::Link => format!("{} consented.", identity.upn),
            };
            let consented = tx
                .save_consent(
                    &access,
                    admitted.way,
                    &identity.upn,
                    identity.oid,
                    scopes,
                    &admitted.refresh,
                    now,
                )
                .await?;
            if let (Way::Gdap, Some(id)) = (admitted.way, asked.operator) {
                tx.consent_is_own(&access, id).await?;
            }
            if let Some(note) = rights.note(identity, now) {
                tx.note_on_connection(&access, &note).await?;
            }
            if let Some(link) = link
                && !matches!(rights, Rights::Lacking)
            {
                tx.use_link(&access, link.id, now).await?;
                let what = format!(
                    "The link of {} for the admin of {} was used by {}.",
                    link.made.long(),
                    access.record().name,
                    identity.upn
                );
                let used = event(now, actor.clone(), EventKind::LinkUsed, what);
                tx.append_own(&of_customer(&access, used)).await?;
            }
            tx.ask_scan(&access, now).await?;
            tx.append(&access, &store::NewEvent {
                after: Some(json!({ "account": identity.upn, "scopes": scopes, "way": admitted.way.as_str() })),
                ..event(now, actor, EventKind::ConsentGiven, said)
            })
            .await?;
            tx.commit().await?;
            let thanks = thanks(access.record(), &partner, identity, &rights);
            Ok::<_, Failure>((access, consented, thanks))
        };
        let (access, consented, thanks) = store.await.map_err(Problem::from)?;
        // The moment of the consent is part of the key. Every process drops the tokens of an older
        // consent, and this one keeps the token that came with the new one.
        self.microsoft()
            .remember(
                asked.customer.0,
                consented,
                Resource::Graph,
                admitted.access,
            )
            .await;
        self.learn_name(&access).await;
        Ok(thanks)
    }

    /// Checks that the attempt may still end in a consent. The operator who began it, or made the
    /// link, must still have the right. The link must still be good. The partner must still be in
    /// the settings.
    async fn may_still_connect(&self, asked: &Asked, now: Timestamp) -> Answer<()> {
        if !self.is_partner(asked.partner).await? {
            return Err(tenant_left());
        }
        if asked.way == Way::Link {
            let state = self.state_of_link(asked, now).await?;
            return if was_good(state) {
                Ok(())
            } else {
                Err(unusable(state))
            };
        }
        let Some(id) = asked.operator else {
            return Err(right_gone());
        };
        let operator = self.operator(asked.partner, id).await?;
        match operator.and_then(|operator| operator.role) {
            Some(role) if role.may(Right::Change) => Ok(()),
            _ => Err(right_gone()),
        }
    }

    /// A person signed in and consented at the customer's own authority. Redeems the code there.
    async fn at_the_customer(
        &self,
        attempt: &SignIn,
        asked: &Asked,
        query: &CallbackQuery,
    ) -> Answer<Admitted> {
        let scopes = scopes::redeeming(self.microsoft().endpoints());
        let redeemed = self.redeem(attempt, query, asked.expected, &scopes).await?;
        let identity = self
            .identity(&redeemed, attempt, Some(asked.expected))
            .await?;
        if asked.way == Way::Link && identity.guest {
            return Err(guest_by_link(&identity));
        }
        // A person of the partner who signs in there is a guest or comes by GDAP. No mailbox of the
        // customer belongs to such an account.
        let operator = match asked.operator {
            Some(id) => self.operator(asked.partner, id).await?,
            None => None,
        };
        let own = operator.is_some_and(|own| own.upn.eq_ignore_ascii_case(&identity.upn));
        let delegated = identity.guest || own;
        let scopes = self.granted(&redeemed);
        let refresh = redeemed.refresh.ok_or_else(no_lasting_token)?;
        Ok(Admitted {
            scopes,
            way: if delegated { Way::Gdap } else { asked.way },
            own,
            identity,
            refresh,
            access: redeemed.access,
        })
    }

    /// The operator signed in at home. Redeems the refresh token at the customer, where GDAP gives
    /// the rights. A consent must have been given there before (MICROSOFT.md §6.5).
    async fn through_gdap(
        &self,
        attempt: &SignIn,
        asked: &Asked,
        query: &CallbackQuery,
    ) -> Answer<Admitted> {
        let operator = match asked.operator {
            Some(id) => self.operator(asked.partner, id).await?,
            None => None,
        };
        let operator = operator.ok_or_else(unknown_attempt)?;
        let home = self
            .redeem(attempt, query, operator.tenant, &scopes::lasting())
            .await?;
        let identity = self.identity(&home, attempt, Some(operator.tenant)).await?;
        if identity.oid != operator.object {
            return Err(somebody_else(&identity, &operator));
        }
        let token = home.refresh.ok_or_else(no_lasting_token)?;
        let scopes = scopes::redeeming(self.microsoft().endpoints());
        let redeemed = self
            .microsoft()
            .refresh(asked.expected, &token, &scopes)
            .await
            .map_err(Failure::from)?;
        Ok(Admitted {
            scopes: self.granted(&redeemed),
            way: Way::Gdap,
            own: true,
            identity,
            refresh: redeemed.refresh.unwrap_or(token),
            access: redeemed.access,
        })
    }

    fn granted(&self, redeemed: &Redeemed) -> Vec<String> {
        redeemed.granted(&self.microsoft().endpoints().audience(Resource::Graph))
    }

    async fn redeem(
        &self,
        attempt: &SignIn,
        query: &CallbackQuery,
        authority: TenantId,
        scopes: &[String],
    ) -> Answer<Redeemed> {
        let code = self.code(query)?;
        let redeemed = self
            .microsoft()
            .redeem_code(
                Some(authority),
                code,
                &attempt.verifier,
                &self.redirect_uri(),
                scopes,
            )
            .await;
        Ok(redeemed.map_err(Failure::from)?)
    }

    /// Whether the partner's tenant is in the settings.
    pub(crate) async fn is_partner(&self, partner: PartnerId) -> Answer<bool> {
        let read = async {
            let mut tx = self.store().begin(partner).await?;
            Ok::<_, Failure>(tx.partner_home().await?)
        };
        let home = read.await.map_err(Problem::from)?;
        Ok(self.inner.partner_tenants.contains(&home))
    }

    async fn operator(&self, partner: PartnerId, id: OperatorId) -> Answer<Option<Operator>> {
        let read = async {
            let mut tx = self.store().begin(partner).await?;
            Ok::<_, Failure>(tx.operator(id).await?)
        };
        read.await.map_err(Problem::from)
    }

    /// Appends to the partner's history who was not let in, at most once per person in a while. A
    /// person of a foreign tenant belongs to no partner, so only the log names them.
    async fn note_refused(&self, identity: &Identity, problem: &Problem, now: Timestamp) {
        let note = async {
            let Some(partner) = self.store().partner_of_home(identity.tid).await? else {
                return Ok(());
            };
            let actor = Actor::Visitor {
                object: identity.oid,
                name: identity.name.clone(),
                upn: identity.upn.clone(),
            };
            let mut tx = self.store().begin(partner).await?;
            let since = now.plus_millis(-REFUSED_AGAIN);
            if tx.refused_to_sign_in(identity.oid, since).await? {
                return Ok(());
            }
            tx.append_own(&store::NewEvent {
                after: Some(json!({ "problem": problem.key })),
                ..event(
                    now,
                    actor,
                    EventKind::SignInRefused,
                    problem.happened.clone(),
                )
            })
            .await?;
            tx.commit().await
        };
        if let Err(error) = note.await {
            tracing::error!(%error, "a refused sign-in could not be noted");
        }
    }

    /// Appends to the customer's history that a consent was refused. For an invitation, that is
    /// done at most once in a while: its holder needs no account to be refused again and again.
    async fn note_refusal(&self, asked: &Asked, problem: &Problem, now: Timestamp) {
        let note = async {
            let mut tx = self.store().begin(asked.partner).await?;
            let access = tx.for_system(asked.customer).await?;
            if let Some(link) = asked.link {
                // Lock the link, so that of many refusals at the same time only one is recorded.
                tx.link(&access, link).await?;
                let since = now.plus_millis(-REFUSED_AGAIN);
                if tx.refused_by_link(&access, link, since).await? {
                    return Ok(());
                }
            }
            let actor = match asked.operator {
                Some(id) => tx
                    .operator(id)
                    .await?
                    .as_ref()
                    .map_or(Actor::System, Actor::from),
                None => Actor::System,
            };
            tx.append(
                &access,
                &store::NewEvent {
                    after: asked.link.map(|link| json!({ "link": link })),
                    ..event(
                        now,
                        actor,
                        EventKind::ConsentRefused,
                        problem.happened.clone(),
                    )
                },
            )
            .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        if let Err(failure) = note.await {
            tracing::error!(error = %failure, "a refused consent could not be noted");
        }
    }

    /// The code. Fails with Entra's refusal, if there is one.
    fn code<'q>(&self, query: &'q CallbackQuery) -> Answer<&'q str> {
        if let Some(error) = &query.error {
            return Err(self
                .microsoft()
                .refused(error, query.error_description.as_deref())
                .problem());
        }
        let code = query.code.as_deref().ok_or_else(unknown_attempt)?;
        if !is_code(code) {
            return Err(no_code());
        }
        Ok(code)
    }

    async fn identity(
        &self,
        redeemed: &Redeemed,
        attempt: &SignIn,
        expected: Option<TenantId>,
    ) -> Answer<Identity> {
        let identity = self
            .microsoft()
            .identity(
                redeemed.id_token.as_deref().unwrap_or(""),
                &attempt.nonce,
                expected,
            )
            .await;
        Ok(identity.map_err(Failure::from)?)
    }
}

/// Whether a text has the form of a code: opaque, of unreserved characters (MICROSOFT.md §6.1
/// redeems it as it came). No request is made to Entra for any other text.
fn is_code(text: &str) -> bool {
    (16..=4096).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!*$+/=".contains(&byte))
}

fn no_code() -> Problem {
    Problem::new(
        "sign_in.no_code",
        Remedy::Act,
        "What came back from Microsoft is no sign-in.",
        "The address holds a code that Microsoft did not write, so Postern did not ask Microsoft about it.",
        "Start again from the page you wanted.",
    )
}

fn no_lasting_token() -> Problem {
    Problem::new(
        "entra.no_refresh_token",
        Remedy::Consent,
        "Microsoft gave no lasting token.",
        "Postern could look into this customer for an hour only.",
        "Connect again and accept all that is asked for.",
    )
}

fn somebody_else(identity: &Identity, operator: &Operator) -> Problem {
    Problem::new(
        "connect.somebody_else",
        Remedy::Act,
        format!(
            "{} signed in at Microsoft, and {} is signed in here.",
            identity.upn, operator.upn
        ),
        "With GDAP Postern acts with your own account's rights, so it must be your own account.",
        format!("Try again, and pick {} at Microsoft.", operator.upn),
    )
}

fn unknown_attempt() -> Problem {
    Problem::new(
        "sign_in.unknown",
        Remedy::Act,
        "This sign-in was not begun in this browser in the last ten minutes, or it was finished before.",
        "Each attempt works once, and only where it began, so that nobody signs you in as somebody else.",
        "Start again from the page you wanted.",
    )
}

fn signed_out_meanwhile() -> Problem {
    Problem::new(
        "connect.signed_out",
        Remedy::Act,
        "Whoever asked for this consent is not signed in here any more.",
        "What somebody begins ends with their session. Postern kept nothing of what Microsoft sent.",
        "Sign in, and connect the customer again.",
    )
}

fn right_gone() -> Problem {
    Problem::new(
        "connect.right_gone",
        Remedy::Never,
        "Whoever asked for this consent may not connect customers any more.",
        "The role was taken away in between. Postern kept nothing of what Microsoft sent.",
        "Ask your service provider for a new link, or somebody with the role engineer or owner to connect the customer.",
    )
}

fn guest(identity: &Identity) -> Problem {
    Problem::new(
        "sign_in.guest",
        Remedy::Never,
        format!("{} is a guest there.", identity.upn),
        "Guests of your organisation's tenant do not get in: their own organisation decides who signs in as them.",
        "Sign in with an account of your organisation, or ask whoever runs this Postern to allow guests.",
    )
}

fn foreign_tenant(identity: &Identity) -> Problem {
    Problem::new(
        "sign_in.foreign_tenant",
        Remedy::Never,
        format!(
            "{} does not belong to an organisation that uses this Postern.",
            identity.upn
        ),
        "Only people of the organisations that its operator has entered may sign in.",
        "Sign in with your work account, or ask whoever runs this Postern to enter your organisation.",
    )
}

#[cfg(test)]
mod tests {
    use super::is_code;

    #[test]
    fn security_f03_what_is_no_code_is_told_from_one() {
        // Two codes: one of the form that Entra writes, and one of the form for personal accounts.
        let entra = format!("1.AXoAtwLG-0qB{}.AgABAAIAAAD_x~y", "aZ09-_".repeat(150));
        for code in [entra.as_str(), "M.C507_BAY.2.U.3f0c4f2a-1b7e!Abc*Def$"] {
            assert!(is_code(code), "{code}");
        }
        let long = "a".repeat(5_000);
        for text in [
            "",
            "junk",
            "0123456789abcde",
            "<script>alert(1)</script>",
            "0123456789 abcdef",
            "0123456789abcdef\n",
            "0123456789abcdef&scope=x",
            "0123456789abcd\u{e9}f",
            long.as_str(),
        ] {
            assert!(!is_code(text), "{text}");
        }
    }
}
