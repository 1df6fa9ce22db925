//! Signed tokens (RFC 7519) and the key that they are checked with (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PublicKeyData as _};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use crate::{Error, Result};

const KEY_ID: &str = "e2e";

/// Signs with ES256. A JWT crate would bring RSA along; the signature itself is ring's.
pub(super) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    /// The public key as JSON.
    public: Value,
}

impl Signer {
    pub(super) fn new() -> Result<Self> {
        let pair = KeyPair::generate().map_err(Error::certificate("tokens"))?;
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pair.serialize_der(),
            &random,
        )
        .map_err(|error| Error::Tokens {
            reason: error.to_string(),
        })?;
        // an uncompressed point: 4, x, y
        let point = pair.der_bytes();
        let public = json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY_ID,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]),
            "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        });
        Ok(Self {
            key,
            random,
            public,
        })
    }

    /// The keys that tokens are checked with, as a JSON Web Key Set.
    pub(super) fn key_set(&self) -> String {
        json!({"keys": [self.public]}).to_string()
    }

    /// A token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": KEY_ID});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .key
            .sign(&self.random, signed.as_bytes())
            .map_err(|error| Error::Tokens {
                reason: error.to_string(),
            })?;
        Ok(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature.as_ref())
        ))
    }
}
