//! The hash of a history entry, in two forms.
//!
//! Form 1, for entries without a key id: SHA-256 over these fields, each as its length in bytes (8
//! bytes, big-endian) and its bytes:
//!
//! 1. `postern.event.1`, which names this form
//! 2. the customer's id, as text
//! 3. the number, in decimal
//! 4. the moment in milliseconds since 1970, in decimal
//! 5. the actor, as JSON
//! 6. the kind
//! 7. the setup's id, as text
//! 8. what happened
//! 9. before, as JSON
//! 10. after, as JSON
//! 11. how many request ids there are, in decimal, and then each of them
//! 12. the hash of the entry before, in hexadecimal; of the first entry 64 zeros
//!
//! JSON is written without white space and with the keys of every object in the order of their
//! bytes. A missing field is written as the length 2^64-1 and no bytes.
//!
//! Form 2, for entries with a key id: HMAC-SHA-256 over the same fields. The key is the history key
//! that is derived from the master key of that id. The first field is `postern.event.2`, and the
//! partner's id, as text, stands between the first and the second field. In the partner's own
//! history there is no customer and no setup.
//!
//! Anybody with a download of a history can compute the hashes of form 1 without Postern. An
//! attacker who rewrites a whole chain can compute them too. The hashes of form 2 can be computed
//! only with the key. A chain goes from form 1 to form 2 and never back.

use domain::{history::Event, id::PartnerId};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Vault, sign_ins::hex};

/// Used as the previous hash of the first entry.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const FORM: &str = "postern.event.1";
const KEYED_FORM: &str = "postern.event.2";

/// The hash that `event` must have without a key (form 1), in hexadecimal. The stored `hash` is not
/// an input.
pub fn hash_of(event: &Event) -> String {
    hex(&Sha256::digest(message(event, None)))
}

/// The hash that `event` must have with the key that it names (form 2). None when the event names
/// no key, or when the ring does not have that key.
pub fn keyed_hash_of(event: &Event, vault: &Vault) -> Option<String> {
    let message = message(event, Some(event.partner));
    let mac = vault.history_mac_with(event.key.as_deref()?, &message)?;
    Some(hex(&mac))
}

/// The fields in order, as bytes. `partner` is set in form 2.
fn message(event: &Event, partner: Option<PartnerId>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut field = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => {
            all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            all.extend_from_slice(bytes);
        }
        None => all.extend_from_slice(&u64::MAX.to_be_bytes()),
    };
    let json = |value: &Value| {
        let mut text = String::new();
        canonical(value, &mut text);
        text
    };
    // An actor consists of a few texts, so serialization cannot fail.
    let actor = serde_json::to_value(&event.actor).unwrap_or_default();
    match partner {
        None => field(Some(FORM.as_bytes())),
        Some(partner) => {
            field(Some(KEYED_FORM.as_bytes()));
            field(Some(partner.to_string().as_bytes()));
        }
    }
    field(
        event
            .customer
            .map(|customer| customer.to_string())
            .as_deref()
            .map(str::as_bytes),
    );
    field(Some(event.seq.to_string().as_bytes()));
    field(Some(event.at.millis().to_string().as_bytes()));
    field(Some(json(&actor).as_bytes()));
    field(Some(event.kind.as_str().as_bytes()));
    field(
        event
            .setup
            .map(|setup| setup.to_string())
            .as_deref()
            .map(str::as_bytes),
    );
    field(Some(event.what.as_bytes()));
    field(
        event
            .before
            .as_ref()
            .map(json)
            .as_deref()
            .map(str::as_bytes),
    );
    field(event.after.as_ref().map(json).as_deref().map(str::as_bytes));
    field(Some(event.requests.len().to_string().as_bytes()));
    for request in &event.requests {
        field(Some(request.as_bytes()));
    }
    field(Some(event.previous_hash.as_bytes()));
    all
}

/// SHA-256 over `value` in the canonical form used for hashes. The order of the keys does not
/// matter.
pub fn digest_of(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    hex(&Sha256::digest(text))
}

/// Writes `value` with sorted keys and without white space.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| key.as_bytes());
            text.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
            }
            text.push('}');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

/// The bytes of a hexadecimal text.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<Vec<u8>>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
#[path = "history_hash_tests.rs"]
mod tests;
