use std::fmt;

use bytes::Bytes;
use rand::RngCore as _;
use zeroize::Zeroizing;

use super::error::SecurityError;
use super::scram::{MIN_ITERATIONS, ScramHash, prepared};
use super::secret::Secret;

/// The most that Kafka's controller takes.
const MAX_ITERATIONS: u32 = 16_384;
/// Bytes of salt.
const SALT: usize = 32;

/// What a cluster has to know of a user so that it can log in with SCRAM (KIP-554): not the password, but what is
/// derived from it by a salt. That is enough to pretend to be the cluster, so `Debug` does not show it, and it is wiped
/// from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    user: String,
    hash: ScramHash,
    iterations: u32,
    salt: Vec<u8>,
    salted: Zeroizing<Vec<u8>>,
}

impl ScramCredential {
    /// Derives one with a new random salt. Takes milliseconds of computing: the more `iterations` (4096 to 16384), the
    /// longer, and the longer for whoever guesses passwords.
    ///
    /// A user or a password that `SASLprep` would change is refused, as it is when logging in.
    pub fn derive(
        user: &str,
        hash: ScramHash,
        iterations: u32,
        password: &Secret,
    ) -> Result<Self, SecurityError> {
        let mut salt = vec![0; SALT];
        rand::rng().fill_bytes(&mut salt);
        Self::with_salt(user, hash, iterations, password, salt)
    }

    fn with_salt(
        user: &str,
        hash: ScramHash,
        iterations: u32,
        password: &Secret,
        salt: Vec<u8>,
    ) -> Result<Self, SecurityError> {
        let unusable = |what, problem| SecurityError::Unusable {
            what,
            mechanism: hash.mechanism(),
            problem,
        };
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(unusable("iterations", "Kafka takes 4096 to 16384"));
        }
        if user.is_empty() {
            return Err(unusable("the name of a user", "it is empty"));
        }
        if password.reveal().is_empty() {
            return Err(unusable("the password of a user", "it is empty"));
        }
        prepared(hash, "the name of a user", user)?;
        prepared(hash, "the password of a user", password.reveal())?;
        let salted = hash.salted(password.reveal().as_bytes(), &salt, iterations);
        Ok(Self {
            user: user.to_owned(),
            hash,
            iterations,
            salt,
            salted: Zeroizing::new(salted),
        })
    }

    /// Whose it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// For which mechanism.
    pub fn hash(&self) -> ScramHash {
        self.hash
    }

    /// How often the hash was applied.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(crate) fn salt(&self) -> Bytes {
        Bytes::copy_from_slice(&self.salt)
    }

    /// A copy for one request, wiped when that is dropped.
    pub(crate) fn salted(&self) -> Bytes {
        Bytes::from_owner(self.salted.clone())
    }
}

/// Without what is secret.
impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramCredential")
            .field("user", &self.user)
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    use super::*;

    fn derive(
        hash: ScramHash,
        iterations: u32,
        user: &str,
        password: &str,
    ) -> Result<ScramCredential, SecurityError> {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        ScramCredential::with_salt(user, hash, iterations, &Secret::new(password), salt)
    }

    /// `hashlib.pbkdf2_hmac` of Python 3.11 for the password and salt of RFC 7677, section 3.
    #[test]
    fn the_same_as_another_implementation() {
        for (hash, salted) in [
            (
                ScramHash::Sha256,
                "xKSVEDI6tPlSysH6mUQZOeeOp01r6B3fcJbodRPcYV0=",
            ),
            (
                ScramHash::Sha512,
                "8W7+G+Z/HQlQLr1e2SYv3f+6Wjd6tPC2h+XtW6D1Boa4pK4WZHbairO5UdL6kji2OZj0VGG8M6RkgUlJzsljHQ==",
            ),
        ] {
            let derived = derive(hash, 4096, "user", "pencil").expect("usable");
            assert_eq!(BASE64.encode(derived.salted()), salted);
        }
    }

    #[test]
    fn what_brokers_would_refuse_is_refused_before() {
        for (iterations, user, password) in [
            (4095, "user", "pencil"),
            (16_385, "user", "pencil"),
            (4096, "", "pencil"),
            (4096, "user", ""),
            (4096, "user", "a\u{ad}b"),
            (4096, "a\u{7}", "pencil"),
        ] {
            let refused = derive(ScramHash::Sha512, iterations, user, password);
            assert!(refused.is_err(), "{iterations} {user:?} {password:?}");
        }
        assert!(derive(ScramHash::Sha512, 16_384, "user", "pencil").is_ok());
    }

    #[test]
    fn salts_are_random_and_nothing_secret_is_shown() {
        let derive = || {
            ScramCredential::derive("user", ScramHash::Sha256, 4096, &Secret::new("pencil"))
                .expect("usable")
        };
        assert_ne!(derive().salt(), derive().salt());
        assert_ne!(derive().salted(), derive().salted());
        assert_eq!(
            format!("{:?}", derive()),
            "ScramCredential { user: \"user\", hash: Sha256, iterations: 4096, .. }"
        );
    }
}
