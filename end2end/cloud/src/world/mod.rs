//! The whole state of the cloud, behind one lock.

pub mod access;
pub mod agents;
pub mod credentials;
pub mod directory;
pub mod directory_roles;
pub mod enforcement;
pub mod exchange;
pub mod habits;
pub mod mail_rules;
pub mod new_groups;
pub mod powers;
pub mod recipients;
pub mod rights;
pub mod role_groups;
pub mod switches;
pub mod tenant;
pub mod tenants;
pub mod ways;

use uuid::Uuid;

use crate::books::Books;
use crate::clock::{Dice, Time};
use crate::decisions::Delays;
use crate::entra::EntraState;
use crate::exchange::paging::PageStore;
use crate::faults::Faults;
use crate::graph::throttle::Throttle;
use crate::journal::Journal;
use crate::permissions::DirectoryRole;
use crate::seed::Seed;
pub use tenants::Tenants;

/// A granular delegated admin relationship (MICROSOFT.md §6.5).
#[derive(Debug, Clone)]
pub struct Relationship {
    pub id: String,
    pub name: String,
    pub partner: Uuid,
    pub customer: Uuid,
    pub customer_name: String,
    pub roles: Vec<DirectoryRole>,
    /// The partner's security group that the roles are mapped to.
    pub group: Uuid,
    pub status: &'static str,
    pub created: Time,
    pub ends: Time,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What stands before every address that the cloud hands out, without a slash at its end.
    pub base: String,
    pub seed: Seed,
    pub seed_number: u64,
    pub dice: Dice,
    pub tenants: Tenants,
    pub relationships: Vec<Relationship>,
    /// The partner's tenant.
    pub partner: Uuid,
    pub entra: EntraState,
    pub pages: PageStore,
    pub throttle: Throttle,
    pub faults: Faults,
    pub books: Books,
    pub journal: Journal,
    /// Set while a request is answered that a fault sends to another tenant's data.
    pub misroute: Option<Uuid>,
}

impl World {
    /// A new world of that seed.
    pub fn new(base: String, seed: Seed, seed_number: u64, speed: f64, delays: Delays) -> Self {
        let dice = Dice::new(speed, delays, seed_number);
        let sown = crate::seed::sow(&seed, seed_number, dice.now());
        Self {
            base,
            seed,
            seed_number,
            dice,
            tenants: sown.tenants,
            relationships: sown.relationships,
            partner: sown.partner,
            entra: EntraState::new(seed_number),
            pages: PageStore::default(),
            throttle: Throttle::default(),
            faults: Faults::default(),
            books: Books::default(),
            journal: Journal::default(),
            misroute: None,
        }
    }

    /// Throws everything away and sows anew. Delays and the clock's speed stay; faults are those
    /// of the start again, and whoever hung on another one is released.
    ///
    /// # Errors
    ///
    /// When a rule of the start makes no sense any more.
    pub fn reset(&mut self, seed: Seed) -> Result<(), String> {
        let mut faults = std::mem::take(&mut self.faults);
        faults.restart()?;
        let fresh = Self::new(
            self.base.clone(),
            seed,
            self.seed_number,
            self.dice.clock.speed(),
            self.dice.delays.clone(),
        );
        *self = Self { faults, ..fresh };
        Ok(())
    }

    /// The directory roles that a person of `home` has in `tenant` through GDAP; none without a
    /// relationship that names a group of theirs.
    pub fn delegated_roles(
        &mut self,
        home: Uuid,
        person: Uuid,
        tenant: Uuid,
    ) -> Option<Vec<DirectoryRole>> {
        let now = self.dice.now();
        let found: Vec<(Uuid, Vec<DirectoryRole>)> = self
            .relationships
            .iter()
            .filter(|relationship| {
                relationship.partner == home
                    && relationship.customer == tenant
                    && ["active", "expiring"].contains(&relationship.status)
                    && relationship.ends > now
            })
            .map(|relationship| (relationship.group, relationship.roles.clone()))
            .collect();
        let partner = self.tenants.get(home)?;
        let roles: Vec<DirectoryRole> = found
            .into_iter()
            .filter(|(group, _)| {
                partner
                    .groups
                    .get(group)
                    .is_some_and(|group| group.has_member(person))
            })
            .flat_map(|(_, roles)| roles)
            .collect();
        (!roles.is_empty()).then_some(roles)
    }

    /// A customer other than that one, whose data a fault can show instead: one that was made
    /// already, or else the first of all.
    pub fn another_tenant(&mut self, than: Option<Uuid>) -> Option<Uuid> {
        let others: Vec<Uuid> = self
            .tenants
            .summaries()
            .filter(|summary| summary.recipe.is_customer() && Some(summary.id) != than)
            .map(|summary| summary.id)
            .collect();
        let made = others.iter().find(|id| self.tenants.made(**id).is_some());
        let found = made.or(others.first()).copied()?;
        self.tenants.get(found)?;
        Some(found)
    }

    /// The person in `tenant` that somebody of `home` is: the same account, or a guest account.
    pub fn account_in(&mut self, home: Uuid, person: Uuid, tenant: Uuid) -> Option<Uuid> {
        let tenant_state = self.tenants.get(tenant)?;
        if home == tenant {
            return tenant_state
                .users
                .get(&person)
                .filter(|user| user.enabled)
                .map(|user| user.id);
        }
        tenant_state
            .users
            .values()
            .find(|user| user.enabled && user.guest_of == Some((home, person)))
            .map(|user| user.id)
    }

    /// Where an application is registered, as far as known in this tenant or anywhere.
    pub fn app_home(&mut self, app_id: Uuid, seen_in: Option<Uuid>) -> Option<Uuid> {
        if let Some(home) = self.tenants.app_home(app_id) {
            return Some(home);
        }
        let tenant = self.tenants.get(seen_in?)?;
        tenant.principal_by_app(app_id)?.owner_tenant
    }
}
