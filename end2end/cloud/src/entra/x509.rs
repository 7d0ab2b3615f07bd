//! The self-signed certificates that stand beside the signing keys.

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::EncodePublicKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8: u8 = 0x0C;
const TIME: u8 = 0x17;
/// The version, which is tagged.
const VERSION: u8 = 0xA0;

/// The object identifiers of RSA with SHA-256 (with its empty parameters) and of a common name.
const RSA_SHA256: &[u8] = &[
    0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00,
];
const COMMON_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x04, 0x03];

/// One element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match digits.as_slice() {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        // A length has eight digits at most.
        digits => {
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend(content);
    out
}

fn name(common: &str) -> Vec<u8> {
    let pair = element(
        SEQUENCE,
        &[COMMON_NAME, &element(UTF8, &[common.as_bytes()])],
    );
    element(SEQUENCE, &[&element(SET, &[&pair])])
}

/// A certificate in DER that the key signs for itself. It is the same every time.
pub fn self_signed(key: &RsaPrivateKey) -> Option<Vec<u8>> {
    let public = key.to_public_key().to_public_key_der().ok()?;
    let subject = name("accounts.simulated.example");
    let algorithm = element(SEQUENCE, &[RSA_SHA256]);
    let validity = element(
        SEQUENCE,
        &[
            &element(TIME, &[b"250101000000Z"]),
            &element(TIME, &[b"450101000000Z"]),
        ],
    );
    let signed = element(
        SEQUENCE,
        &[
            &element(VERSION, &[&element(INTEGER, &[&[2]])]),
            &element(INTEGER, &[&[1]]),
            &algorithm,
            &subject,
            &validity,
            &subject,
            public.as_bytes(),
        ],
    );
    let signature = SigningKey::<Sha256>::new(key.clone())
        .sign(&signed)
        .to_bytes();
    let signature = element(BIT_STRING, &[&[0], &signature]);
    Some(element(SEQUENCE, &[&signed, &algorithm, &signature]))
}
