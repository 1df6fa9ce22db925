//! What a user may choose about a target, and what can be chosen.
//!
//! A value is checked when it is given, before anything is rendered: targets use what they are given as it is.

use std::net::Ipv6Addr;

/// Something to choose about a target, `--set TARGET.NAME=VALUE`.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The values it takes.
    pub takes: Takes,
}

/// The values of a setting.
#[derive(Debug)]
pub enum Takes {
    /// One of these; the default comes first.
    OneOf(&'static [&'static str]),
    /// Any text that this finds nothing wrong with. What is wrong is said as the end of a sentence that begins with the value.
    Text(fn(&str) -> Result<(), String>),
}

impl Setting {
    /// The words that it takes; none where it takes a text.
    pub fn values(&self) -> &'static [&'static str] {
        match self.takes {
            Takes::OneOf(values) => values,
            Takes::Text(_) => &[],
        }
    }

    /// What is wrong with a value.
    pub(crate) fn check(&self, value: &str) -> Result<(), String> {
        match self.takes {
            Takes::OneOf(values) if values.contains(&value) => Ok(()),
            Takes::OneOf(values) => Err(format!("is none of {}", values.join(", "))),
            Takes::Text(check) => check(value),
        }
    }
}

/// A text on one line. Control characters end lines, and with them comments and statements.
pub(crate) fn line(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        Err("is empty".to_owned())
    } else if text.chars().any(char::is_control) {
        Err("has a control character or the end of a line in it".to_owned())
    } else {
        Ok(())
    }
}

/// A number of something, 1 or more.
pub(crate) fn count(text: &str) -> Result<(), String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(1..) if digits => Ok(()),
        Ok(_) | Err(_) => Err("is no number from 1 to 65535".to_owned()),
    }
}

/// A name of a machine, or its address.
pub(crate) fn host(text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(legal);
    if name || text.parse::<Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err("is no machine: a host name or an IP address".to_owned())
    }
}

/// A name of an image, as the OCI distribution specification and container engines read it:
/// `[HOST[:PORT]/]PATH[:TAG][@ALGORITHM:DIGEST]`.
pub(crate) fn image(text: &str) -> Result<(), String> {
    let wrong =
        || "is no name of an image: write it as in registry.example/team/name:1.2".to_owned();
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest {
        let (algorithm, hash) = digest.split_once(':').ok_or_else(wrong)?;
        let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if algorithm.is_empty()
            || !algorithm.chars().all(|c| c.is_ascii_alphanumeric())
            || hash.len() < 32
            || !hash.chars().all(hex)
        {
            return Err(wrong());
        }
    }
    let last = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last..].split_once(':') {
        Some((short, tag)) => (&rest[..last + short.len()], Some(tag)),
        None => (rest, None),
    };
    let in_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let tag_fits = tag.is_none_or(|tag| {
        tag.len() <= 128
            && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag.chars().all(in_tag)
    });
    let mut parts = name.split('/').enumerate();
    let several = name.contains('/');
    let name_fits = name.len() <= 255
        && parts.all(|(at, part)| {
            let registry = at == 0 && several && (part.contains(['.', ':']) || part == "localhost");
            if registry {
                is_registry(part)
            } else {
                is_path_part(part)
            }
        });
    if tag_fits && name_fits {
        Ok(())
    } else {
        Err(wrong())
    }
}

fn is_registry(text: &str) -> bool {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(legal)
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_path_part(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain)
        && text.ends_with(plain)
        && text
            .chars()
            .all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_names_that_engines_take() {
        let digest = format!("registry:5000/a/b@sha256:{}", "0f".repeat(32));
        for good in [
            "scratch",
            "mirrorctl:1.2.3",
            "gcr.io/distroless/cc-debian12:nonroot",
            "localhost/a_b/c--d",
            "127.0.0.1:5000/x:y",
            &digest,
        ] {
            assert_eq!(image(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a\nRUN rm",
            "Upper/case",
            "a//b",
            "/a",
            "a/",
            "a:",
            "a:-x",
            "a:b:c",
            "-a",
            "a@sha256",
            "a@sha256:zz",
            "host:port/x",
        ] {
            assert!(image(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn counts_and_machines() {
        for good in ["1", "16", "65535"] {
            assert_eq!(count(good), Ok(()), "{good}");
        }
        for bad in ["", "0", "-1", "+1", "1.5", "65536", "many"] {
            assert!(count(bad).is_err(), "{bad}");
        }
        for good in ["kafka1", "kafka-1.dc1.example", "10.0.0.1", "fd00::1"] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        for bad in ["", "-x", "a b", "{{ x }}", "a:22", "a,b", "a\nb"] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }
}
