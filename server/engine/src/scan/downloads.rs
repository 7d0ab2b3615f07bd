//! Limits the downloads of the exposure that run at the same time, because each one holds a
//! connection to the database.

use std::{sync::Arc, time::Duration};

use domain::{
    Problem,
    id::{OperatorId, PartnerId},
    person::Operator,
    problem::Remedy,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    Answer,
    places::{Place, Places},
};

/// Maximum number of downloads at the same time: a quarter of the connections that pages share.
const MOST: usize = 4;
/// Maximum number for one partner, so that some are left to the other partners.
const MOST_OF_A_PARTNER: usize = 2;
const MOST_OF_A_PERSON: usize = 1;
/// How long a download waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    partners: Places<PartnerId>,
    people: Places<OperatorId>,
    patience: Duration,
}

/// The place of one download. Dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Turn {
    _all: OwnedSemaphorePermit,
    _partner: Place<PartnerId>,
    _person: Place<OperatorId>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(MOST)),
            partners: Places::new(MOST_OF_A_PARTNER),
            people: Places::new(MOST_OF_A_PERSON),
            patience: PATIENCE,
        }
    }
}

impl Turns {
    /// Waits for a place, at most `PATIENCE`. Fails when there is none by then.
    pub(super) async fn wait(&self, operator: &Operator) -> Answer<Turn> {
        // The narrowest limit first: a download that waits for its person's place does not take its
        // partner's, and one that waits for its partner's does not take one of all.
        let turn = async {
            let person = self.people.wait(operator.id).await;
            let partner = self.partners.wait(operator.partner).await;
            let all = self.all.clone().acquire_owned().await.ok()?;
            Some(Turn {
                _all: all,
                _partner: partner,
                _person: person,
            })
        };
        let turn = timeout(self.patience, turn).await;
        turn.ok().flatten().ok_or_else(too_many)
    }
}

fn too_many() -> Problem {
    Problem::new(
        "download.too_many",
        Remedy::Wait,
        "Other downloads of the exposure are under way: one of yours, or several of others.",
        "One person has one at a time, and an organisation two. This download was not begun.",
        "Wait until your other download has ended, or a minute, then download it again.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use domain::{
        id::{ObjectId, TenantId},
        person::Role,
    };
    use uuid::Uuid;

    use super::*;

    fn of(partner: u128, person: u128) -> Operator {
        Operator {
            id: OperatorId(Uuid::from_u128(person)),
            partner: PartnerId(Uuid::from_u128(partner)),
            tenant: TenantId(Uuid::from_u128(partner)),
            object: ObjectId(Uuid::from_u128(person)),
            name: "Olivia Berg".into(),
            upn: "olivia@partner.example".into(),
            role: Some(Role::Owner),
        }
    }

    fn impatient() -> Turns {
        Turns {
            patience: Duration::from_millis(1),
            ..Turns::default()
        }
    }

    #[tokio::test]
    async fn security_f11_one_person_cannot_hold_all_turns() {
        let turns = impatient();
        let first = turns.wait(&of(1, 1)).await.unwrap();
        let refused = turns.wait(&of(1, 1)).await.unwrap_err();
        assert_eq!(refused.key, "download.too_many");
        let second = turns.wait(&of(1, 2)).await.unwrap();
        // A partner has two places, whichever of its people asks for a third.
        turns.wait(&of(1, 3)).await.unwrap_err();
        // Other partners get the other two of the four places.
        let others = [
            turns.wait(&of(2, 4)).await.unwrap(),
            turns.wait(&of(3, 5)).await.unwrap(),
        ];
        turns.wait(&of(4, 6)).await.unwrap_err();
        // A refused download holds no place, and one that has ended gives its place back.
        drop((second, others));
        let _third = turns.wait(&of(1, 3)).await.unwrap();
        let _other = turns.wait(&of(4, 6)).await.unwrap();
        drop(first);
        turns.wait(&of(1, 1)).await.unwrap();
    }

    #[tokio::test]
    async fn security_f11_a_download_waits_for_the_one_before() {
        let turns = Arc::new(Turns {
            patience: Duration::from_secs(600),
            ..Turns::default()
        });
        let first = turns.wait(&of(1, 1)).await.unwrap();
        let second = tokio::spawn({
            let turns = turns.clone();
            async move { turns.wait(&of(1, 1)).await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap());
    }
}
