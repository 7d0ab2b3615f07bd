//! All the SQL, the separation of tenants, and the vault.
//!
//! No code outside this crate holds a pool or writes a query. A caller gets a [`Store`], from it
//! transactions ([`Tx`]) that carry one partner, and from those [`CustomerAccess`]: the proof that
//! a customer was loaded for an operator with the right that the action needs. Every function on a
//! customer's data takes that proof.
//!
//! Row-level security is the second line of defence: the server's role owns nothing and cannot
//! bypass it, so a query that forgets its partner finds no rows.

mod addresses;
mod authority;
mod clean;
mod connections;
mod customer_access;
mod customer_list;
mod customers;
mod error;
mod exposure;
mod exposure_download;
mod exposure_sql;
mod fleets;
mod guard;
mod history;
mod history_hash;
mod history_read;
mod history_verify;
mod housekeeping;
mod jobs;
mod key_ring;
mod links;
mod migrate;
mod notices;
mod operator_sessions;
mod owners;
mod people;
mod proofs;
mod reach_days;
mod reach_sums;
mod refusals;
mod scan_reads;
mod scans;
mod secrets;
mod session_store;
mod setup_lists;
mod setups;
mod sign_ins;
#[cfg(test)]
mod tenancy_tests;
#[cfg(test)]
mod test_data;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod troubles;
mod tx;
mod vault;

pub use authority::AuthorityEnded;
pub use connections::StoredConsent;
pub use customer_access::{AccessError, CustomerAccess, CustomerRecord};
pub use error::{Error, Result};
pub use exposure::{ExposureRows, ExposureTotals};
pub use exposure_download::ExposureParts;
pub use history::{Chain, NewEvent, NoChain};
pub use history_hash::{FIRST, digest_of, hash_of, keyed_hash_of};
pub use history_read::{HistoryFound, Part};
pub use history_verify::{
    Broken, ChainHead, Compared, KeptHead, Keyless, Unchecked, Verification, Why, verify_all,
};
pub use jobs::Job;
pub use key_ring::{KeyRingError, KeyUse};
pub use links::{Link, Voided};
pub use migrate::{SERVER_ROLE, migrate, role_of};
pub use notices::Notice;
pub use operator_sessions::{HomeToken, HomeTokenRead};
pub use owners::{NewOwner, add_owner};
pub use people::SignedIn;
pub use proofs::{Claimed, OtherPolicies};
pub use scan_reads::{ScanMemory, StoredReach};
pub use scans::{DelegatedEntry, Next, ReachEntry, ScanResult, Turn};
pub use session_store::{SessionStore, session_hash};
pub use setups::{SetupRecord, StartError};
pub use sign_ins::{Purpose, SignIn, TakenSignIn};
pub use tx::{DatabaseTls, Store, Tx, database_tls};
pub use vault::{Place, Vault};
