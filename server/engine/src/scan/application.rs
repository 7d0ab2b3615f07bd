//! Reads an application's page: what the application reaches, and why, in words.

use domain::{
    Problem, Timestamp,
    effects::{self, Appearances},
    exposure::{Credential, Standing, WhyEvent, WhyView},
    history::Event,
    id::{AppId, CustomerId, ObjectId, TenantId},
    person::{Operator, Right},
    reach::{
        ApplicationReach, CredentialKind, CredentialOf, Known, Level, Owner, PrincipalDetails,
        Reach,
    },
    setup::SetupState,
    step::Step,
    view::SetupRow,
};
use store::{CustomerAccess, StoredReach, Tx};

use super::{
    may_still::may_still, not_looked_at::not_looked_at, power_words::acts_as,
    sign_in::about_credentials, words::Words,
};
use crate::{Engine, Failure, customers::head};

/// Maximum number of mailboxes on the page.
const LISTED: usize = 100;
/// Maximum number of changes on the page.
const CHANGES: i64 = 20;

/// What the database has about one application.
struct Stored {
    reach: StoredReach,
    known: Known,
    details: Option<PrincipalDetails>,
    proven: bool,
    /// The setups for this application, newest first.
    setups: Vec<SetupRow>,
    /// The steps of the newest setup that is neither cancelled nor rolled back.
    steps: Option<Vec<Step>>,
    changes: Vec<Event>,
}

impl Engine {
    /// The page of one application, from the customer's last scan.
    pub async fn application_reach(
        &self,
        operator: &Operator,
        customer: CustomerId,
        object: ObjectId,
    ) -> crate::Answer<WhyView> {
        let load = async {
            let mut tx = self.store().begin(operator.partner).await?;
            let access = tx.access(operator, customer, Right::Read).await?;
            let Some(reach) = tx.reach(&access).await? else {
                return Err(Problem::not_found().into());
            };
            let (details, proven) = tx.reach_details(&access, object).await?;
            let setups = tx.setups_of_customer(&access).await?;
            let app_id = reach.reach.application(object).and_then(|one| one.app_id);
            let setups = of(setups, app_id);
            let steps = last_steps(&mut tx, &access, &setups).await?;
            let stored = Stored {
                reach,
                known: tx.known_reach(&access).await?,
                details,
                proven,
                setups,
                steps,
                changes: tx.reach_history(&access, object, CHANGES + 1).await?,
            };
            tx.commit().await?;
            Ok::<_, Failure>((access, stored))
        };
        let (access, stored) = load.await.map_err(Problem::from)?;
        let reach = &stored.reach.reach;
        let application = reach.application(object).ok_or_else(Problem::not_found)?;
        let words = Words {
            reach,
            names: &stored.reach.names,
        };
        let details = stored.details.as_ref();
        let level = application.level();
        let listed = words.listed(words.worst(application));
        let shown = usize::try_from(CHANGES).unwrap_or_default();
        Ok(WhyView {
            head: head(&access),
            read: stored.reach.read,
            object,
            application: application.app_id,
            name: name_of(application),
            owner: owner(application, access.record().tenant),
            standing: Standing::of(level, stored.proven),
            sentence: words.sentence(application),
            most: words.is_most(words.worst(application)),
            permissions: application
                .permissions
                .iter()
                .map(|one| words.permission(one))
                .collect(),
            may_still: may_still(&words, &stored.known, object, stored.proven, self.now()),
            powers: words.powers(application),
            acts_as: acts_as(&application.delegated),
            policies: words.policies(application),
            notes: application
                .notes
                .iter()
                .map(|note| words.note(note))
                .collect(),
            gaps: words.gaps(application),
            not_looked_at: not_looked_at(),
            more_mailboxes: u32::try_from(listed.len().saturating_sub(LISTED)).unwrap_or(u32::MAX),
            mailboxes: listed.into_iter().take(LISTED).collect(),
            details_read: details.is_some(),
            verified_publisher: details.and_then(|details| details.verified_publisher.clone()),
            created: details.and_then(|details| details.created_at),
            written: details.and_then(|details| details.notes.clone()),
            credentials: credentials(details, self.now()),
            about_credentials: about_credentials(application, details, access.record().tenant),
            last_certain: last_certain(reach, &stored.known, object),
            appears: appears(level, stored.steps.as_deref()),
            setups: stored.setups,
            more_history: stored.changes.len() > shown,
            history: stored
                .changes
                .iter()
                .take(shown)
                .map(|event| change(event, object))
                .collect(),
            can_be_confined: application.can_be_confined(),
        })
    }
}

pub(crate) fn name_of(application: &ApplicationReach) -> String {
    application
        .name
        .clone()
        .unwrap_or_else(|| application.object.to_string())
}

pub(super) fn owner(application: &ApplicationReach, customer: TenantId) -> String {
    let by = |publisher: &Option<String>| {
        publisher
            .as_ref()
            .map_or_else(String::new, |publisher| format!(" by {publisher}"))
    };
    match application.owner {
        Owner::Tenant { tenant } if tenant == customer => {
            "registered in the customer's own tenant".to_owned()
        }
        Owner::Tenant { .. } => format!("registered elsewhere{}", by(&application.publisher)),
        Owner::Microsoft => "Microsoft's own".to_owned(),
        Owner::ManagedIdentity => {
            "a managed identity: whoever may use its Azure resource gets its token".to_owned()
        }
        Owner::NotTold => "nobody says whose it is".to_owned(),
    }
}

fn of(setups: Vec<SetupRow>, application: Option<AppId>) -> Vec<SetupRow> {
    let own = setups.into_iter();
    own.filter(|setup| Some(setup.app_id) == application)
        .collect()
}

async fn last_steps(
    tx: &mut Tx,
    access: &CustomerAccess,
    setups: &[SetupRow],
) -> Result<Option<Vec<Step>>, Failure> {
    let stands = |row: &&SetupRow| {
        !matches!(
            row.state,
            SetupState::Cancelled | SetupState::RollingBack | SetupState::RolledBack
        )
    };
    let Some(row) = setups.iter().find(stands) else {
        return Ok(None);
    };
    let record = tx.setup(access, row.id).await?;
    Ok(record.map(|record| record.steps))
}

/// As whom mail may appear, for an application that is confined to some mailboxes. The answer comes
/// from a setup, which reads the rights of its permitted mailboxes; a scan of the customer does not
/// read them.
fn appears(level: Level, steps: Option<&[Step]>) -> Vec<String> {
    match (level, steps.and_then(effects::of)) {
        (_, Some(effects)) => {
            let mut said = effects.appears.sentences(effects.at);
            said.insert(
                0,
                "What its last setup read of the mailboxes that the setup permits:".to_owned(),
            );
            said
        }
        (Level::Confined, None) => Appearances::default().sentences(Timestamp::default()),
        (_, None) => Vec::new(),
    }
}

/// Secrets and certificates, ordered by expiry, the earliest first.
fn credentials(details: Option<&PrincipalDetails>, now: Timestamp) -> Vec<Credential> {
    details
        .iter()
        .flat_map(|details| &details.credentials)
        .map(|one| Credential {
            kind: match one.kind {
                CredentialKind::Secret => "secret",
                CredentialKind::Certificate => "certificate",
            }
            .to_owned(),
            name: one.name.clone(),
            holder: match one.of {
                CredentialOf::Principal => "service principal",
                CredentialOf::Registration => "registration",
            }
            .to_owned(),
            ends: one.ends_at,
            over: one.ends_at.is_some_and(|ends| ends <= now),
        })
        .collect()
}

/// For permissions whose reach is unknown now: what they reached when that was last certain.
fn last_certain(
    reach: &Reach,
    known: &Known,
    object: ObjectId,
) -> Vec<(String, String, Timestamp)> {
    known
        .of(object)
        .filter(|(permission, ..)| reach.answer(object, permission).level() == Level::Unknown)
        .map(|(permission, mailboxes, at)| (permission.name(), mailboxes.words(), at))
        .collect()
}

/// A history entry on the application's page: only the sentence of the event that is about this
/// application.
fn change(event: &Event, object: ObjectId) -> WhyEvent {
    let list = |name: &str| {
        let after = event.after.as_ref()?;
        after.get(name)?.as_array()
    };
    let object = object.to_string();
    let own = list("objects").and_then(|objects| {
        let place = objects
            .iter()
            .position(|one| one.as_str() == Some(&object))?;
        list("changes")?.get(place)?.as_str()
    });
    WhyEvent {
        at: event.at,
        what: own.map_or_else(|| event.what.clone(), |own| format!("{own}.")),
    }
}
