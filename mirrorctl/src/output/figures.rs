//! Numbers as people read them.

use std::time::Duration;

pub(crate) use plan::text::count;

/// The number, or `?` where it is not known.
pub(crate) fn known(number: Option<i64>) -> String {
    number.map_or_else(|| "?".to_owned(), count)
}

/// `1 topic`, `2 topics`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number as i128))
}

/// `12.3 MB`, in powers of ten.
pub(crate) fn bytes(number: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = number.max(0.0);
    let mut unit = 0;
    // 999.95 would round up to 1000.0
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{value:.0} B")
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// `12 ms`, `4.2 s`, `75 s`, `3 min 20 s`, `2 h 5 min`, `3 d 2 h`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds == 0 {
        format!("{} ms", time.as_millis())
    } else if seconds < 10 {
        format!("{:.1} s", time.as_secs_f64())
    } else if seconds < 120 {
        format!("{seconds} s")
    } else if seconds < 7200 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else if seconds < 2 * 86_400 {
        format!("{} h {} min", seconds / 3600, seconds % 3600 / 60)
    } else {
        format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600)
    }
}

/// Amount per second.
pub(crate) fn rate(amount: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 {
        amount as f64 / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!(counted(1, "topic"), "1 topic");
        assert_eq!(counted(2000, "topic"), "2,000 topics");
    }

    #[test]
    fn bytes_take_the_unit_that_fits() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1_000.0), "1.0 kB");
        assert_eq!(bytes(999_999.0), "1.0 MB");
        assert_eq!(bytes(12_345_678.0), "12.3 MB");
    }

    #[test]
    fn times_get_coarser_as_they_grow() {
        let text = |seconds: f64| elapsed(Duration::from_secs_f64(seconds));
        assert_eq!(text(0.0444), "44 ms");
        assert_eq!(text(4.44), "4.4 s");
        assert_eq!(text(75.2), "75 s");
        assert_eq!(text(200.0), "3 min 20 s");
        assert_eq!(text(7500.0), "2 h 5 min");
        assert_eq!(text(266_400.0), "3 d 2 h");
    }
}
