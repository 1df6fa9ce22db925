//! Where files go: always below the output folder, on every system.

/// Why a path is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path for a rendered file: {problem}")]
pub struct PathError {
    /// The path.
    pub path: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Checks a relative path whose parts are separated by `/`.
///
/// # Errors
/// When it could lead out of a folder, or not every system takes it.
pub fn check(path: &str) -> Result<(), PathError> {
    let problem = if path.is_empty() {
        "it is empty"
    } else if path.len() > 1024 {
        "it is longer than 1024 bytes"
    } else if path
        .chars()
        .any(|c| c.is_control() || matches!(c, '\\' | ':'))
    {
        "it has a character that not every system takes"
    } else if path
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        "it has an empty part, `.` or `..`"
    } else {
        return Ok(());
    };
    Err(PathError {
        path: path.to_owned(),
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn paths_stay_below_the_folder() {
        for good in ["a", "a/b.c/d-e_f", "a/..b", "a/.hidden", "a/b c"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\\..\\b", "C:/a", "a\nb", "a\0",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
