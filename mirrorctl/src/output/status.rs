//! What `status` read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_table::Cell;
use replicator::PartitionStatus;
use serde_json::{Value, json};

use crate::output::figures::{count, counted, elapsed};
use crate::output::style::{DIM, HEAD, good, indented, number, table, unbroken, warn};

/// How far one mirror from one source is.
#[derive(Debug)]
pub(crate) struct MirrorStatus {
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the source.
    pub(crate) source: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// Each partition, sorted.
    pub(crate) partitions: Vec<PartitionStatus>,
}

impl MirrorStatus {
    fn lag(&self) -> i64 {
        self.partitions.iter().map(|partition| partition.lag).sum()
    }
}

/// A table a mirror and source.
pub(crate) fn status_human(mirrors: &[MirrorStatus], width: usize) -> String {
    let mut text = String::new();
    for status in mirrors {
        let MirrorStatus {
            mirror,
            source,
            target,
            partitions,
        } = status;
        text.push_str(&format!(
            "{HEAD}{mirror}{HEAD:#}  {source} → {target}  {DIM}{}, lag {}{DIM:#}\n",
            counted(partitions.len(), "partition"),
            count(status.lag()),
        ));
        if partitions.is_empty() {
            text.push_str("  no topic is selected\n\n");
            continue;
        }
        let header = [
            "topic",
            "on the target",
            "partition",
            "position",
            "end",
            "lag",
            "committed",
        ];
        let mut rows = table(width.saturating_sub(2), &header);
        for partition in partitions {
            rows.add_row(row(partition));
        }
        unbroken(&mut rows, 2..=5);
        text.push_str(&indented(&rows));
        text.push('\n');
    }
    // the page ends with the last table, not with an empty line
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

fn row(partition: &PartitionStatus) -> [Cell; 7] {
    let lag = count(partition.lag);
    let committed = partition.committed_at_ms.map_or_else(
        || "never".to_owned(),
        |at| match since(at) {
            recent if recent.as_secs() == 0 => "just now".to_owned(),
            time => format!("{} ago", elapsed(time)),
        },
    );
    [
        Cell::new(&partition.source_topic),
        Cell::new(&partition.target_topic),
        number(partition.partition),
        number(partition.position.map_or_else(|| "–".to_owned(), count)),
        number(count(partition.source_end)),
        if partition.lag == 0 {
            good(lag)
        } else {
            warn(lag)
        }
        .set_alignment(comfy_table::CellAlignment::Right),
        Cell::new(committed),
    ]
}

fn since(at_ms: i64) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(Duration::from_millis(u64::try_from(at_ms).unwrap_or(0)))
}

/// Every mirror with its partitions.
pub(crate) fn status_json(mirrors: &[MirrorStatus]) -> Value {
    let mirrors: Vec<Value> = mirrors
        .iter()
        .map(|status| {
            json!({
                "mirror": status.mirror,
                "source": status.source,
                "target": status.target,
                "lag": status.lag(),
                "partitions": status.partitions,
            })
        })
        .collect();
    json!({ "format_version": "1.0", "mirrors": mirrors })
}
