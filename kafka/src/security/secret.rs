use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::error::SecurityError;
use super::{credential, variable};

/// A secret. Neither `Debug` nor anything else shows it, and it is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Where a secret is. It is read anew each time it is needed, so that a rotated one is taken up.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// In this environment variable, or in the credential of this name that systemd gave the service.
    Env(String),
    /// In this file, or in the credential that systemd gave the service for it; one line end after it does not belong to it.
    File(PathBuf),
    /// Here.
    Given(Secret),
}

impl SecretSource {
    /// The secret as it is now; `what` says in errors what it is for.
    pub fn read(&self, what: &'static str) -> Result<Secret, SecurityError> {
        let (text, place) = match self {
            Self::Env(name) => {
                let place = format!("the environment variable {name}");
                match variable::read(name) {
                    Ok(Some(text)) => (text, place),
                    Ok(None) => return Err(problem(what, format!("{place} is not set"))),
                    Err(unreadable) => return Err(problem(what, unreadable)),
                }
            }
            Self::File(path) => {
                let place = path.display().to_string();
                let text = std::fs::read_to_string(credential::in_place_of(path))
                    .map_err(|error| problem(what, format!("{place}: {error}")))?;
                let text = Zeroizing::new(text);
                (variable::without_line_end(&text), place)
            }
            Self::Given(secret) => (secret.0.clone(), "it".to_owned()),
        };
        if text.is_empty() {
            return Err(problem(what, format!("{place} is empty")));
        }
        Ok(Secret(text))
    }
}

fn problem(what: &'static str, problem: String) -> SecurityError {
    SecurityError::Secret { what, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_anew_and_its_line_end_left_out() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("password");
        let source = SecretSource::File(path.clone());
        let missing = source.read("sasl.password").expect_err("no file yet");
        assert!(missing.to_string().contains("sasl.password"), "{missing}");
        for (text, meant) in [("one\n", "one"), ("two", "two"), ("a b\r\n", "a b")] {
            std::fs::write(&path, text).expect("write");
            assert_eq!(source.read("p").expect("read").reveal(), meant);
        }
        std::fs::write(&path, "\n").expect("write");
        assert!(source.read("p").is_err(), "an empty secret is a mistake");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let source = SecretSource::Env("MIRRORCTL_TEST_NO_SUCH_VARIABLE".to_owned());
        assert_eq!(
            source.read("sasl.password").expect_err("unset").to_string(),
            "sasl.password: the environment variable MIRRORCTL_TEST_NO_SUCH_VARIABLE is not set"
        );
    }

    #[test]
    fn nothing_shows_a_secret() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert!(!format!("{:#?}", SecretSource::Given(secret)).contains("hunter2"));
    }
}
