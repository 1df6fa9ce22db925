//! What the gap ledger of a target says.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use comfy_table::Cell;
use replicator::{Gap, GapKey, GapKind};
use serde_json::{Value, json};

use crate::output::figures::{count, counted};
use crate::output::style::{DIM, HEAD, indented, number, table, unbroken, warn};

/// The gaps of one mirror.
#[derive(Debug)]
pub(crate) struct MirrorGaps {
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// Sorted by source cluster, topic, partition and offset.
    pub(crate) gaps: BTreeMap<GapKey, Gap>,
}

/// A table a mirror.
pub(crate) fn gaps_human(mirrors: &[MirrorGaps], width: usize) -> String {
    let mut text = String::new();
    for MirrorGaps {
        mirror,
        target,
        gaps,
    } in mirrors
    {
        text.push_str(&format!(
            "{HEAD}{mirror}{HEAD:#}  → {target}  {DIM}{}{DIM:#}\n",
            counted(gaps.len(), "gap"),
        ));
        if gaps.is_empty() {
            text.push('\n');
            continue;
        }
        let header = [
            "topic",
            "partition",
            "kind",
            "from",
            "to",
            "noted",
            "reason",
        ];
        let mut rows = table(width.saturating_sub(2), &header);
        for (key, gap) in gaps {
            rows.add_row([
                Cell::new(&key.topic),
                number(key.partition),
                warn(kind(key.kind)),
                number(count(key.from)),
                number(gap.to.map_or_else(|| "–".to_owned(), count)),
                Cell::new(time(gap.at_ms)),
                Cell::new(format!("{} ({})", gap.reason, gap.policy)),
            ]);
        }
        unbroken(&mut rows, 1..=5);
        text.push_str(&indented(&rows));
        text.push('\n');
    }
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

fn kind(kind: GapKind) -> &'static str {
    match kind {
        GapKind::Deleted => "deleted",
        GapKind::Truncation => "truncation",
        GapKind::TopicReset => "topic reset",
        GapKind::TargetReset => "target reset",
        GapKind::Oversize => "oversize",
    }
}

/// RFC 3339, UTC, to the second; a time that cannot be is shown as it was noted.
fn time(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms).map_or_else(
        || at_ms.to_string(),
        |time| time.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

/// Every mirror with its gaps.
pub(crate) fn gaps_json(mirrors: &[MirrorGaps], unreached: &[String]) -> Value {
    let mirrors: Vec<Value> = mirrors
        .iter()
        .map(|of| {
            let gaps: Vec<Value> = of
                .gaps
                .iter()
                .map(|(key, gap)| {
                    json!({
                        "source_cluster_id": key.source_cluster_id,
                        "source_topic": key.topic,
                        "source_topic_id": key.source_topic_id,
                        "lost_epoch": key.lost_epoch,
                        "target_topic": gap.target_topic,
                        "partition": key.partition,
                        "kind": key.kind,
                        "from": key.from,
                        "to": gap.to,
                        "records": gap.records,
                        "resumed_at": gap.resumed_at,
                        "reason": gap.reason,
                        "policy": gap.policy,
                        "at_ms": gap.at_ms,
                    })
                })
                .collect();
            json!({ "mirror": of.mirror, "target": of.target, "gaps": gaps })
        })
        .collect();
    json!({ "format_version": "1.0", "mirrors": mirrors, "unreached": unreached })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_says_what_is_missing_why_and_by_which_policy() {
        let key = GapKey {
            mirror: "pay".to_owned(),
            source_cluster_id: "abc".to_owned(),
            topic: "orders".to_owned(),
            partition: 2,
            from: 1_000,
            kind: GapKind::Deleted,
            source_topic_id: "id".to_owned(),
            lost_epoch: None,
        };
        let gap = Gap {
            version: 1,
            target_topic: "dc1.orders".to_owned(),
            to: Some(2_500),
            records: None,
            resumed_at: 2_500,
            reason: "deleted on the source".to_owned(),
            policy: "onDataLoss: continue".to_owned(),
            at_ms: 1_767_225_600_000,
        };
        let mirrors = [MirrorGaps {
            mirror: "pay".to_owned(),
            target: "aws".to_owned(),
            gaps: BTreeMap::from([(key, gap)]),
        }];
        let human = gaps_human(&mirrors, 200);
        for said in [
            "1 gap",
            "orders",
            "deleted",
            "1,000",
            "2,500",
            "2026-01-01T00:00:00Z",
            "onDataLoss: continue",
        ] {
            assert!(human.contains(said), "{said} is not in\n{human}");
        }
        let json = gaps_json(&mirrors, &[]);
        assert_eq!(json["mirrors"][0]["gaps"][0]["kind"], "deleted");
        assert_eq!(json["mirrors"][0]["gaps"][0]["to"], 2_500);
    }
}
