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
        key_use: KeyUse::Tokens,
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
        // Another key use.
        Place {
            key_use: KeyUse::Attempts,
            ..place(1, b"row")
        },
        // The same bytes in total, split at another position.
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
fn opens_with_an_old_key_and_seals_with_the_newest() {
    let old = vault(&[("k1", 7)]);
    let sealed = old
        .seal(place(1, b"row"), &SecretString::from("x"))
        .unwrap();
    let both = vault(&[("k2", 9), ("k1", 7)]);
    assert_eq!(
        both.open(place(1, b"row"), &sealed)
            .unwrap()
            .expose_secret(),
        "x"
    );
    let resealed = both
        .seal(place(1, b"row"), &SecretString::from("x"))
        .unwrap();
    let error = old.open(place(1, b"row"), &resealed).unwrap_err();
    assert!(error.to_string().contains("k2"), "{error}");
    // The right id with another key.
    assert!(vault(&[("k1", 8)]).open(place(1, b"row"), &sealed).is_err());
}

fn of_client_secret(row: &[u8]) -> Place<'_> {
    Place {
        key_use: KeyUse::ClientSecrets,
        table: "secrets",
        column: "sealed",
        ..place(1, row)
    }
}

#[test]
fn security_f12_the_web_seals_client_secrets_and_cannot_open_them() {
    let worker = vault(&[("k1", 7)]);
    let web = Vault::parse(&worker.for_web().unwrap()).unwrap();
    assert!(worker.is_whole() && !web.is_whole());
    let secret = SecretString::from("8Q~secret");
    let sealed = web.seal(of_client_secret(b"setup"), &secret).unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"secret"));
    let error = web
        .open(of_client_secret(b"setup"), &sealed)
        .unwrap_err()
        .to_string();
    assert!(error.contains("web's ring"), "{error}");
    let opened = worker.open(of_client_secret(b"setup"), &sealed).unwrap();
    assert_eq!(opened.expose_secret(), "8Q~secret");
    assert!(worker.open(of_client_secret(b"other"), &sealed).is_err());
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(
            worker.open(of_client_secret(b"setup"), &changed).is_err(),
            "byte {index}"
        );
    }
    // Both rings open what pages need.
    let token = web.seal(place(1, b"row"), &secret).unwrap();
    for vault in [&web, &worker] {
        let opened = vault.open(place(1, b"row"), &token).unwrap();
        assert_eq!(opened.expose_secret(), "8Q~secret");
    }
}

/// Seals as every version did before there were keys for each use.
pub(crate) fn sealed_with_master(
    id: &str,
    master: [u8; KEY_BYTES],
    place: Place<'_>,
    plain: &str,
) -> Vec<u8> {
    let nonce = [5; NONCE_BYTES];
    let body = XChaCha20Poly1305::new((&master).into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain.as_bytes(),
                aad: &associated(WITH_MASTER, place, id),
            },
        )
        .unwrap();
    let id = id.as_bytes();
    let head = [WITH_MASTER, u8::try_from(id.len()).unwrap()];
    [&head, id, &nonce, &body].concat()
}

#[test]
fn what_older_versions_sealed_still_opens() {
    let vault = vault(&[("k2", 9), ("k1", 7)]);
    for place in [place(1, b"row"), of_client_secret(b"setup")] {
        let sealed = sealed_with_master("k1", [7; KEY_BYTES], place, "old");
        assert_eq!(vault.open(place, &sealed).unwrap().expose_secret(), "old");
        let web = Vault::parse(&vault.for_web().unwrap()).unwrap();
        let error = web.open(place, &sealed).unwrap_err().to_string();
        assert!(error.contains("master key \"k1\""), "{error}");
    }
}

#[test]
fn the_hash_of_history_needs_its_key() {
    let both = vault(&[("k2", 9), ("k1", 7)]);
    let (id, mac) = both.history_mac(b"entry").unwrap();
    assert_eq!(id, "k2");
    assert_eq!(both.history_mac_with("k2", b"entry"), Some(mac));
    assert_ne!(both.history_mac_with("k1", b"entry"), Some(mac));
    assert_ne!(both.history_mac_with("k2", b"other"), Some(mac));
    assert_eq!(both.history_mac_with("k3", b"entry"), None);
    let web = Vault::parse(&both.for_web().unwrap()).unwrap();
    assert_eq!(web.history_mac_with("k2", b"entry"), Some(mac));
}

proptest::proptest! {
    /// Whatever bytes the database holds, opening them fails and does not panic.
    #[test]
    fn made_up_bytes_never_open(bytes in proptest::collection::vec(0_u8.., 0..200)) {
        let vault = vault(&[("k1", 7)]);
        proptest::prop_assert!(vault.open(place(1, b"row"), &bytes).is_err());
        proptest::prop_assert!(vault.open(of_client_secret(b"row"), &bytes).is_err());
    }
}
