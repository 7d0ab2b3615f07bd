//! All tenants by id, made when they are first needed: a fleet of a thousand customers starts at
//! once, and costs memory only for those that somebody looks at.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::tenant::Tenant;
use crate::seed::Recipe;

/// What is known of a tenant without making it.
#[derive(Debug, Clone)]
pub struct Summary {
    pub id: Uuid,
    pub name: String,
    pub domain: String,
    pub initial_domain: String,
    pub recipe: Recipe,
}

#[derive(Debug)]
struct Slot {
    summary: Summary,
    made: Option<Box<Tenant>>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tenants {
    slots: BTreeMap<Uuid, Slot>,
    domains: HashMap<String, Uuid>,
    app_homes: HashMap<Uuid, Uuid>,
}

impl Tenants {
    /// Announces a tenant that is made on first use.
    pub fn announce(&mut self, summary: Summary) {
        for domain in [&summary.domain, &summary.initial_domain] {
            self.domains.insert(domain.to_lowercase(), summary.id);
        }
        let slot = Slot {
            made: None,
            summary,
        };
        self.slots.insert(slot.summary.id, slot);
    }

    /// Notes where an application is registered.
    pub fn note_app_home(&mut self, app_id: Uuid, tenant: Uuid) {
        self.app_homes.insert(app_id, tenant);
    }

    pub fn app_home(&self, app_id: Uuid) -> Option<Uuid> {
        self.app_homes.get(&app_id).copied()
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub fn summaries(&self) -> impl Iterator<Item = &Summary> {
        self.slots.values().map(|slot| &slot.summary)
    }

    pub fn summary(&self, id: Uuid) -> Option<&Summary> {
        self.slots.get(&id).map(|slot| &slot.summary)
    }

    /// The tenant, made now if it was not yet.
    pub fn get(&mut self, id: Uuid) -> Option<&mut Tenant> {
        let slot = self.slots.get_mut(&id)?;
        if slot.made.is_none() {
            let tenant = slot.summary.recipe.make(&slot.summary);
            for application in tenant.applications.values() {
                self.app_homes.insert(application.app_id, id);
            }
            slot.made = Some(Box::new(tenant));
        }
        slot.made.as_deref_mut()
    }

    /// The tenant if it was made already.
    pub fn made(&self, id: Uuid) -> Option<&Tenant> {
        self.slots.get(&id)?.made.as_deref()
    }

    /// A tenant by id or by one of its domains.
    pub fn resolve(&self, text: &str) -> Option<Uuid> {
        match Uuid::parse_str(text) {
            Ok(id) => self.slots.contains_key(&id).then_some(id),
            Err(_) => self.domains.get(&text.to_lowercase()).copied(),
        }
    }

    /// The tenant that an account's name belongs to, by its domain.
    pub fn of_account(&self, upn: &str) -> Option<Uuid> {
        let (_, domain) = upn.rsplit_once('@')?;
        self.resolve(domain)
    }

    pub fn ids(&self) -> Vec<Uuid> {
        self.slots.keys().copied().collect()
    }
}
