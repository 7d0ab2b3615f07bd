#![allow(clippy::unwrap_used)]

use super::*;

fn random() -> [u8; KEY_BYTES] {
    rand::random()
}

fn ring(text: &str) -> Result<KeyRing, KeyRingError> {
    KeyRing::parse(&SecretString::from(text))
}

fn wrong(text: &str) -> KeyRingError {
    match ring(text) {
        Err(error) => error,
        Ok(_) => panic!("taken: {text}"),
    }
}

#[test]
fn a_ring_is_read_from_its_setting() {
    let (a, b) = (STANDARD.encode(random()), URL_SAFE_NO_PAD.encode(random()));
    let read = ring(&format!("2026-11:{a}, 2025:{b}\n")).unwrap();
    assert_eq!(read.ids().collect::<Vec<_>>(), ["2026-11", "2025"]);
    assert_eq!(wrong(" , "), KeyRingError::Empty);
    assert_eq!(wrong(&format!("a:{a} {b}")), KeyRingError::Form(2));
    assert_eq!(wrong(&format!("ü:{a}")), KeyRingError::Id(1));
    assert_eq!(wrong(&format!(":{a}")), KeyRingError::Id(1));
    assert_eq!(
        wrong(&format!("a:{a} a:{b}")),
        KeyRingError::Twice("a".into())
    );
    assert_eq!(wrong("a:***"), KeyRingError::Base64("a".into()));
    assert_eq!(
        wrong("a:AAAA"),
        KeyRingError::Length {
            id: "a".into(),
            bytes: 3
        }
    );
}

#[test]
fn security_f12_keys_that_nobody_made_at_random_are_refused() {
    let counting: [u8; KEY_BYTES] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let repeated: [u8; KEY_BYTES] =
        std::array::from_fn(|index| [0xde, 0xad, 0xbe, 0xef][index % 4]);
    for weak in [
        [0; KEY_BYTES],
        [0xff; KEY_BYTES],
        *b"correct horse battery staple 123",
        counting,
        repeated,
    ] {
        let text = format!("k1:{}", STANDARD.encode(weak));
        let error = wrong(&text);
        assert!(matches!(error, KeyRingError::Weak(..)), "{error}");
        assert!(!error.to_string().contains(&STANDARD.encode(weak)));
    }
    for _ in 0..1000 {
        ring(&format!("k1:{}", STANDARD.encode(random()))).unwrap();
    }
}

#[test]
fn every_use_has_a_key_of_its_own() {
    let ring = KeyRing::new(vec![("k1".into(), [7; KEY_BYTES])]).unwrap();
    let entry = ring.newest().unwrap();
    let uses = [
        KeyUse::Tokens,
        KeyUse::Attempts,
        KeyUse::Forms,
        KeyUse::History,
    ];
    let mut keys: Vec<[u8; KEY_BYTES]> = uses.map(|key_use| **entry.key(key_use).unwrap()).into();
    keys.push([7; KEY_BYTES]);
    keys.push(entry.opening.as_ref().unwrap().to_bytes().into());
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 6);
    // The keys are derived, so another process gets the same keys.
    let again = KeyRing::new(vec![("k1".into(), [7; KEY_BYTES])]).unwrap();
    assert_eq!(
        again.newest().unwrap().key(KeyUse::Tokens),
        entry.key(KeyUse::Tokens)
    );
}

#[test]
fn the_webs_ring_holds_no_master_key() {
    let master = random();
    let whole = ring(&format!(
        "k2:{} k1:{}",
        STANDARD.encode(random()),
        STANDARD.encode(master)
    ));
    let whole = whole.unwrap();
    let text = whole.for_web().unwrap();
    assert!(!text.expose_secret().contains(&STANDARD.encode(master)));
    let web = KeyRing::parse(&text).unwrap();
    assert_eq!(web.ids().collect::<Vec<_>>(), ["k2", "k1"]);
    let (of_web, of_whole) = (web.find("k1").unwrap(), whole.find("k1").unwrap());
    assert!(of_web.master.is_none() && of_web.opening.is_none());
    assert_eq!(of_web.key(KeyUse::Tokens), of_whole.key(KeyUse::Tokens));
    assert_eq!(of_web.sealing, of_whole.sealing);
    assert_eq!(web.for_web().unwrap_err(), KeyRingError::NoMaster);
    let cut = format!("k2:{WEB}{}", STANDARD.encode([1; 2 * KEY_BYTES]));
    assert_eq!(wrong(&cut), KeyRingError::Web("k2".into()));
}
