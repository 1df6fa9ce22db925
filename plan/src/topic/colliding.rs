//! Live topics beside which Kafka creates no topic of a certain name.

use std::collections::BTreeMap;

use kafka::Cluster;

use super::ReadError;

/// Which live topic stands in the way of each of these, by name. All names are asked for only where one of these can collide.
pub(crate) async fn with(
    cluster: &Cluster,
    mut missing: Vec<&str>,
) -> Result<BTreeMap<String, String>, ReadError> {
    missing.retain(|name| name.contains(['.', '_']));
    if missing.is_empty() {
        return Ok(BTreeMap::new());
    }
    let live = cluster.metadata().await?.topics;
    Ok(among(&missing, live.keys().map(String::as_str)))
}

fn among<'a>(missing: &[&str], live: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let live: BTreeMap<String, &str> = live.map(|name| (metric_name(name), name)).collect();
    let of = |name: &&str| {
        let other = live.get(&metric_name(name))?;
        // one that came into being since is no collision
        (other != name).then(|| ((*name).to_owned(), (*other).to_owned()))
    };
    missing.iter().filter_map(of).collect()
}

/// The name as it stands in the names of metrics (`org.apache.kafka.common.internals.Topic.unifyCollisionChars`).
fn metric_name(topic: &str) -> String {
    topic.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::among;

    #[test]
    fn names_that_differ_in_dots_and_underscores_alone_collide() {
        let live = ["x_y", "a.b", "x-y"];
        let found = among(&["x.y", "a.b", "x.z"], live.into_iter());
        assert_eq!(found, [("x.y".to_owned(), "x_y".to_owned())].into());
    }
}
