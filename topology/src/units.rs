//! Durations and sizes, from text to numbers.

use std::time::Duration;

use crate::spec::SizeText;

/// Reads `60s`. Nothing when the form is not that of `DURATION_PATTERN`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// Reads a number of bytes, such as `50MB` or `1.5GiB`, as a topology has them; nothing when the text is none.
pub fn byte_size(text: &str) -> Option<u64> {
    size_text(text)
}

/// Reads a number of bytes. Nothing when the form is not that of `BYTES_PATTERN` or the number is too large.
pub(crate) fn size(size: &SizeText) -> Option<u64> {
    match size {
        SizeText::Bytes(bytes) => Some(*bytes),
        SizeText::Text(text) => size_text(text),
    }
}

fn size_text(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let unit: u128 = match unit.trim_start() {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" | "Ki" => 1 << 10,
        "MiB" | "Mi" => 1 << 20,
        "GiB" | "Gi" => 1 << 30,
        "TiB" | "Ti" => 1 << 40,
        _ => return None,
    };
    // thousandths, so that `1.5GiB` stays exact
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 3 {
        return None;
    }
    let thousandths: u128 = format!("{whole}{fraction:0<3}").parse().ok()?;
    u64::try_from(thousandths * unit / 1_000).ok()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::spec::{BYTES_PATTERN, DURATION_PATTERN};

    #[test]
    fn reads_durations() {
        for (text, millis) in [
            ("250ms", 250),
            ("60s", 60_000),
            ("5m", 300_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in ["60", "s", "1.5s", "60 s", "60sec", "-1s", ""] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("50MB", 50_000_000),
            ("32MiB", 32 << 20),
            ("20Gi", 20 << 30),
            ("1.5KiB", 1_536),
            ("7 kB", 7_000),
            ("0.25MB", 250_000),
        ] {
            assert_eq!(size_text(text), Some(bytes), "{text}");
        }
        for text in [
            "50",
            "50mb",
            "MB",
            "1.2.3MB",
            ".5MB",
            "50 megabytes",
            "99999999999TB",
        ] {
            assert_eq!(size_text(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_schema_accepts_can_be_read() {
        let durations = Regex::new(DURATION_PATTERN).unwrap();
        let sizes = Regex::new(BYTES_PATTERN).unwrap();
        for number in ["0", "1", "9999999"] {
            for unit in ["ms", "s", "m", "h", "d"] {
                let text = format!("{number}{unit}");
                assert_eq!(
                    durations.is_match(&text),
                    duration(&text).is_some(),
                    "{text}"
                );
            }
            for unit in [
                "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "Gi", "Ti", " GiB", "b", "kb",
                "KI",
            ] {
                for fraction in ["", ".5", ".125", ".1234"] {
                    let text = format!("{number}{fraction}{unit}");
                    assert_eq!(sizes.is_match(&text), size_text(&text).is_some(), "{text}");
                }
            }
        }
    }
}
