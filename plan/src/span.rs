//! Spans of time as people read them: one way for all of a plan.

const UNITS: [(i64, &str); 4] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "min"),
    (1_000, "s"),
];

/// Milliseconds in the largest unit that expresses them exactly; nothing below a second.
pub(crate) fn exact(millis: i64) -> Option<String> {
    let mut units = UNITS.iter();
    let (size, name) = units.find(|(size, _)| millis >= *size && millis % size == 0)?;
    Some(format!("{} {name}", millis / size))
}

/// Milliseconds in the largest unit that expresses them exactly, or, rounded down, of which there are two.
pub(crate) fn rounded(millis: i64) -> String {
    let fits =
        |(size, _): &&(i64, &str)| millis >= 2 * size || (millis >= *size && millis % size == 0);
    UNITS.iter().find(fits).map_or_else(
        || format!("{millis} ms"),
        |(size, name)| format!("{} {name}", millis / size),
    )
}

#[cfg(test)]
mod tests {
    use super::{exact, rounded};

    #[test]
    fn a_day_is_a_day_everywhere() {
        for (millis, text) in [
            (86_400_000, "1 d"),
            (90_000_000, "25 h"),
            (3_600_000, "1 h"),
            (5_400_000, "90 min"),
            (1_000, "1 s"),
        ] {
            assert_eq!(exact(millis).as_deref(), Some(text));
            assert_eq!(rounded(millis), text);
        }
        assert_eq!(exact(1_500), None);
        assert_eq!(exact(0), None);
        assert_eq!(rounded(1_500), "1500 ms");
        assert_eq!(rounded(93_784_123), "26 h");
        assert_eq!(rounded(0), "0 ms");
        assert_eq!(rounded(i64::MAX), "106751991167 d");
    }
}
