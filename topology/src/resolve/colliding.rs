//! Topics of one cluster whose names are one name to the brokers' metrics.

use std::collections::BTreeMap;

use super::scope::Scope;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::spec;

/// Refuses the second of two such topics, as Kafka does.
pub(super) fn check(scope: &mut Scope<'_>, topics: &[Option<spec::Topic>]) {
    let list = Path::root().key("topics");
    let mut known: BTreeMap<(&str, String), (usize, &str)> = BTreeMap::new();
    for (at, topic) in topics.iter().enumerate() {
        let Some(topic) = topic else { continue };
        let mut collides = None;
        for alias in &topic.clusters {
            let first = known
                .entry((alias, metric_name(&topic.name)))
                .or_insert((at, &topic.name));
            if first.1 != topic.name {
                collides.get_or_insert((*first, alias));
            }
        }
        if let Some(((first, other), alias)) = collides {
            let line = scope.line(&list.index(first).key("name"));
            let span = scope.span(&list.index(at).key("name"));
            scope.add(
                Finding::new(
                    Code::CollidingTopics,
                    span,
                    format!(
                        "Kafka refuses `{}` beside `{other}` on `{alias}`",
                        topic.name
                    ),
                    "differs in `.` and `_` alone",
                )
                .hint(format!(
                    "line {line} has the other one; brokers write both as `_` in the names of metrics: choose another name"
                )),
            );
        }
    }
}

/// The name as it stands in the names of metrics (`org.apache.kafka.common.internals.Topic.unifyCollisionChars`).
fn metric_name(topic: &str) -> String {
    topic.replace('.', "_")
}
