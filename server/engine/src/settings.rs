//! Records in the partner's history the settings that decide who may sign in, when a process starts
//! with others than the one before.

use std::time::Duration;

use domain::{
    Problem,
    history::EventKind,
    id::{PartnerId, TenantId},
    person::Actor,
    problem::Remedy,
};
use serde_json::{Value, json};
use store::NewEvent;

use crate::{Engine, Failure, FirstOwner, connection::event};

impl Engine {
    /// Records for every partner what the settings say about its people, where the history does not
    /// say the same already. The entry contains no secrets, and nothing about another partner.
    /// `idle` and `longest`: how long a browser stays signed in.
    pub async fn note_settings(&self, idle: Duration, longest: Duration) -> Result<(), Failure> {
        for (partner, home, name) in self.store().partners_with_homes().await? {
            let settings = self.settings_of(home, &name, idle, longest);
            self.note_settings_of(partner, settings).await?;
        }
        Ok(())
    }

    fn settings_of(&self, home: TenantId, name: &str, idle: Duration, longest: Duration) -> Value {
        let tenants = &self.inner.partner_tenants;
        let alone = tenants.iter().all(|tenant| *tenant == home);
        let owners = self.inner.access.first_owners.iter();
        let first_owners: Vec<String> = owners
            .filter_map(|owner| match owner {
                FirstOwner::Account { tenant, object } => {
                    (*tenant == home).then(|| object.to_string())
                }
                // Where there are several partners, only the domain of a name tells whose it is.
                FirstOwner::Upn(upn) => {
                    let domain = upn.rsplit_once('@').map_or("", |(_, domain)| domain);
                    (alone || domain.eq_ignore_ascii_case(name)).then(|| upn.clone())
                }
            })
            .collect();
        json!({
            "tenant may sign in": tenants.contains(&home),
            "first owners": first_owners,
            "guests may sign in": self.inner.access.guests,
            "signed out without use after minutes": idle.as_secs() / 60,
            "signed out at the latest after hours": longest.as_secs() / 3600,
        })
    }

    async fn note_settings_of(&self, partner: PartnerId, settings: Value) -> Result<(), Failure> {
        let mut tx = self.store().begin(partner).await?;
        // Lock, so that processes that start at the same time record it once.
        tx.lock_own().await?;
        if !self.inner.access.guests {
            for guest in tx.guests().await? {
                tx.end_authority(guest, None, &guests_refused(), &Actor::System, self.now())
                    .await?;
            }
        }
        let before = tx.last_own(EventKind::SettingsChanged).await?;
        if before.as_ref() == Some(&settings) {
            tx.commit().await?;
            return Ok(());
        }
        let what = if before.is_some() {
            "Postern was started with other settings."
        } else {
            "Postern was started with these settings."
        };
        tx.append_own(&NewEvent {
            before,
            after: Some(settings),
            ..event(self.now(), Actor::System, EventKind::SettingsChanged, what)
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The note on connections whose account is a guest, where guests could sign in before.
fn guests_refused() -> Problem {
    Problem::new(
        "connection.guests_refused",
        Remedy::Consent,
        "Guests may not sign in to this Postern any more.",
        "Postern acted in this customer with a guest's own account, through GDAP. Its settings refuse guests now, so Postern has forgotten that token.",
        "Connect the customer again: with the account of somebody of your own organisation, or by an admin of the customer.",
    )
}
