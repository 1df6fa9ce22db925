//! Promises of a mirror that the declared topics do not allow.

use super::naming::Placed;
use super::scope::Scope;
use crate::choices::{Delivery, Engine};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::{Mirror, Topic};

pub(super) fn check(scope: &mut Scope<'_>, mirrors: &[Placed<'_>], topics: &[Topic]) {
    for (at, mirror) in mirrors {
        if mirror.delivery == Delivery::ExactlyOnce && mirror.engine == Engine::Builtin {
            exactly_once(scope, *at, mirror, topics);
        }
    }
}

/// The first topic is shown for all: leaving them out is one change of a pattern.
fn exactly_once(scope: &mut Scope<'_>, at: usize, mirror: &Mirror, topics: &[Topic]) {
    let compacted = topics.iter().filter(|topic| {
        topic
            .configs
            .get("cleanup.policy")
            .is_some_and(|policy| policy.contains("compact"))
    });
    for topic in compacted {
        let on = |alias: &String| topic.clusters.contains(alias);
        let copied_from = mirror
            .sources
            .iter()
            .find(|source| on(source) && mirror.target_topic(source, &topic.name).is_some());
        if let Some(source) = copied_from {
            let path = Path::root().key("mirrors").index(at).key("delivery");
            let span = scope.span(&path);
            scope.add(
                Finding::new(
                    Code::ExactlyOnceCompacted,
                    span,
                    format!(
                        "`{}` promises exactly-once for `{}`, which is compacted on `{source}`",
                        mirror.name, topic.name
                    ),
                    "not possible for a compacted topic",
                )
                .hint(
                    "compaction takes away what exactly-once counts by: exclude the topic here, and copy it in a mirror with \
                     `delivery: at-least-once`, where a repetition leaves its last values as they are",
                ),
            );
            return;
        }
    }
}
