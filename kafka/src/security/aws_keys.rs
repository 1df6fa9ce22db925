//! Where AWS keys come from: the environment (or systemd's credentials of those names), else the shared credentials file, else
//! the role of the container or machine.

use std::path::PathBuf;

use aws_credential_types::Credentials;

use super::aws_role;
use super::error::SecurityError;
use super::variable;

/// Where AWS keys are looked for. They are read anew for each authentication.
#[derive(Debug, Clone, Default)]
pub struct AwsKeys {
    /// The profile of the shared credentials file; `AWS_PROFILE` or `default` when absent. With a profile given here neither
    /// the environment's keys nor a role are used.
    pub profile: Option<String>,
}

impl AwsKeys {
    /// Cancel safe.
    pub(super) async fn read(&self) -> Result<Credentials, SecurityError> {
        let variable = |name: &str| {
            let text = variable::read(name).ok().flatten()?;
            (!text.is_empty()).then(|| text.to_string())
        };
        match self.read_from(variable) {
            Err(unwritten) if self.may_be_a_role(variable) => aws_role::credentials(&variable)
                .await
                .map_err(|of_role| both(unwritten, of_role)),
            read => read,
        }
    }

    /// Where keys or a profile are named, a mistake in them is an error, and no reason to be somebody else.
    fn may_be_a_role(&self, variable: impl Fn(&str) -> Option<String>) -> bool {
        self.profile.is_none()
            && variable("AWS_ACCESS_KEY_ID").is_none()
            && variable("AWS_PROFILE").is_none()
    }

    fn read_from(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Credentials, SecurityError> {
        let key = variable("AWS_ACCESS_KEY_ID");
        if let (None, Some(id)) = (&self.profile, key) {
            let secret = variable("AWS_SECRET_ACCESS_KEY").ok_or_else(|| {
                problem("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not".to_owned())
            })?;
            let token = variable("AWS_SESSION_TOKEN");
            return Ok(Credentials::new(id, secret, token, None, "environment"));
        }
        let profile = self
            .profile
            .clone()
            .or_else(|| variable("AWS_PROFILE"))
            .unwrap_or_else(|| "default".to_owned());
        let path = variable("AWS_SHARED_CREDENTIALS_FILE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".aws/credentials")))
            .ok_or_else(|| problem("AWS_ACCESS_KEY_ID is not set".to_owned()))?;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let path = path.display();
            problem(if self.profile.is_some() {
                format!("{path}: {error}")
            } else {
                format!("AWS_ACCESS_KEY_ID is not set, and {path}: {error}")
            })
        })?;
        let value = |name: &str| value_of(&text, &profile, name);
        let missing = |name: &str| {
            let path = path.display();
            problem(format!("profile {profile} in {path} has no {name}"))
        };
        Ok(Credentials::new(
            value("aws_access_key_id").ok_or_else(|| missing("aws_access_key_id"))?,
            value("aws_secret_access_key").ok_or_else(|| missing("aws_secret_access_key"))?,
            value("aws_session_token"),
            None,
            "shared credentials file",
        ))
    }
}

/// Neither was there: somebody meant one of them.
fn both(unwritten: SecurityError, of_role: SecurityError) -> SecurityError {
    match (unwritten, of_role) {
        (SecurityError::AwsKeys { problem: first }, SecurityError::AwsKeys { problem: second }) => {
            problem(format!("{first}; {second}"))
        }
        (_, other) => other,
    }
}

fn problem(problem: String) -> SecurityError {
    SecurityError::AwsKeys { problem }
}

/// `name = value` below `[profile]`.
fn value_of(text: &str, profile: &str, name: &str) -> Option<String> {
    let header = |line: &str| {
        let inner = line.strip_prefix('[')?.strip_suffix(']')?;
        Some(inner.trim().to_owned())
    };
    text.lines()
        .map(str::trim)
        .skip_while(|line| header(line).as_deref() != Some(profile))
        .skip(1)
        .take_while(|line| header(line).is_none())
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_first() {
        let keys = AwsKeys::default()
            .read_from(|name| match name {
                "AWS_ACCESS_KEY_ID" => Some("AKID".to_owned()),
                "AWS_SECRET_ACCESS_KEY" => Some("hush".to_owned()),
                "AWS_SESSION_TOKEN" => Some("token".to_owned()),
                _ => None,
            })
            .expect("keys");
        assert_eq!(keys.access_key_id(), "AKID");
        assert_eq!(keys.secret_access_key(), "hush");
        assert_eq!(keys.session_token(), Some("token"));
        let half = |name: &str| (name == "AWS_ACCESS_KEY_ID").then(|| "AKID".to_owned());
        let error = AwsKeys::default().read_from(half).expect_err("half a key");
        assert!(error.to_string().contains("AWS_SECRET_ACCESS_KEY is not"));
    }

    #[test]
    fn a_profile_of_the_shared_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("credentials");
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key = a=b\n\n[mirror]\naws_access_key_id=B\n";
        std::fs::write(&path, text).expect("write");
        let variable = |name: &str| match name {
            "AWS_SHARED_CREDENTIALS_FILE" => Some(path.display().to_string()),
            _ => None,
        };
        let keys = AwsKeys::default().read_from(variable).expect("keys");
        assert_eq!(
            (keys.access_key_id(), keys.secret_access_key()),
            ("A", "a=b")
        );
        assert_eq!(keys.session_token(), None);
        let mirror = AwsKeys {
            profile: Some("mirror".to_owned()),
        };
        let error = mirror.read_from(variable).expect_err("no secret there");
        assert!(
            error.to_string().contains("has no aws_secret_access_key"),
            "{error}"
        );
        let error = AwsKeys::default().read_from(|_| None).expect_err("nothing");
        assert!(error.to_string().contains("AWS_ACCESS_KEY_ID is not set"));
    }

    #[test]
    fn a_role_stands_in_for_nobody_who_is_named() {
        let anybody = AwsKeys::default();
        assert!(anybody.may_be_a_role(|_| None));
        for name in ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"] {
            let variable = |it: &str| (it == name).then(|| "x".to_owned());
            assert!(!anybody.may_be_a_role(variable), "{name}");
        }
        let named = AwsKeys {
            profile: Some("mirror".to_owned()),
        };
        assert!(!named.may_be_a_role(|_| None));
    }
}
