//! Values on the command line that clap has no parser for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use conformance::{Sample, Since};
use topology::Pattern;

use crate::output::counted;

/// Why a text is no duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number with a unit: 500ms, 60s, 5m or 1h")]
pub(crate) struct NotADuration;

/// `500ms`, `60s`, `5m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, NotADuration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or(NotADuration)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| NotADuration)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(NotADuration),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or(NotADuration)
}

/// Why a text is no pause.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a pause with a unit, at least 100ms: 500ms, 60s, 5m or 1h")]
pub(crate) struct NotAPause;

/// Between two looks at clusters, which are not to be kept busy with that.
pub(crate) fn pause(text: &str) -> Result<Duration, NotAPause> {
    let pause = duration(text).map_err(|_| NotAPause)?;
    (pause >= Duration::from_millis(100))
        .then_some(pause)
        .ok_or(NotAPause)
}

/// Why a text is no rate.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected bytes a second with a unit, at least 1kB: 500kB, 50MB, 1.5GiB")]
pub(crate) struct NotARate;

/// `50MB`: bytes a second. Less than a thousand would never end.
pub(crate) fn byte_rate(text: &str) -> Result<u64, NotARate> {
    topology::byte_size(text)
        .filter(|rate| *rate >= 1_000 && i64::try_from(*rate).is_ok())
        .ok_or(NotARate)
}

/// A regular expression for whole names, as in the topology.
pub(crate) fn pattern(text: &str) -> Result<Pattern, topology::PatternError> {
    Pattern::new(text)
}

/// Two clusters of the demo hold this many records in less than 4 GB.
const MOST_IN_MEMORY: u64 = 5_000_000;

/// Why a text is no number of records.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotACount {
    /// No number from one on.
    #[error("expected a whole number, at least 1")]
    NotPositive,
    /// More than the demo's memory is for.
    #[error("expected a number from 1 to 5000000: the clusters keep all records in memory")]
    NotForMemory,
}

/// `1` and more.
pub(crate) fn at_least_one(text: &str) -> Result<u64, NotACount> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        Ok(_) | Err(_) => Err(NotACount::NotPositive),
    }
}

/// What the demo's clusters can hold.
pub(crate) fn records_in_memory(text: &str) -> Result<u64, NotACount> {
    match at_least_one(text) {
        Ok(number) if number <= MOST_IN_MEMORY => Ok(number),
        Ok(_) | Err(_) => Err(NotACount::NotForMemory),
    }
}

/// How far behind is too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LagLimit {
    /// The age of the oldest record that is not on the target.
    Time(Duration),
    /// Records of a mirror that are not on the target.
    Records(u64),
    /// What the topology declares as `slo.lag`.
    Objective,
}

impl std::fmt::Display for LagLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "{limit:?}"),
            Self::Records(limit) => f.write_str(&counted(*limit as usize, "record")),
            Self::Objective => f.write_str("the objective (slo.lag)"),
        }
    }
}

/// Why a text is no limit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time (30s), a number of records (1000), or `slo` for what the topology declares"
)]
pub(crate) struct NotALagLimit;

/// `30s`, `1000`, `slo`.
pub(crate) fn lag_limit(text: &str) -> Result<LagLimit, NotALagLimit> {
    if text == "slo" {
        return Ok(LagLimit::Objective);
    }
    let records = text
        .parse()
        .map(LagLimit::Records)
        .map_err(|_| NotALagLimit);
    records.or_else(|error| duration(text).map(LagLimit::Time).map_err(|_| error))
}

/// Why a text is no place to compare from.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a time (2026-11-21T10:00:00Z), how long ago (2h), or an offset of each source partition (120000)"
)]
pub(crate) struct NotAStart;

/// `2026-11-21T10:00:00Z`, `2h` (ago), `120000`.
pub(crate) fn since(text: &str) -> Result<Since, NotAStart> {
    if text.chars().all(|c| c.is_ascii_digit()) {
        return text.parse().map(Since::Offset).map_err(|_| NotAStart);
    }
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(Since::Millis(at.timestamp_millis()));
    }
    let ago = duration(text).map_err(|_| NotAStart)?;
    let ago = i64::try_from(ago.as_millis()).map_err(|_| NotAStart)?;
    Ok(Since::Millis(now_ms() - ago))
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// Why a text is no share.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of percent from 0.01 to 100")]
pub(crate) struct NotAShare;

/// `10`, `0.5`, `10%`.
pub(crate) fn share(text: &str) -> Result<Sample, NotAShare> {
    let percent = text.strip_suffix('%').unwrap_or(text);
    let percent: f64 = percent.trim().parse().map_err(|_| NotAShare)?;
    Sample::percent(percent).ok_or(NotAShare)
}

/// Why a text is no address to listen on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a port or host:port, for example 9464 or 0.0.0.0:9464")]
pub(crate) struct NotAnAddress;

/// `9464`, `127.0.0.1:9464`, `[::1]:9464`, `localhost:9464`. A port alone is for this machine only.
pub(crate) fn listen_address(text: &str) -> Result<String, NotAnAddress> {
    if text.parse::<u16>().is_ok() {
        return Ok(format!("127.0.0.1:{text}"));
    }
    let (host, port) = text.rsplit_once(':').ok_or(NotAnAddress)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(NotAnAddress);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_from_one_to_what_memory_holds() {
        assert_eq!(at_least_one("1"), Ok(1));
        assert_eq!(at_least_one("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(records_in_memory("5000000"), Ok(MOST_IN_MEMORY));
        for wrong in ["", "0", "-1", "1e3", "18446744073709551616"] {
            assert_eq!(at_least_one(wrong), Err(NotACount::NotPositive), "{wrong}");
            assert_eq!(
                records_in_memory(wrong),
                Err(NotACount::NotForMemory),
                "{wrong}"
            );
        }
        assert_eq!(records_in_memory("5000001"), Err(NotACount::NotForMemory));
    }

    #[test]
    fn a_rate_is_written_as_sizes_are_in_a_topology() {
        assert_eq!(byte_rate("50MB"), Ok(50_000_000));
        assert_eq!(byte_rate("1.5GiB"), Ok(1_610_612_736));
        assert_eq!(byte_rate("1kB"), Ok(1_000));
        for wrong in ["", "50", "0MB", "999B", "-1MB", "50 MB/s", "18000000TB"] {
            assert_eq!(byte_rate(wrong), Err(NotARate), "{wrong}");
        }
    }

    #[test]
    fn a_lag_limit_is_a_time_or_a_number_or_the_objective() {
        assert_eq!(
            lag_limit("30s"),
            Ok(LagLimit::Time(Duration::from_secs(30)))
        );
        assert_eq!(lag_limit("1000"), Ok(LagLimit::Records(1000)));
        assert_eq!(lag_limit("slo"), Ok(LagLimit::Objective));
        for wrong in ["", "-1", "30 s", "many"] {
            assert_eq!(lag_limit(wrong), Err(NotALagLimit), "{wrong}");
        }
    }

    #[test]
    fn a_start_is_a_time_or_an_offset() {
        assert_eq!(since("120000"), Ok(Since::Offset(120_000)));
        assert_eq!(since("1970-01-01T00:00:02+00:00"), Ok(Since::Millis(2_000)));
        let Ok(Since::Millis(at)) = since("1h") else {
            panic!("an hour ago");
        };
        let ago = now_ms() - at;
        assert!((3_600_000..3_660_000).contains(&ago), "{ago}");
        for wrong in ["", "-1", "yesterday", "2026-11-21", "99999999999999999999"] {
            assert_eq!(since(wrong), Err(NotAStart), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_in_percent() {
        assert_eq!(share("10"), share("10.0%"));
        assert!(share("0.01").is_ok() && share("100").is_ok());
        for wrong in ["", "0", "101", "-5", "ten", "NaN"] {
            assert_eq!(share(wrong), Err(NotAShare), "{wrong}");
        }
    }

    #[test]
    fn a_port_alone_is_for_this_machine() {
        assert_eq!(listen_address("9464"), Ok("127.0.0.1:9464".to_owned()));
        assert_eq!(listen_address("[::1]:0"), Ok("[::1]:0".to_owned()));
        assert_eq!(
            listen_address("localhost:9464"),
            Ok("localhost:9464".to_owned())
        );
        for wrong in [
            "",
            "localhost",
            ":9464",
            "127.0.0.1:",
            "127.0.0.1:70000",
            "70000",
        ] {
            assert_eq!(listen_address(wrong), Err(NotAnAddress), "{wrong}");
        }
    }

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(duration("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("2h"), Ok(Duration::from_hours(2)));
        for wrong in [
            "",
            "60",
            "s",
            "-1s",
            "1.5s",
            "1d",
            "99999999999999999999h",
            "18446744073709551615h",
        ] {
            assert_eq!(duration(wrong), Err(NotADuration), "{wrong}");
        }
    }

    #[test]
    fn a_pause_is_more_than_none() {
        assert_eq!(pause("100ms"), Ok(Duration::from_millis(100)));
        for wrong in ["0s", "99ms", "2"] {
            assert_eq!(pause(wrong), Err(NotAPause), "{wrong}");
        }
    }
}
