//! A declared replication factor, and a declared placement, against the live one: what has to move, what that costs, what is refused.

use std::collections::BTreeMap;

use topology::Placement;

use super::placement::{Brokers, Wanted, is_crowded, place};
use super::rails;
use super::reassign::batches;
use super::risk::{self, Assessment};
use crate::change::{Action, Block, Detail, ResourceChange};
use crate::desired::DesiredTopic;
use crate::impact::Impact;
use crate::journal::Underway;
use crate::observed::{ObservedCluster, ObservedPartition, ObservedTopic};

const REPLICATION_FACTOR: &str = "replication_factor";
const PLACEMENT: &str = "placement";

/// Another replication factor or placement, drawn up.
pub(super) struct FactorChange {
    /// Where the partitions that move are, or are on their way to.
    pub(super) from: BTreeMap<u32, Vec<i32>>,
    /// Where they will be.
    pub(super) to: BTreeMap<u32, Vec<i32>>,
    pub(super) details: Vec<Detail>,
    /// Absent where the change is refused, because then nothing moves.
    pub(super) impact: Option<Impact>,
    pub(super) blocked: Vec<Block>,
}

/// Whether replicas of the topic have to be copied or dropped, or are under way because an apply that did not end asked
/// for it.
pub(crate) fn is_to_move(
    desired: &DesiredTopic,
    live: &ObservedTopic,
    underway: Option<&Underway>,
    brokers: &Brokers,
) -> bool {
    let declared = desired.replication_factor.is_some() || !desired.placement.is_any();
    let going_on = (0_u32..)
        .zip(&live.placement)
        .any(|(index, partition)| is_ours(index, partition, underway));
    declared && (going_on || is_resized(desired, live) || crowded(desired, live, brokers) > 0)
}

/// Whether a partition has another number of replicas than declared, or will have it.
fn is_resized(desired: &DesiredTopic, live: &ObservedTopic) -> bool {
    desired.replication_factor.is_some_and(|factor| {
        live.placement.iter().any(|partition| {
            partition.replicas.len() != usize::from(factor)
                || partition.destination().len() != usize::from(factor)
        })
    })
}

/// How many partitions are on fewer racks than there can be, where that is asked for.
fn crowded(desired: &DesiredTopic, live: &ObservedTopic, brokers: &Brokers) -> usize {
    match desired.placement {
        Placement::Any => 0,
        Placement::Racks => {
            let partitions = live.placement.iter();
            partitions
                .filter(|partition| is_crowded(partition.destination(), brokers))
                .count()
        }
    }
}

/// What has to be said where a placement by racks cannot be.
pub(super) fn without_racks(desired: &DesiredTopic, brokers: &Brokers) -> Option<String> {
    let unknown: Vec<String> = brokers
        .iter()
        .filter(|(_, rack)| rack.is_none())
        .map(|(id, _)| id.to_string())
        .collect();
    (!desired.placement.is_any() && !unknown.is_empty()).then(|| {
        format!(
            "brokers without a rack ({}): where the replicas are is left to the cluster",
            unknown.join(", ")
        )
    })
}

/// Whether this is a change of where a live topic's replicas are, refused or not.
pub(crate) fn moves_replicas(change: &ResourceChange) -> bool {
    let mut details = change.details.iter();
    change.action() == Action::Update
        && details
            .any(|detail| [REPLICATION_FACTOR, PLACEMENT].contains(&detail.attribute.as_str()))
}

/// Whether the partition is on its way because an apply of ours began that.
fn is_ours(index: u32, partition: &ObservedPartition, underway: Option<&Underway>) -> bool {
    let asked = underway.and_then(|underway| underway.assignment.get(&index));
    partition.moving_to.is_some() && asked == partition.moving_to.as_ref()
}

/// What has to be done so that every partition has the declared number of replicas, where they are declared to be; `None`
/// where that is so.
pub(super) fn change(
    desired: &DesiredTopic,
    live: &ObservedTopic,
    cluster: &ObservedCluster,
    underway: Option<&Underway>,
    copy_rate: u64,
) -> Option<FactorChange> {
    let brokers = &cluster.brokers;
    if !is_to_move(desired, live, underway, brokers) {
        return None;
    }
    let wanted = Wanted {
        factor: desired.replication_factor,
        placement: desired.placement,
    };
    let foreign: Vec<u32> = (0_u32..)
        .zip(&live.placement)
        .filter(|(index, partition)| {
            partition.moving_to.is_some() && !is_ours(*index, partition, underway)
        })
        .map(|(index, _)| index)
        .collect();
    let blocked = rails::replication_change(desired, live, brokers.len(), &foreign);
    let to = if blocked.is_empty() {
        place(&live.placement, brokers, wanted)
    } else {
        BTreeMap::new()
    };
    let from = to
        .keys()
        .filter_map(|index| {
            let partition = live.placement.get(*index as usize)?;
            Some((*index, partition.destination().to_vec()))
        })
        .collect();
    let impact = blocked.is_empty().then(|| impact(live, &to, copy_rate));
    let crowded = crowded(desired, live, brokers);
    let mut details = Vec::new();
    let factor = wanted.factor;
    // what is only on its way is a part of it
    if let Some(factor) = factor.filter(|_| is_resized(desired, live) || crowded == 0) {
        let copies = live
            .placement
            .iter()
            .any(|partition| partition.replicas.len() < usize::from(factor));
        details.push(detail(
            REPLICATION_FACTOR,
            counts(&live.placement),
            factor.to_string(),
            risk::replication_change(copies),
        ));
    }
    if crowded > 0 || details.is_empty() {
        let all = live.placement.len();
        details.push(detail(
            PLACEMENT,
            format!("{crowded} of {all} partitions share racks"),
            "as many racks as there can be".to_owned(),
            risk::replication_change(true),
        ));
    }
    Some(FactorChange {
        from,
        to,
        details,
        impact,
        blocked,
    })
}

fn detail(attribute: &str, before: String, after: String, assessment: Assessment) -> Detail {
    Detail {
        attribute: attribute.to_owned(),
        before: Some(before),
        origin: None,
        after: Some(after),
        risk: assessment.risk,
        reason: assessment.reason,
    }
}

/// How many replicas the partitions have: `2`, or `1 to 3` where they differ.
fn counts(placement: &[ObservedPartition]) -> String {
    let counts = placement.iter().map(|partition| partition.replicas.len());
    let (least, most) = (counts.clone().min(), counts.max());
    match (least.unwrap_or_default(), most.unwrap_or_default()) {
        (least, most) if least == most => least.to_string(),
        (least, most) => format!("{least} to {most}"),
    }
}

fn impact(live: &ObservedTopic, to: &BTreeMap<u32, Vec<i32>>, copy_rate: u64) -> Impact {
    let extent = live.extent.clone().unwrap_or_default();
    let mut bytes = Some(0_u64);
    let mut seconds = Some(0_u64);
    for batch in batches(to) {
        // what each broker sends and receives for this batch
        let (mut sent, mut received) = (BTreeMap::new(), BTreeMap::new());
        for (index, replicas) in batch {
            let Some(partition) = live.placement.get(index as usize) else {
                continue;
            };
            let added = replicas
                .iter()
                .filter(|id| !partition.replicas.contains(id));
            for broker in added {
                let Some(size) = extent.bytes.get(&index) else {
                    (bytes, seconds) = (None, None);
                    continue;
                };
                bytes = bytes.map(|sum| sum + size);
                *received.entry(*broker).or_insert(0) += size;
                *sent.entry(partition.replicas.first()).or_insert(0) += size;
            }
        }
        let most = sent.into_values().chain(received.into_values()).max();
        let needed = most.unwrap_or(0).div_ceil(copy_rate.max(1));
        seconds = seconds.map(|sum| sum + needed);
    }
    Impact {
        partitions: to.len() as u64,
        bytes,
        bytes_per_second: copy_rate,
        seconds,
        active_groups: extent.active_groups,
    }
}
