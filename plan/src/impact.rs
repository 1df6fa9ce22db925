//! What moving data asks of a cluster.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The blast radius of a change that moves data. For people: nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Partitions that move.
    pub partitions: u64,
    /// Bytes that are copied between brokers; absent where the brokers do not tell their sizes.
    pub bytes: Option<u64>,
    /// Bytes a second that each broker may send and receive for it.
    pub bytes_per_second: u64,
    /// How long copying takes at that rate, in seconds; records that are written meanwhile come on top.
    pub seconds: Option<u64>,
    /// Consumer groups with members that read the resource.
    pub active_groups: Vec<String>,
}

impl Impact {
    /// As sentences.
    pub(crate) fn notes(&self) -> Vec<String> {
        let partitions = if self.partitions == 1 {
            "1 partition is reassigned".to_owned()
        } else {
            format!("{} partitions are reassigned", self.partitions)
        };
        let rate = size(self.bytes_per_second);
        let copied = match (self.bytes, self.seconds) {
            (Some(0), _) => "nothing is copied".to_owned(),
            (Some(bytes), Some(seconds)) => format!(
                "{} are copied, about {} at {rate}/s a broker",
                size(bytes),
                time(seconds)
            ),
            (Some(_) | None, _) => format!(
                "how many bytes are copied, at {rate}/s a broker, could not be read (it needs Describe on the cluster)"
            ),
        };
        let mut notes = vec![format!("{partitions}: {copied}")];
        if !self.active_groups.is_empty() {
            notes.push(format!(
                "consumer groups with members read it: {}",
                self.active_groups.join(", ")
            ));
        }
        notes
    }
}

/// In the largest unit that leaves a whole number before the point.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    match unit {
        Some((unit, name)) => {
            let tenths = bytes / (unit / 10);
            match tenths % 10 {
                0 => format!("{} {name}", tenths / 10),
                rest => format!("{}.{rest} {name}", tenths / 10),
            }
        }
        None => format!("{bytes} bytes"),
    }
}

fn time(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{} s", seconds.max(1)),
        120..=7_199 => format!("{} min", seconds.div_ceil(60)),
        7_200..=172_799 => format!("{} h", seconds.div_ceil(3_600)),
        172_800.. => format!("{} d", seconds.div_ceil(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Impact, size, time};

    #[test]
    fn sizes_and_times_read_well() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (20_000_000, "20 MB"),
            (1_250_000_000, "1.2 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        for (seconds, text) in [
            (0, "1 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_201, "3 h"),
            (172_801, "3 d"),
        ] {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn what_is_not_known_is_said_to_be_so() {
        let unknown = Impact {
            partitions: 1,
            bytes: None,
            bytes_per_second: 1_000,
            seconds: None,
            active_groups: vec!["billing".to_owned()],
        };
        let notes = unknown.notes();
        assert!(notes[0].contains("could not be read"), "{notes:?}");
        assert!(notes[1].ends_with("billing"), "{notes:?}");
    }
}
