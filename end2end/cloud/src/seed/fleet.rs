//! A fleet: many customers of mixed kinds, the same for the same number.

use uuid::Uuid;

use super::{Case, Role, Sowing, VENDOR_DOMAIN};
use crate::permissions::DirectoryRole;

const WORDS: [&str; 20] = [
    "Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Heath", "Iris", "Juniper",
    "Kelp", "Larch", "Moss", "Nettle", "Oak", "Pine", "Quartz", "Reed", "Sorrel", "Thistle",
];
const TRADES: [&str; 10] = [
    "Bakery",
    "Clinics",
    "Foods",
    "Freight",
    "Interiors",
    "Joinery",
    "Legal",
    "Logistics",
    "Machines",
    "Schools",
];

/// Out of twenty customers: most have a vendor's mailer, as in reality, and every other kind is
/// there. One in twenty has thousands of service principals.
const MIX: [Case; 20] = [
    Case::VendorMailer,
    Case::Clean,
    Case::VendorMailer,
    Case::Policies,
    Case::VendorMailer,
    Case::Rbac,
    Case::Clean,
    Case::HalfMigrated,
    Case::Layers,
    Case::FullAccess,
    Case::Dehydrated,
    Case::Roles,
    Case::NoExchangeRole,
    Case::Policies,
    Case::Clean,
    Case::NoExchange,
    Case::Principals,
    Case::Unicode,
    Case::VendorMailer,
    Case::Thousands,
];

/// Service principals of each customer, at least: what a tenant of some years has.
const APPLICATIONS: usize = 200;

/// Announces that many customers. The partner has GDAP in every one of them.
pub fn sow(sowing: &mut Sowing, partner: Uuid, number: usize) {
    sowing.announce("Tailspin Toys", VENDOR_DOMAIN, Role::Vendor);
    for index in 0..number {
        let word = WORDS.get(index % WORDS.len()).copied().unwrap_or("Alder");
        let trade = TRADES
            .get((index / WORDS.len()) % TRADES.len())
            .copied()
            .unwrap_or("Foods");
        let name = format!("{word} {trade} {:04}", index + 1);
        let domain = format!("{}{:04}.example", word.to_lowercase(), index + 1);
        let case = MIX.get(index % MIX.len()).copied().unwrap_or(Case::Clean);
        let people = 8 + (index * 7) % 60;
        let role = Role::Customer {
            case,
            people,
            applications: APPLICATIONS,
        };
        let id = sowing.announce(&name, &domain, role);
        sowing.relate(
            partner,
            id,
            &[
                DirectoryRole::ExchangeAdministrator,
                DirectoryRole::CloudApplicationAdministrator,
                DirectoryRole::GlobalReader,
            ],
        );
    }
}
