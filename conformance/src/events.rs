//! What was done to a mirror while records were written and copied: faults, each from its beginning to its end.
//!
//! Whoever carries out the faults writes them as a JSON array of [`FaultEvent`], in the order in which they began; the judge
//! sets what it saw against them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEvent {
    /// Wall clock at its beginning, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Wall clock when it was over; `None` of one that has no duration, such as a response that was dropped, and of one
    /// that never ended.
    #[serde(default)]
    pub until_ms: Option<i64>,
    /// What it was, as in the scenario: `kill`, `freeze`, `cut`.
    pub fault: String,
    /// To what it was done, as in the scenario: `engine`, `source`, `target-link`.
    pub target: String,
}

#[cfg(test)]
mod tests {
    use super::FaultEvent;

    #[test]
    fn the_end_may_be_left_out_and_nothing_else() {
        let whole = r#"[{"at_ms": 5, "until_ms": 9, "fault": "kill", "target": "engine"},
                        {"at_ms": 7, "fault": "drop-response", "target": "target-link"}]"#;
        let events: Vec<FaultEvent> = serde_json::from_str(whole).expect("events");
        let ends: Vec<Option<i64>> = events.iter().map(|event| event.until_ms).collect();
        assert_eq!(ends, [Some(9), None]);
        for wrong in [
            r#"[{"fault": "kill", "target": "engine"}]"#,
            r#"[{"at_ms": 5, "fault": "kill", "target": "engine", "end": 9}]"#,
        ] {
            let read = serde_json::from_str::<Vec<FaultEvent>>(wrong);
            assert!(read.is_err(), "{read:?}");
        }
    }
}
