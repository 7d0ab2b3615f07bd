//! What comes back from Entra: the end of a sign-in or of a consent.

use domain::{
    Problem, Timestamp,
    connection::Way,
    history::EventKind,
    id::{CustomerId, OperatorId, PartnerId, TenantId},
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

use crate::{Answer, Engine, Failure, connection::event, session::tenant_left, sign_in::expired};

/// The query of `/auth/callback`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct CallbackQuery {
    pub code: Option<String>,
    pub state: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

/// What the callback ended.
#[derive(Clone, Debug)]
pub enum Finished {
    SignedIn {
        operator: Operator,
        return_to: String,
        /// With what Entra is asked again about the person.
        home_token: Option<SecretString>,
    },
    Connected {
        return_to: String,
    },
}

/// What a consent was asked for.
struct Asked {
    partner: PartnerId,
    customer: CustomerId,
    expected: TenantId,
    operator: Option<OperatorId>,
    way: Way,
}

/// With what Postern was let into a customer.
struct Admitted {
    way: Way,
    identity: Identity,
    refresh: SecretString,
    /// Of Graph, at the customer.
    access: AccessToken,
    /// What that token is good for, by Entra's own word.
    scopes: Vec<String>,
}

impl Engine {
    /// Ends the attempt that `query` names. Works once, and only in the browser that began. `visitor`
    /// is who is signed in there now: what an operator began ends with the operator's session.
    pub async fn callback(
        &self,
        browser: &str,
        visitor: Option<OperatorId>,
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
            } => {
                let asked = Asked {
                    partner,
                    customer,
                    expected,
                    operator,
                    way,
                };
                if way != Way::Link && visitor != operator {
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
            return Err(guest(&identity));
        }
        let partner_name = identity
            .upn
            .rsplit_once('@')
            .map_or("Partner", |(_, domain)| domain);
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
        result.map(|()| Finished::Connected {
            return_to: attempt.return_to.clone(),
        })
    }

    async fn take_consent(
        &self,
        attempt: &SignIn,
        asked: &Asked,
        query: &CallbackQuery,
        now: Timestamp,
    ) -> Answer<()> {
        self.may_still_connect(asked).await?;
        let admitted = match asked.way {
            Way::Gdap => self.through_gdap(attempt, asked, query).await?,
            Way::Admin | Way::Link => self.at_the_customer(attempt, asked, query).await?,
        };
        let identity = &admitted.identity;
        let store = async {
            let mut tx = self.store().begin(asked.partner).await?;
            let access = tx.for_system(asked.customer).await?;
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
            // What Entra vouches for by now: Graph's. Exchange's come with its first token.
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
            tx.ask_scan(&access, now).await?;
            tx.append(&access, &store::NewEvent {
                after: Some(json!({ "account": identity.upn, "scopes": scopes, "way": admitted.way.as_str() })),
                ..event(now, actor, EventKind::ConsentGiven, said)
            })
            .await?;
            tx.commit().await?;
            Ok::<_, Failure>((access, consented))
        };
        let (access, consented) = store.await.map_err(Problem::from)?;
        // Under the moment that every process reads with the consent: all drop what an older one
        // gave, and this one keeps what came with it.
        self.microsoft()
            .remember(
                asked.customer.0,
                consented,
                Resource::Graph,
                admitted.access,
            )
            .await;
        self.learn_name(&access).await;
        Ok(())
    }

    /// Whoever began, or made the link, must still have the right when the consent comes back, and
    /// the partner must still be in the settings.
    async fn may_still_connect(&self, asked: &Asked) -> Answer<()> {
        if !self.is_partner(asked.partner).await? {
            return Err(tenant_left());
        }
        let Some(id) = asked.operator else {
            return Ok(());
        };
        let operator = self.operator(asked.partner, id).await?;
        match operator.and_then(|operator| operator.role) {
            Some(role) if role.may(Right::Change) => Ok(()),
            _ => Err(right_gone()),
        }
    }

    /// The person signed in, and consented, at the customer's own authority.
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
        // Somebody of the partner who signs in there is a guest or comes by GDAP: no mailbox of
        // the customer stands behind the account, whichever it is.
        let operator = match asked.operator {
            Some(id) => self.operator(asked.partner, id).await?,
            None => None,
        };
        let delegated = identity.guest
            || operator.is_some_and(|own| own.upn.eq_ignore_ascii_case(&identity.upn));
        let scopes = self.granted(&redeemed);
        let refresh = redeemed.refresh.ok_or_else(no_lasting_token)?;
        Ok(Admitted {
            scopes,
            way: if delegated { Way::Gdap } else { asked.way },
            identity,
            refresh,
            access: redeemed.access,
        })
    }

    /// The operator signed in at home; the token is redeemed at the customer, where GDAP gives
    /// the rights and a consent must have been given before (MICROSOFT.md §6.5).
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

    /// The partner's tenant is in the settings.
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

    async fn note_refusal(&self, asked: &Asked, problem: &Problem, now: Timestamp) {
        let note = async {
            let mut tx = self.store().begin(asked.partner).await?;
            let access = tx.for_system(asked.customer).await?;
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
                &event(
                    now,
                    actor,
                    EventKind::ConsentRefused,
                    problem.happened.clone(),
                ),
            )
            .await?;
            tx.commit().await?;
            Ok::<_, Failure>(())
        };
        if let Err(failure) = note.await {
            tracing::error!(error = %failure, "a refused consent could not be noted");
        }
    }

    /// The code, or what Entra said instead.
    fn code<'q>(&self, query: &'q CallbackQuery) -> Answer<&'q str> {
        if let Some(error) = &query.error {
            return Err(self
                .microsoft()
                .refused(error, query.error_description.as_deref())
                .problem());
        }
        query.code.as_deref().ok_or_else(unknown_attempt)
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
        "This sign-in was not begun in this browser, or it was finished before.",
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
