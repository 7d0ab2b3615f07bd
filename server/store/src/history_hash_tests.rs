#![allow(clippy::unwrap_used)]

use domain::{
    Timestamp,
    history::EventKind,
    id::{CustomerId, ObjectId, PartnerId, SetupId},
    person::Actor,
};
use serde_json::json;
use uuid::Uuid;

use super::*;

fn event() -> Event {
    Event {
        partner: PartnerId(Uuid::from_u128(8)),
        customer: Some(CustomerId(Uuid::from_u128(1))),
        seq: 1,
        at: Timestamp(1_795_464_245_123),
        actor: Actor::CustomerAdmin {
            object: ObjectId(Uuid::from_u128(2)),
            upn: "admin@fabrikam.example".into(),
        },
        kind: EventKind::ConsentGiven,
        setup: None,
        what: "ä".into(),
        before: None,
        after: Some(json!({"b": [1, 2.5, null], "a": "\n"})),
        requests: vec!["r1".into(), "r2".into()],
        key: None,
        previous_hash: FIRST.into(),
        hash: String::new(),
    }
}

/// Stored hashes must stay valid for years. A change to this form breaks every history.
#[test]
fn the_form_stays() {
    // Computed from the description of the form, with another implementation.
    assert_eq!(
        hash_of(&event()),
        "4a16c6e72119ee3fd866a730775c97d60a0c56f9c925f4fa4ee9b446ce15c2ae"
    );
}

#[test]
fn every_field_counts() {
    let base = event();
    let other = |change: &dyn Fn(&mut Event)| {
        let mut changed = base.clone();
        change(&mut changed);
        changed
    };
    let changed = [
        other(&|e| e.customer = Some(CustomerId(Uuid::from_u128(9)))),
        other(&|e| e.seq = 2),
        other(&|e| e.at = Timestamp(0)),
        other(&|e| e.actor = Actor::System),
        other(&|e| e.kind = EventKind::ConsentRefused),
        other(&|e| e.setup = Some(SetupId(Uuid::from_u128(9)))),
        other(&|e| e.what.push('.')),
        other(&|e| e.before = Some(json!(null))),
        other(&|e| e.after = None),
        other(&|e| e.requests = vec!["r1r2".into()]),
        other(&|e| e.requests = vec!["r1".into(), "r".into(), "2".into()]),
        other(&|e| e.previous_hash = "f".repeat(64)),
    ];
    let mut hashes: Vec<String> = changed.iter().map(hash_of).collect();
    hashes.push(hash_of(&base));
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
    // The stored hash is not an input.
    assert_eq!(hash_of(&other(&|e| e.hash = "x".into())), hash_of(&base));
}

fn vault() -> Vault {
    Vault::new(vec![("k2".into(), [2; 32]), ("k1".into(), [1; 32])]).unwrap()
}

fn keyed() -> Event {
    Event {
        key: Some("k1".into()),
        ..event()
    }
}

/// Stored hashes must stay valid for years. A change to this form breaks every history.
#[test]
fn security_f09_the_keyed_form_stays() {
    // Computed from the description of the form, with another implementation.
    assert_eq!(
        keyed_hash_of(&keyed(), &vault()).unwrap(),
        "4436b3b08a98d601212dfde3d69f4fd0ec28e9eaa448f3a98896f0814cd7f395"
    );
}

#[test]
fn security_f09_the_keyed_hash_needs_its_key_and_counts_every_field() {
    let base = keyed_hash_of(&keyed(), &vault()).unwrap();
    assert_ne!(base, hash_of(&event()));
    let of = |change: &dyn Fn(&mut Event)| {
        let mut changed = keyed();
        change(&mut changed);
        keyed_hash_of(&changed, &vault())
    };
    for changed in [
        of(&|e| e.partner = PartnerId(Uuid::from_u128(9))),
        of(&|e| e.customer = None),
        of(&|e| e.what.push('.')),
        of(&|e| e.key = Some("k2".into())),
        of(&|e| e.previous_hash = "f".repeat(64)),
    ] {
        assert_ne!(changed.unwrap(), base);
    }
    assert_eq!(of(&|e| e.key = Some("k3".into())), None);
    assert_eq!(of(&|e| e.key = None), None);
    let other = Vault::new(vec![("k1".into(), [7; 32])]).unwrap();
    assert_ne!(keyed_hash_of(&keyed(), &other).unwrap(), base);
}

#[test]
fn json_is_written_in_one_way() {
    let mut text = String::new();
    canonical(
        &json!({"é": 1, "z": {"b": true, "a": [{}, [], "\u{1}\"\\"]}, "B": -0.5}),
        &mut text,
    );
    assert_eq!(
        text,
        r#"{"B":-0.5,"z":{"a":[{},[],"\u0001\"\\"],"b":true},"é":1}"#
    );
}

#[test]
fn hexadecimal_there_and_back() {
    assert_eq!(from_hex("00fF1a"), Some(vec![0, 255, 26]));
    assert_eq!(from_hex("0"), None);
    assert_eq!(from_hex("0g"), None);
    assert_eq!(hex(&[0, 255, 26]), "00ff1a");
}
