//! Recomputes the chains of all histories.
//!
//! A chain shows that an entry was changed, removed from the middle, or inserted. A chain alone
//! cannot show that the newest entries were cut off, or that the whole chain was computed anew. For
//! entries without a key (form 1) anybody who could switch off the triggers can do that. For
//! entries with a key it takes the key. To detect both, heads that were stored elsewhere are
//! compared ([`KeptHead`]).
//!
//! Entries without a key are therefore trusted only up to a stored head that still matches: its
//! hash covers all entries before. The other entries without a key are reported ([`Keyless`]),
//! because nobody can tell them from forged entries, even when the whole chain is forged. A
//! partner's own history never had entries without a key.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::{history::Event, id::PartnerId};
use futures::TryStreamExt as _;
use secrecy::SecretString;
use sqlx::{Connection as _, PgConnection};

use crate::{
    Chain, Error, Result, Tx, Vault,
    history::{EventRow, columns},
    history_hash::{FIRST, hash_of, keyed_hash_of},
    migrate::owner_connection,
};

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Entries from `from` on are missing before this one.
    Gap { from: i64 },
    /// The entry does not name the hash of the entry before.
    Link,
    /// The entry was changed: its hash does not match its content.
    Hash,
    /// The entry has no key, although the entry before has one.
    WithoutKey,
    /// The entry has no key. In a partner's own history every entry has had a key from the
    /// beginning.
    NeverWithoutKey,
    /// The name in the filter column is not the actor's name.
    ActorName,
    /// The entry cannot be parsed.
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from } => write!(f, "entries are missing from number {from} on"),
            Self::Link => f.write_str("it does not continue the entry before"),
            Self::Hash => f.write_str("it was changed after it was written"),
            Self::WithoutKey => {
                f.write_str("its hash has no key, and that of the entry before has one")
            }
            Self::NeverWithoutKey => f.write_str(
                "its hash has no key, and a partner's own history never had such entries",
            ),
            Self::ActorName => f.write_str("the name for the filter is not the actor's"),
            Self::Unreadable(what) => write!(f, "it cannot be read: {what}"),
        }
    }
}

/// An entry at which a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub chain: Chain,
    pub seq: i64,
    pub why: Why,
}

/// Consecutive entries whose key is not in the ring. Their links were checked. Their content was
/// not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchecked {
    pub chain: Chain,
    pub from: i64,
    pub to: i64,
    /// The id of the key.
    pub key: String,
}

/// Consecutive entries without a key, with no stored head after them. Their links were checked.
/// Anybody who could write into the database could have forged them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyless {
    pub chain: Chain,
    pub from: i64,
    pub to: i64,
}

/// The newest entry of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    pub partner: PartnerId,
    pub chain: Chain,
    pub seq: i64,
    /// Hexadecimal.
    pub hash: String,
}

/// An entry that was stored outside the database when it was the newest of its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHead {
    pub chain: Chain,
    pub seq: i64,
    /// Hexadecimal.
    pub hash: String,
}

/// The result of comparing a head that was stored elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The history has no entry any more.
    Missing { chain: Chain, kept: i64 },
    /// The history ends before the stored entry.
    CutOff { chain: Chain, last: i64, kept: i64 },
    /// The entry with that number is a different one now.
    Another { chain: Chain, seq: i64 },
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { chain, kept } => write!(
                f,
                "{chain}: the whole history is missing; it had an entry {kept}"
            ),
            Self::CutOff { chain, last, kept } => write!(
                f,
                "{chain}: the newest entries were cut off; it ends with entry {last}, and had an entry {kept}"
            ),
            Self::Another { chain, seq } => write!(
                f,
                "{chain}: the history was computed anew; entry {seq} had another hash"
            ),
        }
    }
}

/// The result of recomputing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many entries were recomputed.
    pub entries: i64,
    /// One per history that has an entry: customers', then partners'.
    pub heads: Vec<ChainHead>,
    pub broken: Vec<Broken>,
    pub unchecked: Vec<Unchecked>,
    /// Runs of entries without a key that no stored head confirms.
    pub keyless: Vec<Keyless>,
    /// Differences from heads that were stored elsewhere.
    pub differs: Vec<Compared>,
}

/// Recomputes entry by entry.
struct Verifier<'a> {
    found: Verification,
    vault: Option<&'a Vault>,
    /// Stored heads whose entry has not been reached yet.
    kept: BTreeMap<Chain, BTreeMap<i64, BTreeSet<&'a str>>>,
    /// Whether the previous entry has a key.
    keyed: bool,
}

impl<'a> Verifier<'a> {
    fn new(vault: Option<&'a Vault>, kept: &'a [KeptHead]) -> Self {
        let mut by_chain: BTreeMap<Chain, BTreeMap<i64, BTreeSet<&str>>> = BTreeMap::new();
        for head in kept {
            let of_chain = by_chain.entry(head.chain).or_default();
            of_chain.entry(head.seq).or_default().insert(&head.hash);
        }
        Self {
            found: Verification::default(),
            vault,
            kept: by_chain,
            keyed: false,
        }
    }

    fn see(&mut self, row: EventRow) {
        let chain = row.chain();
        let seq = row.seq;
        let hash = row.hash_hex();
        let key = row.key_id.clone();
        let actor_name = row.actor_name.clone();
        let partner = PartnerId(row.partner_id);
        let before = self.found.heads.last().filter(|head| head.chain == chain);
        let first = before.is_none();
        let (last, last_hash) =
            before.map_or((0, FIRST.to_owned()), |head| (head.seq, head.hash.clone()));
        self.found.entries += 1;
        let mut wrong = |why| self.found.broken.push(Broken { chain, seq, why });
        if seq != last + 1 {
            wrong(Why::Gap { from: last + 1 });
        }
        match (&key, chain) {
            (None, Chain::Partner(_)) => wrong(Why::NeverWithoutKey),
            (None, Chain::Customer(_)) if self.keyed && !first => wrong(Why::WithoutKey),
            _ => {}
        }
        self.keyed = key.is_some();
        let keyless = key.is_none();
        match row.event() {
            Ok(event) => {
                let event: Event = event;
                // After a gap the previous hash is not known.
                if seq == last + 1 && event.previous_hash != last_hash {
                    wrong(Why::Link);
                }
                let computed = match (&key, self.vault) {
                    (None, _) => Some(hash_of(&event)),
                    (Some(_), Some(vault)) => keyed_hash_of(&event, vault),
                    (Some(_), None) => None,
                };
                if computed.as_ref().is_some_and(|right| *right != hash) {
                    wrong(Why::Hash);
                }
                if event.actor.name() != actor_name {
                    wrong(Why::ActorName);
                }
                if computed.is_none() {
                    self.not_checked(chain, seq, key.unwrap_or_default());
                }
            }
            Err(error) => wrong(Why::Unreadable(error.to_string())),
        }
        if keyless {
            self.has_no_key(chain, seq);
        }
        self.compare(chain, seq, &hash);
        let head = ChainHead {
            partner,
            chain,
            seq,
            hash,
        };
        match self.found.heads.last_mut() {
            Some(last) if !first => *last = head,
            _ => self.found.heads.push(head),
        }
    }

    fn not_checked(&mut self, chain: Chain, seq: i64, key: String) {
        match self.found.unchecked.last_mut() {
            Some(last) if last.chain == chain && last.key == key && last.to + 1 == seq => {
                last.to = seq;
            }
            _ => self.found.unchecked.push(Unchecked {
                chain,
                from: seq,
                to: seq,
                key,
            }),
        }
    }

    fn has_no_key(&mut self, chain: Chain, seq: i64) {
        match self.found.keyless.last_mut() {
            Some(last) if last.chain == chain => last.to = seq,
            _ => self.found.keyless.push(Keyless {
                chain,
                from: seq,
                to: seq,
            }),
        }
    }

    fn compare(&mut self, chain: Chain, seq: i64, hash: &str) {
        let kept = self.kept.get_mut(&chain).and_then(|kept| kept.remove(&seq));
        let Some(kept) = kept else {
            return;
        };
        if kept.iter().any(|one| !one.eq_ignore_ascii_case(hash)) {
            self.found.differs.push(Compared::Another { chain, seq });
            return;
        }
        // This entry is the stored one, so all entries before it are unchanged.
        if let Some(last) = self.found.keyless.last_mut()
            && last.chain == chain
        {
            last.from = seq + 1;
        }
    }

    /// The remaining heads have no entry: it was removed, or cut off.
    fn end(mut self) -> Verification {
        for (chain, kept) in &self.kept {
            let Some((kept, _)) = kept.last_key_value() else {
                continue;
            };
            let head = self.found.heads.iter().find(|head| head.chain == *chain);
            let (chain, kept) = (*chain, *kept);
            match head.map(|head| head.seq) {
                None => self.found.differs.push(Compared::Missing { chain, kept }),
                Some(last) if last < kept => {
                    let cut = Compared::CutOff { chain, last, kept };
                    self.found.differs.push(cut);
                }
                // There is a gap, which is reported separately.
                Some(_) => {}
            }
        }
        self.found.keyless.retain(|part| part.from <= part.to);
        self.found
    }
}

const OF_CUSTOMERS: &str = concat!(
    "select ",
    columns!(customer),
    " from events order by customer_id, seq"
);
const OF_PARTNERS: &str = concat!(
    "select ",
    columns!(partner),
    " from partner_events order by partner_id, seq"
);

async fn verify(
    connection: &mut PgConnection,
    vault: Option<&Vault>,
    kept: &[KeptHead],
) -> Result<Verification> {
    let mut verifier = Verifier::new(vault, kept);
    for entries in [OF_CUSTOMERS, OF_PARTNERS] {
        let mut rows = std::pin::pin!(sqlx::query_as(entries).fetch(&mut *connection));
        while let Some(row) = rows.try_next().await? {
            verifier.see(row);
        }
    }
    Ok(verifier.end())
}

impl Tx {
    /// Recomputes the histories of this partner and its customers.
    pub async fn verify_history(&mut self) -> Result<Verification> {
        let vault = self.vault.clone();
        verify(self.conn(), Some(&vault), &[]).await
    }
}

/// Recomputes the histories of all partners and customers, as the owner of the tables, and compares
/// them with the heads that were `kept` elsewhere. Without `vault`, entries whose hash has a key
/// are not checked, and are reported.
///
/// Refuses any role that does not see all histories: an empty result would then prove nothing.
pub async fn verify_all(
    owner_url: &SecretString,
    vault: Option<&Vault>,
    kept: &[KeptHead],
) -> Result<Verification> {
    let mut connection = owner_connection(owner_url).await?;
    let sees_all: Option<bool> = sqlx::query_scalar(
        "select r.rolsuper or r.rolbypassrls or (
                    select count(*) = 2 from pg_policies
                    where schemaname = 'public' and tablename in ('events', 'partner_events')
                      and policyname = 'owner_reads' and current_user = any (roles))
         from pg_roles r
         where r.rolname = current_user and to_regclass('partner_events') is not null",
    )
    .fetch_optional(&mut connection)
    .await?;
    if sees_all != Some(true) {
        return Err(Error::Refused {
            why: "this role is not shown the history of all partners: give the owner's URL, \
                  of a database that was migrated"
                .into(),
        });
    }
    let verification = verify(&mut connection, vault, kept).await?;
    connection.close().await?;
    Ok(verification)
}

#[cfg(test)]
#[path = "history_verify_tests.rs"]
mod tests;
