#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use uuid::Uuid;

fn vault(ids: &[(&str, u8)]) -> Vault {
    Vault::new(
        ids.iter()
            .map(|(id, byte)| ((*id).to_owned(), [*byte; KEY_BYTES]))
            .collect(),
    )
    .unwrap()
}

fn place(partner: u128, row: &[u8]) -> Place<'_> {
    Place {
        table: "connections",
        column: "refresh_token",
        partner: Some(PartnerId(Uuid::from_u128(partner))),
        row,
    }
}

#[test]
fn opens_what_it_sealed() {
    let vault = vault(&[("k1", 7)]);
    let secret = SecretString::from("0.AXoA-token");
    let sealed = vault.seal(place(1, b"row"), &secret).unwrap();
    let again = vault.seal(place(1, b"row"), &secret).unwrap();
    assert_ne!(sealed, again, "a nonce of its own each time");
    assert!(!sealed.windows(5).any(|part| part == b"token"));
    let opened = vault.open(place(1, b"row"), &sealed).unwrap();
    assert_eq!(opened.expose_secret(), "0.AXoA-token");
}

#[test]
fn opens_only_where_it_belongs() {
    let vault = vault(&[("k1", 7)]);
    let sealed = vault
        .seal(place(1, b"row"), &SecretString::from("x"))
        .unwrap();
    let elsewhere = [
        place(2, b"row"),
        place(1, b"other"),
        Place {
            table: "secrets",
            ..place(1, b"row")
        },
        Place {
            column: "sealed",
            ..place(1, b"row")
        },
        Place {
            partner: None,
            ..place(1, b"row")
        },
        // The same bytes in all, cut at another place.
        Place {
            table: "connectionsr",
            column: "efresh_token",
            ..place(1, b"row")
        },
    ];
    for wrong in elsewhere {
        assert!(vault.open(wrong, &sealed).is_err(), "{wrong:?}");
    }
}

#[test]
fn notices_every_changed_byte() {
    let vault = vault(&[("k1", 7)]);
    let sealed = vault
        .seal(place(1, b"row"), &SecretString::from("secret"))
        .unwrap();
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(
            vault.open(place(1, b"row"), &changed).is_err(),
            "byte {index}"
        );
    }
    for length in 0..sealed.len() {
        assert!(vault.open(place(1, b"row"), &sealed[..length]).is_err());
    }
}

#[test]
fn opens_with_an_old_key_and_says_that_it_is_old() {
    let old = vault(&[("k1", 7)]);
    let sealed = old
        .seal(place(1, b"row"), &SecretString::from("x"))
        .unwrap();
    assert!(!old.needs_reseal(&sealed));
    let both = vault(&[("k2", 9), ("k1", 7)]);
    assert_eq!(
        both.open(place(1, b"row"), &sealed)
            .unwrap()
            .expose_secret(),
        "x"
    );
    assert!(both.needs_reseal(&sealed));
    let resealed = both
        .seal(place(1, b"row"), &SecretString::from("x"))
        .unwrap();
    assert!(!both.needs_reseal(&resealed));
    let error = old.open(place(1, b"row"), &resealed).unwrap_err();
    assert!(error.to_string().contains("k2"), "{error}");
    // The right id with another key.
    assert!(vault(&[("k1", 8)]).open(place(1, b"row"), &sealed).is_err());
}

#[test]
fn reads_a_ring_from_its_setting() {
    let a = base64::engine::general_purpose::STANDARD.encode([1; 32]);
    let b = URL_SAFE_NO_PAD.encode([0xff; 32]);
    let parse = |text: String| Vault::parse(&SecretString::from(text));
    let vault = parse(format!("2026-11:{a}, 2025:{b}\n")).unwrap();
    assert_eq!(vault.newest(), "2026-11");
    assert_eq!(
        format!("{vault:?}"),
        r#"Vault { keys: ["2026-11", "2025"] }"#
    );
    let wrong = |text: String| parse(text).unwrap_err();
    assert_eq!(wrong(" , ".into()), KeyRingError::Empty);
    assert_eq!(wrong(format!("a:{a} {b}")), KeyRingError::Form(2));
    assert_eq!(wrong(format!("ü:{a}")), KeyRingError::Id(1));
    assert_eq!(wrong(format!(":{a}")), KeyRingError::Id(1));
    assert_eq!(
        wrong(format!("a:{a} a:{b}")),
        KeyRingError::Twice("a".into())
    );
    assert_eq!(wrong("a:***".into()), KeyRingError::Base64("a".into()));
    assert_eq!(
        wrong("a:AAAA".into()),
        KeyRingError::Length {
            id: "a".into(),
            bytes: 3
        }
    );
}
