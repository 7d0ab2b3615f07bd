//! What a new cloud holds: `demo`, `empty` or a fleet of customers.

pub mod access;
pub mod build;
pub mod cases;
pub mod confine;
pub mod demo;
pub mod fleet;
pub mod layers;
pub mod names;
pub mod people;
pub mod powers;

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::clock::Time;
use crate::permissions::DirectoryRole;
use crate::world::tenant::Tenant;
use crate::world::tenants::Summary;
use crate::world::{Relationship, Tenants};
use build::Build;
pub use cases::Case;

/// Which tenants there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seed {
    /// A partner, and one customer of every kind that matters.
    Demo,
    /// The demo, and a customer whose ways around every confinement hide.
    Powers,
    /// The partner alone.
    Empty,
    /// The partner, and that many customers of mixed kinds.
    Fleet(usize),
}

/// More customers than any partner has.
const MOST: usize = 20_000;

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "demo" => Ok(Self::Demo),
            "powers" => Ok(Self::Powers),
            "empty" => Ok(Self::Empty),
            other => other
                .strip_prefix("fleet:")
                .and_then(|number| number.parse().ok())
                .filter(|number| (1..=MOST).contains(number))
                .map(Self::Fleet)
                .ok_or_else(|| {
                    format!(
                        "\"{other}\" is no seed: demo, powers, empty or fleet:N with N up to {MOST}"
                    )
                }),
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => formatter.write_str("demo"),
            Self::Powers => formatter.write_str("powers"),
            Self::Empty => formatter.write_str("empty"),
            Self::Fleet(number) => write!(formatter, "fleet:{number}"),
        }
    }
}

/// How a tenant is made when it is first needed.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub seed_number: u64,
    pub start: Time,
    pub role: Role,
}

/// What a tenant is in this world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Partner,
    OtherPartner,
    Vendor,
    Customer {
        case: Case,
        /// People with a mailbox.
        people: usize,
        /// Service principals at least; zero = those of the case alone.
        applications: usize,
    },
    /// Added by a test.
    Bare,
}

impl Recipe {
    pub fn is_customer(&self) -> bool {
        matches!(self.role, Role::Customer { .. } | Role::Bare)
    }

    /// Makes the tenant. The same recipe and summary make the same tenant.
    pub fn make(&self, summary: &Summary) -> Tenant {
        let mut build = Build::new(summary, self.seed_number, self.start);
        match self.role {
            Role::Partner => demo::partner(&mut build),
            Role::OtherPartner => demo::other_partner(&mut build),
            Role::Vendor => demo::vendor(&mut build),
            Role::Customer {
                case,
                people,
                applications,
            } => {
                cases::customer(&mut build, case, people);
                cases::fill(&mut build, applications);
            }
            Role::Bare => cases::bare(&mut build),
        }
        build.done()
    }
}

/// A world's beginning.
#[derive(Debug)]
pub struct Sown {
    pub tenants: Tenants,
    pub relationships: Vec<Relationship>,
    pub partner: Uuid,
}

/// The partner's domain.
pub const PARTNER_DOMAIN: &str = "northwind-it.example";
/// The domain of the vendor whose applications are in many customers.
pub const VENDOR_DOMAIN: &str = "tailspintoys.example";

/// Announces the tenants of a seed.
pub fn sow(seed: &Seed, seed_number: u64, start: Time) -> Sown {
    let mut sowing = Sowing {
        seed_number,
        start,
        tenants: Tenants::default(),
        relationships: Vec::new(),
    };
    let partner = sowing.announce("Northwind IT", PARTNER_DOMAIN, Role::Partner);
    match seed {
        Seed::Empty => {}
        Seed::Demo => demo::sow(&mut sowing, partner),
        Seed::Powers => {
            demo::sow(&mut sowing, partner);
            demo::sow_powers(&mut sowing);
        }
        Seed::Fleet(number) => fleet::sow(&mut sowing, partner, *number),
    }
    // Applications that are registered in one tenant and used in others must be known at once.
    let Sowing {
        mut tenants,
        relationships,
        ..
    } = sowing;
    for domain in [PARTNER_DOMAIN, VENDOR_DOMAIN] {
        if let Some(id) = tenants.resolve(domain) {
            tenants.get(id);
        }
    }
    Sown {
        tenants,
        relationships,
        partner,
    }
}

/// A world on its way.
#[derive(Debug)]
pub struct Sowing {
    pub seed_number: u64,
    pub start: Time,
    pub tenants: Tenants,
    pub relationships: Vec<Relationship>,
}

impl Sowing {
    /// Announces a tenant; gives its id.
    pub fn announce(&mut self, name: &str, domain: &str, role: Role) -> Uuid {
        let summary = summary(self.seed_number, self.start, name, domain, role);
        let id = summary.id;
        self.tenants.announce(summary);
        id
    }

    /// Gives the partner's engineers roles in a customer.
    pub fn relate(&mut self, partner: Uuid, customer: Uuid, roles: &[DirectoryRole]) {
        if let Some(relationship) =
            relationship(&self.tenants, partner, customer, roles, self.start)
        {
            self.relationships.push(relationship);
        }
    }
}

/// What is known of a tenant before it is made.
pub fn summary(seed_number: u64, start: Time, name: &str, domain: &str, role: Role) -> Summary {
    let label = domain.split('.').next().unwrap_or(domain).replace('-', "");
    Summary {
        id: names::tenant_id(seed_number, domain),
        name: name.to_owned(),
        domain: domain.to_owned(),
        initial_domain: format!("{label}.onmicrosoft.example"),
        recipe: Recipe {
            seed_number,
            start,
            role,
        },
    }
}

/// A GDAP relationship between two known tenants.
pub fn relationship(
    tenants: &Tenants,
    partner: Uuid,
    customer: Uuid,
    roles: &[DirectoryRole],
    start: Time,
) -> Option<Relationship> {
    let summary = tenants.summary(customer)?;
    Some(Relationship {
        id: format!(
            "{}-{}",
            Uuid::new_v5(&partner, customer.as_bytes()),
            Uuid::new_v5(&customer, partner.as_bytes())
        ),
        name: format!("GDAP {}", summary.domain)
            .chars()
            .take(50)
            .collect(),
        partner,
        customer,
        customer_name: summary.name.clone(),
        roles: roles.to_vec(),
        group: demo::engineers_group(partner),
        status: "active",
        created: start - TimeDelta::days(90),
        ends: start + TimeDelta::days(640),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn seeds_are_read_and_written() {
        for text in ["demo", "powers", "empty", "fleet:12"] {
            assert_eq!(text.parse::<Seed>().unwrap().to_string(), text);
        }
        for text in ["", "fleet", "fleet:0", "fleet:x", "fleet:99999"] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_tenants() {
        let start = chrono::Utc::now();
        let mut one = sow(&Seed::Demo, 1, start);
        let mut two = sow(&Seed::Demo, 1, start);
        let mut other = sow(&Seed::Demo, 2, start);
        let id = one.tenants.resolve("fabrikam.example").unwrap();
        let first = one.tenants.get(id).unwrap();
        let second = two.tenants.get(id).unwrap();
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        assert!(first.users.len() >= 214);
        assert_ne!(other.tenants.resolve("fabrikam.example"), Some(id));
        assert!(other.tenants.get(id).is_none());
    }

    #[test]
    fn a_fleet_is_announced_at_once() {
        let start = chrono::Utc::now();
        let sown = sow(&Seed::Fleet(1000), 1, start);
        assert_eq!(
            sown.tenants
                .summaries()
                .filter(|summary| summary.recipe.is_customer())
                .count(),
            1000
        );
        // None of them is made before somebody asks for it.
        for summary in sown.tenants.summaries() {
            let made = sown.tenants.made(summary.id).is_some();
            assert!(!(made && summary.recipe.is_customer()), "{summary:?}");
        }
    }
}
