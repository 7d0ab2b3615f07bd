//! Ends an attempt that came from an invitation.

use domain::{
    Problem, Timestamp,
    id::LinkId,
    invitation::{InvitationState, PartnerName},
    problem::Remedy,
};
use microsoft::entra::Identity;

use super::{Asked, CallbackQuery};
use crate::{Answer, Engine, Failure};

impl Engine {
    /// The state of the invitation at the end of its attempt.
    pub(super) async fn state_of_link(
        &self,
        asked: &Asked,
        now: Timestamp,
    ) -> Answer<InvitationState> {
        let read = async {
            let mut tx = self.store().begin(asked.partner).await?;
            let access = tx.for_system(asked.customer).await?;
            let link = match asked.link {
                Some(id) => tx.link(&access, id).await?,
                None => None,
            };
            match link {
                Some(link) => self.state_of(&mut tx, &link, now).await,
                None => Ok(InvitationState::Unknown),
            }
        };
        read.await.map_err(Problem::from)
    }

    /// The problem, worded for a person who followed an invitation. Such a person has no account
    /// here, and wants to know whether the invitation is still good.
    pub(super) async fn told_by_link(
        &self,
        asked: &Asked,
        link: LinkId,
        problem: Problem,
        declined: bool,
        now: Timestamp,
    ) -> Problem {
        let read = async {
            let mut tx = self.store().begin(asked.partner).await?;
            let access = tx.for_system(asked.customer).await?;
            let partner = self.partner_named(&mut tx).await?;
            let Some(known) = tx.link(&access, link).await? else {
                return Ok::<_, Failure>(None);
            };
            let state = self.state_of(&mut tx, &known, now).await?;
            if declined {
                tx.note_link_refused(&access, link, now).await?;
                tx.commit().await?;
            }
            Ok((state == InvitationState::Open).then_some((partner, known.until)))
        };
        match read.await {
            Ok(Some((partner, until))) if declined => not_consented(&partner, until, problem),
            Ok(Some((_, until))) => {
                let todo = format!(
                    "{} The invitation is still good until {}.",
                    problem.todo,
                    until.long()
                );
                Problem { todo, ..problem }
            }
            Ok(None) => problem,
            Err(failure) => {
                tracing::error!(error = %failure, "what became of an invitation could not be read");
                problem
            }
        }
    }
}

/// Whether the person came back without a consent: they asked for approval, or declined. Other
/// refusals have words of their own.
pub(super) fn declined(query: &CallbackQuery, problem: &Problem) -> bool {
    let word = query.error.as_deref().unwrap_or_default();
    let about_consent = ["entra.consent_declined", Problem::CONSENT_MISSING];
    word == "consent_required"
        || word == "access_denied" && about_consent.contains(&problem.key.as_str())
}

/// Whether the invitation could be used when the person went to Microsoft, minutes ago.
pub(super) fn was_good(state: InvitationState) -> bool {
    matches!(state, InvitationState::Open | InvitationState::Expired)
}

fn not_consented(partner: &PartnerName, until: Timestamp, problem: Problem) -> Problem {
    Problem {
        microsoft: problem.microsoft,
        ..Problem::new(
            "link.not_consented",
            Remedy::Act,
            "Microsoft sent you back without a consent.",
            format!(
                "You asked an administrator for approval, or declined. {partner} got no access. The invitation is still good until {}.",
                until.long()
            ),
            "Open the invitation again when an administrator of your organisation can consent, or pass it on to them.",
        )
    }
}

pub(super) fn guest_by_link(identity: &Identity) -> Problem {
    Problem::new(
        "link.guest",
        Remedy::Act,
        format!("{} is a guest there.", identity.upn),
        "An invitation is for an admin of the organisation itself. Postern kept nothing of this account.",
        "Open the invitation again, and sign in with an account of your own organisation.",
    )
}
