//! Variables of the environment that hold secrets, and what systemd gives services instead.

use std::env::VarError;
use std::path::Path;

use zeroize::Zeroizing;

/// Where systemd puts the credentials of a service (`LoadCredential=`, see systemd.exec(5)).
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The variable of this name; where it is not set, the credential of this name, without one line end after it. Nothing
/// where there is neither; what is wrong with it, in words, where it cannot be read.
pub(super) fn read(name: &str) -> Result<Option<Zeroizing<String>>, String> {
    read_from(name, |name| std::env::var(name))
}

fn read_from(
    name: &str,
    variable: impl Fn(&str) -> Result<String, VarError>,
) -> Result<Option<Zeroizing<String>>, String> {
    match variable(name) {
        Ok(text) => return Ok(Some(Zeroizing::new(text))),
        Err(VarError::NotUnicode(_)) => {
            return Err(format!("the environment variable {name} is not UTF-8"));
        }
        Err(VarError::NotPresent) => {}
    }
    // what names a file elsewhere is no credential
    let Ok(folder) = variable(CREDENTIALS) else {
        return Ok(None);
    };
    if name.is_empty() || name.contains('/') || name == ".." || name == "." {
        return Ok(None);
    }
    let path = Path::new(&folder).join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(without_line_end(&Zeroizing::new(text)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// One line end after a secret does not belong to it.
pub(super) fn without_line_end(text: &str) -> Zeroizing<String> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Zeroizing::new(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_before_a_credential() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("PW"), "from systemd\n").expect("write");
        let directory = folder.path().display().to_string();
        let environment = |set: Option<&'static str>| {
            let directory = directory.clone();
            move |name: &str| match name {
                "PW" => set.map(str::to_owned).ok_or(VarError::NotPresent),
                CREDENTIALS => Ok(directory.clone()),
                _ => Err(VarError::NotPresent),
            }
        };
        let read = |set, name| {
            read_from(name, environment(set))
                .expect("readable")
                .map(|text| text.to_string())
        };
        assert_eq!(read(Some("set"), "PW").as_deref(), Some("set"));
        assert_eq!(read(None, "PW").as_deref(), Some("from systemd"));
        assert_eq!(read(None, "OTHER"), None);
    }

    #[test]
    fn credentials_are_files_of_one_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let inner = folder.path().join("credentials");
        std::fs::create_dir(&inner).expect("folder");
        std::fs::write(folder.path().join("outside"), "x").expect("write");
        let environment = |name: &str| match name {
            CREDENTIALS => Ok(inner.display().to_string()),
            _ => Err(VarError::NotPresent),
        };
        for name in ["../outside", "..", ".", ""] {
            assert_eq!(read_from(name, environment), Ok(None), "{name}");
        }
        // a folder of that name cannot be read, which is not the same as nothing
        std::fs::create_dir(inner.join("PW")).expect("folder");
        assert!(read_from("PW", environment).is_err());
    }

    #[test]
    fn without_systemd_there_are_variables_alone() {
        assert_eq!(read_from("PW", |_| Err(VarError::NotPresent)), Ok(None));
    }
}
