//! SCRAM-SHA-256 and SCRAM-SHA-512: RFC 5802 with the hashes of RFC 7677, without channel binding.
//!
//! Written over `hmac`, `pbkdf2` and `sha2` of one generation; the crates for SCRAM itself are built on older ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::Digest;
use hmac::{Hmac, KeyInit, Mac};
use rand::distr::{Alphanumeric, SampleString};
use sha2::{Sha256, Sha512};

use super::error::SecurityError;
use super::sasl::Next;
use super::secret::Secret;

/// The least that RFC 7677 allows.
pub(super) const MIN_ITERATIONS: u32 = 4096;
/// Eight times what Kafka's brokers can be set to: a peer must not keep us busy for longer than a moment.
const MAX_ITERATIONS: u32 = 131_072;
/// Characters of our nonce, about six bits each.
const NONCE: usize = 32;
/// The header of a client that knows no channel binding, and its base64.
const GS2: &str = "n,,";
const GS2_BASE64: &str = "biws";

/// Which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramHash {
    /// SCRAM-SHA-256.
    Sha256,
    /// SCRAM-SHA-512.
    Sha512,
}

impl ScramHash {
    /// The name on the wire.
    pub fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    pub(super) fn salted(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Self::Sha256 => {
                let mut key = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut key);
                key.to_vec()
            }
            Self::Sha512 => {
                let mut key = [0; 64];
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut key);
                key.to_vec()
            }
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => keyed::<Hmac<Sha256>>(key, data)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha512 => keyed::<Hmac<Sha512>>(key, data)
                .finalize()
                .into_bytes()
                .to_vec(),
        }
    }

    /// In constant time.
    fn verifies(self, key: &[u8], data: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Sha256 => keyed::<Hmac<Sha256>>(key, data)
                .verify_slice(signature)
                .is_ok(),
            Self::Sha512 => keyed::<Hmac<Sha512>>(key, data)
                .verify_slice(signature)
                .is_ok(),
        }
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac
}

/// One conversation.
pub(crate) struct Scram {
    hash: ScramHash,
    password: Secret,
    nonce: String,
    /// The first message without its header.
    first_bare: String,
    state: State,
}

enum State {
    /// The first message is out; salt and iterations come next.
    Begun,
    /// The proof is out; the broker's own proof comes next.
    Proven {
        server_key: Vec<u8>,
        auth_message: String,
    },
    Over,
}

impl Scram {
    pub(super) fn begin(
        hash: ScramHash,
        username: &str,
        password: &Secret,
    ) -> Result<Self, SecurityError> {
        let nonce = Alphanumeric.sample_string(&mut rand::rng(), NONCE);
        Self::with_nonce(hash, username, password, nonce)
    }

    fn with_nonce(
        hash: ScramHash,
        username: &str,
        password: &Secret,
        nonce: String,
    ) -> Result<Self, SecurityError> {
        prepared(hash, "sasl.username", username)?;
        prepared(hash, "sasl.password", password.reveal())?;
        let name = username.replace('=', "=3D").replace(',', "=2C");
        Ok(Self {
            hash,
            password: password.clone(),
            first_bare: format!("n={name},r={nonce}"),
            nonce,
            state: State::Begun,
        })
    }

    pub(super) fn first_message(&self) -> Vec<u8> {
        format!("{GS2}{}", self.first_bare).into_bytes()
    }

    pub(super) fn answer(&mut self, challenge: &[u8]) -> Result<Next, SecurityError> {
        let said = std::str::from_utf8(challenge).map_err(|_| self.wrong("not UTF-8"))?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Begun => self.prove(said).map(|proof| Next::Say(proof.into_bytes())),
            State::Proven {
                server_key,
                auth_message,
            } => {
                self.check(said, &server_key, &auth_message)?;
                Ok(Next::Done)
            }
            State::Over => Err(self.wrong("a message after the last one")),
        }
    }

    /// RFC 5802, section 3: the client's proof for the salt and iterations that the server names.
    fn prove(&mut self, server_first: &str) -> Result<String, SecurityError> {
        let mut parts = server_first.split(',');
        let mut part = |name: &str| parts.next().and_then(|part| part.strip_prefix(name));
        // an extension that must be understood (`m=`) would stand first
        let nonce = part("r=").ok_or_else(|| self.wrong("no nonce"))?;
        let salt = part("s=").ok_or_else(|| self.wrong("no salt"))?;
        let iterations = part("i=").ok_or_else(|| self.wrong("no iteration count"))?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(self.wrong("the nonce is not ours with more behind it"));
        }
        let salt = BASE64
            .decode(salt)
            .ok()
            .filter(|salt| !salt.is_empty())
            .ok_or_else(|| self.wrong("the salt is not base64"))?;
        let iterations: u32 = iterations
            .parse()
            .map_err(|_| self.wrong("the iteration count is not a number"))?;
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(SecurityError::Exchange {
                mechanism: self.hash.mechanism(),
                problem: format!(
                    "{iterations} iterations are asked for; {MIN_ITERATIONS} to {MAX_ITERATIONS} are accepted"
                ),
            });
        }
        let password = self.password.reveal().as_bytes();
        let salted = self.hash.salted(password, &salt, iterations);
        let client_key = self.hash.hmac(&salted, b"Client Key");
        let server_key = self.hash.hmac(&salted, b"Server Key");
        let without_proof = format!("c={GS2_BASE64},r={nonce}");
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = self
            .hash
            .hmac(&self.hash.hash(&client_key), auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, signature)| key ^ signature)
            .collect();
        self.state = State::Proven {
            server_key,
            auth_message,
        };
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)))
    }

    /// Whether the server knows the password, too.
    fn check(
        &self,
        server_final: &str,
        server_key: &[u8],
        auth_message: &str,
    ) -> Result<(), SecurityError> {
        let first = server_final.split(',').next().unwrap_or_default();
        if let Some(reason) = first.strip_prefix("e=") {
            return Err(SecurityError::Credentials {
                mechanism: self.hash.mechanism(),
                message: reason.to_owned(),
            });
        }
        let signature = first
            .strip_prefix("v=")
            .and_then(|text| BASE64.decode(text).ok())
            .ok_or_else(|| self.wrong("no signature of the broker"))?;
        if self
            .hash
            .verifies(server_key, auth_message.as_bytes(), &signature)
        {
            Ok(())
        } else {
            Err(self.wrong("the broker cannot prove that it knows the password"))
        }
    }

    fn wrong(&self, problem: &str) -> SecurityError {
        SecurityError::Exchange {
            mechanism: self.hash.mechanism(),
            problem: problem.to_owned(),
        }
    }
}

/// RFC 5802 asks for `SASLprep` (RFC 4013), and Kafka's brokers do not do it: a text that it would change means different
/// things to different brokers, so it is refused rather than guessed.
pub(super) fn prepared(
    hash: ScramHash,
    what: &'static str,
    text: &str,
) -> Result<(), SecurityError> {
    let problem = match stringprep::saslprep(text) {
        Ok(same) if same == text => return Ok(()),
        Ok(_) => "brokers differ on how its characters are normalised (SASLprep)",
        Err(_) => "it has characters that are not allowed (SASLprep)",
    };
    Err(SecurityError::Unusable {
        what,
        mechanism: hash.mechanism(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    /// The example of RFC 7677, section 3.
    fn example() -> Scram {
        Scram::with_nonce(
            ScramHash::Sha256,
            "user",
            &Secret::new("pencil"),
            "rOprNGfwEbeRWgbNEkqO".to_owned(),
        )
        .expect("usable")
    }

    fn said(next: Result<Next, SecurityError>) -> String {
        match next.expect("goes on") {
            Next::Say(message) => String::from_utf8(message).expect("UTF-8"),
            Next::Done => "done".to_owned(),
        }
    }

    #[test]
    fn the_conversation_of_rfc_7677() {
        let mut scram = example();
        assert_eq!(
            scram.first_message(),
            b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO".to_vec()
        );
        assert_eq!(
            said(scram.answer(SERVER_FIRST.as_bytes())),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let last = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(said(scram.answer(last)), "done");
        assert!(scram.answer(last).is_err(), "nothing comes after the end");
    }

    /// Computed with Python's `hashlib` and `hmac` from RFC 5802's formulas, for the same messages with SHA-512.
    #[test]
    fn the_same_with_sha_512() {
        let mut scram = example();
        scram.hash = ScramHash::Sha512;
        assert_eq!(said(scram.answer(SERVER_FIRST.as_bytes())), SHA512_PROOF);
        assert_eq!(said(scram.answer(SHA512_SIGNATURE)), "done");
    }

    const SHA512_PROOF: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==";
    const SHA512_SIGNATURE: &[u8] = b"v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==";

    #[test]
    fn a_broker_without_the_password_is_noticed() {
        for last in [
            "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            "v=",
            "v=6rri",
            "v=!",
            "",
            "x=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ] {
            let mut scram = example();
            scram.answer(SERVER_FIRST.as_bytes()).expect("proof");
            assert!(scram.answer(last.as_bytes()).is_err(), "{last}");
        }
        let mut scram = example();
        scram.answer(SERVER_FIRST.as_bytes()).expect("proof");
        let Err(refused) = scram.answer(b"e=invalid-proof") else {
            panic!("an error is not success");
        };
        assert!(refused.to_string().contains("invalid-proof"), "{refused}");
    }

    #[test]
    fn what_a_broker_must_not_say() {
        for (first, problem) in [
            ("r=xOprNGfwEbeRWgbNEkqO1,s=W22Z,i=4096", "nonce"),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096", "nonce"),
            ("m=new,r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=4096", "nonce"),
            ("r=rOprNGfwEbeRWgbNEkqO1,i=4096", "salt"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=,i=4096", "salt"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=???,i=4096", "salt"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=W22Z", "iteration"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=many", "iteration"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=4095", "4095 iterations"),
            ("r=rOprNGfwEbeRWgbNEkqO1,s=W22Z,i=4000000000", "iterations"),
            ("", "nonce"),
        ] {
            let Err(error) = example().answer(first.as_bytes()) else {
                panic!("{first} was accepted");
            };
            assert!(error.to_string().contains(problem), "{first}: {error}");
        }
        assert!(example().answer(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn names_are_escaped_and_unclear_texts_refused() {
        let password = Secret::new("p");
        let begun = |name: &str| Scram::begin(ScramHash::Sha512, name, &password);
        let first = begun("a=b,c").expect("usable").first_message();
        assert!(first.starts_with(b"n,,n=a=3Db=2Cc,r="));
        assert!(
            begun("jos\u{e9}").is_ok(),
            "normalisation leaves it as it is"
        );
        for unclear in ["\u{2168}", "a\u{7}", "a\u{ad}b", "jose\u{301}"] {
            assert!(begun(unclear).is_err(), "{unclear:?}");
        }
        assert!(Scram::begin(ScramHash::Sha256, "a", &Secret::new("\u{1}")).is_err());
    }

    #[test]
    fn every_conversation_has_its_own_nonce() {
        let begun = || Scram::begin(ScramHash::Sha256, "a", &Secret::new("p")).expect("usable");
        assert_ne!(begun().first_message(), begun().first_message());
    }
}
