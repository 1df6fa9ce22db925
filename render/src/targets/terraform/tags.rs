//! Tags of what several clusters share.

use std::collections::BTreeMap;

use topology::Cluster;

/// The tags that all clusters have.
pub(super) fn tags_of_all(clusters: &[&Cluster]) -> BTreeMap<String, String> {
    let mut all = clusters.iter().map(|it| &it.infrastructure.tags);
    let mut common = all.next().cloned().unwrap_or_default();
    for tags in all {
        common.retain(|key, value| tags.get(key) == Some(value));
    }
    common
}
