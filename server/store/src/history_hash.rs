//! The hash of a history's entry, in two forms.
//!
//! Form 1, of entries without a key's id: SHA-256 over these fields, each as its length in bytes
//! (8 bytes, big-endian) and its bytes:
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
//! bytes. A field that is not there is written as the length 2^64-1 and no bytes.
//!
//! Form 2, of entries with a key's id: HMAC-SHA-256, with the key for the history that is derived
//! from the master key of that id, over the same fields, but that the first is `postern.event.2`
//! and the partner's id, as text, stands between the first and the second. In the partner's own
//! history there is no customer and no setup.
//!
//! So whoever has a download of a history can compute the hashes of form 1 without Postern, and so
//! could somebody who writes a whole chain anew. Those of form 2 can be computed by nobody who does
//! not have the key. A chain goes from form 1 to form 2 and never back.

use domain::{history::Event, id::PartnerId};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Vault, sign_ins::hex};

/// What stands for the hash before the first entry.
pub const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const FORM: &str = "postern.event.1";
const KEYED_FORM: &str = "postern.event.2";

/// The hash that `event` must have without a key (form 1), in hexadecimal. Its own `hash` does not
/// count.
pub fn hash_of(event: &Event) -> String {
    hex(&Sha256::digest(message(event, None)))
}

/// The hash that `event` must have with the key that it names (form 2). None: it names none, or
/// the ring does not have it.
pub fn keyed_hash_of(event: &Event, vault: &Vault) -> Option<String> {
    let message = message(event, Some(event.partner));
    let mac = vault.history_mac_with(event.key.as_deref()?, &message)?;
    Some(hex(&mac))
}

/// The fields one after the other. `partner`: in form 2.
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
    // An actor is a handful of texts: it can always be written.
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

/// SHA-256 over `value` as it is written in hashes: in one way, whatever the order of its keys.
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
