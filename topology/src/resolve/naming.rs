//! Checks across mirrors: loops, and topics that would land in one.
//!
//! Whether two regular expressions overlap is not decided in general. Instead topics are tried: the declared ones, and
//! one example of each pattern. So what is reported is certain, with a topic to show for it.

use std::collections::{BTreeSet, HashSet};

use super::scope::Scope;
use crate::choices::MirrorState;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::pattern::LONGEST_TOPIC_NAME;
use crate::policy::ReplicationPolicy;
use crate::resolved::{Mirror, Topic};

/// How many steps the search for loops takes at most, for the pathological file.
const MOST_STEPS: usize = 20_000;

/// A mirror and its place in the list as written.
pub(super) type Placed<'a> = (usize, &'a Mirror);

/// One source of one mirror.
#[derive(Clone, Copy)]
struct Flow<'a> {
    at: usize,
    mirror: &'a Mirror,
    source: &'a str,
}

impl Flow<'_> {
    fn target_topic(&self, topic: &str) -> Option<String> {
        self.mirror
            .target_topic(self.source, topic)
            .filter(|name| name.len() <= LONGEST_TOPIC_NAME)
    }
}

pub(super) fn check(scope: &mut Scope<'_>, mirrors: &[Placed<'_>], topics: &[Topic]) {
    let flows: Vec<Flow<'_>> = mirrors
        .iter()
        // what is promoted never copies again: the way back may stand beside it
        .filter(|(_, mirror)| mirror.state != MirrorState::Promoted)
        .flat_map(|(at, mirror)| {
            mirror
                .sources
                .iter()
                .filter(|source| **source != mirror.target)
                .map(|source| Flow {
                    at: *at,
                    mirror,
                    source,
                })
        })
        .collect();
    overlaps(scope, &flows, topics);
    loops(scope, &flows, topics);
}

/// Topics to try on a cluster: the declared ones first, they make the better message.
fn candidates(source: &str, flows: &[Flow<'_>], topics: &[Topic]) -> Vec<String> {
    let mut names: Vec<String> = topics
        .iter()
        .filter(|topic| topic.clusters.iter().any(|alias| alias == source))
        .map(|topic| topic.name.clone())
        .collect();
    for flow in flows {
        if let Some(name) = flow.mirror.topics.include.example()
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

fn overlaps(scope: &mut Scope<'_>, flows: &[Flow<'_>], topics: &[Topic]) {
    let mut reported = BTreeSet::new();
    for (second_at, second) in flows.iter().enumerate() {
        for first in &flows[..second_at] {
            if first.mirror.target != second.mirror.target
                || reported.contains(&(first.at, second.at))
            {
                continue;
            }
            let pair = [*first, *second];
            let names = |flow: &Flow<'_>| -> Vec<(String, String)> {
                candidates(flow.source, &pair, topics)
                    .into_iter()
                    .filter_map(|topic| flow.target_topic(&topic).map(|name| (topic, name)))
                    .collect()
            };
            let firsts = names(first);
            let Some((a, b, name)) = names(second).into_iter().find_map(|(b, name)| {
                firsts
                    .iter()
                    .find(|(_, it)| *it == name)
                    .map(|(a, _)| (a.clone(), b, name.clone()))
            }) else {
                continue;
            };
            reported.insert((first.at, second.at));
            let mirror = Path::root().key("mirrors").index(second.at);
            let (message, span) = if first.at == second.at {
                (
                    format!(
                        "two sources of `{}` write to one topic of `{}`",
                        second.mirror.name, second.mirror.target
                    ),
                    scope.span(&mirror.key("source")),
                )
            } else {
                (
                    format!(
                        "`{}` and `{}` write to one topic of `{}`",
                        first.mirror.name, second.mirror.name, second.mirror.target
                    ),
                    scope.span(&mirror.key("name")),
                )
            };
            scope.add(
                Finding::new(
                    Code::OverlappingTarget,
                    span,
                    message,
                    format!(
                        "`{a}` of `{}` and `{b}` of `{}` both become `{name}`",
                        first.source, second.source
                    ),
                )
                .hint("use `replicationPolicy: {type: default}`, which puts the source's alias before the name, or patterns that do not overlap"),
            );
        }
    }
}

/// One hop of a record: the flow it takes, and its topic before.
struct Hop<'a, 'f> {
    flow: &'f Flow<'a>,
    topic: String,
}

/// The search for a record that comes round.
struct Walk<'a, 'f> {
    flows: &'f [Flow<'a>],
    seen: HashSet<(String, String)>,
    steps: usize,
}

impl<'a, 'f> Walk<'a, 'f> {
    /// The flows of a loop that a record of this topic enters, in order.
    ///
    /// A loop is a way that comes back to a cluster under the same name, or that takes one flow twice: then the name
    /// grows with each round.
    fn from(
        &mut self,
        cluster: &str,
        topic: &str,
        way: &mut Vec<Hop<'a, 'f>>,
    ) -> Option<Vec<&'f Flow<'a>>> {
        let closed = way
            .iter()
            .position(|hop| hop.flow.source == cluster && hop.topic == topic);
        if let Some(at) = closed {
            return Some(way[at..].iter().map(|hop| hop.flow).collect());
        }
        self.steps += 1;
        if self.steps > MOST_STEPS || !self.seen.insert((cluster.to_owned(), topic.to_owned())) {
            return None;
        }
        for flow in self.flows.iter().filter(|flow| flow.source == cluster) {
            let Some(name) = flow.target_topic(topic) else {
                continue;
            };
            if let Some(at) = way.iter().position(|hop| std::ptr::eq(hop.flow, flow)) {
                return Some(way[at..].iter().map(|hop| hop.flow).collect());
            }
            way.push(Hop {
                flow,
                topic: topic.to_owned(),
            });
            let found = self.from(&flow.mirror.target, &name, way);
            way.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

fn loops(scope: &mut Scope<'_>, flows: &[Flow<'_>], topics: &[Topic]) {
    let mut reported: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    let mut walk = Walk {
        flows,
        seen: HashSet::new(),
        steps: 0,
    };
    for start in flows {
        // the pattern of the flow itself makes the better example
        let nearest_first: Vec<Flow<'_>> = std::iter::once(start).chain(flows).copied().collect();
        for topic in candidates(start.source, &nearest_first, topics) {
            // what was seen on the way to one loop says nothing about the next start
            walk.seen.clear();
            let Some(way) = walk.from(start.source, &topic, &mut Vec::new()) else {
                continue;
            };
            let members: BTreeSet<usize> = way.iter().map(|flow| flow.at).collect();
            if reported.insert(members) {
                report(scope, &way, &topic);
            }
        }
    }
}

fn report(scope: &mut Scope<'_>, way: &[&Flow<'_>], topic: &str) {
    let identity = way
        .iter()
        .all(|flow| flow.mirror.policy == ReplicationPolicy::Identity);
    let Some(last) = way.iter().max_by_key(|flow| flow.at) else {
        return;
    };
    let mut round: Vec<String> = way
        .iter()
        .map(|flow| format!("`{}` → `{}`", flow.source, flow.mirror.target))
        .collect();
    round.sort_unstable();
    let span = scope.span(&Path::root().key("mirrors").index(last.at).key("target"));
    let finding = if identity && way.len() == 2 {
        Finding::new(
            Code::IdentityBothWays,
            span,
            format!(
                "`{}` and `{}` are mirrored in both directions under the same names",
                last.source, last.mirror.target
            ),
            format!("`{topic}` would travel in circles for ever"),
        )
    } else {
        Finding::new(
            Code::MirrorCycle,
            span,
            format!("mirrors form a loop: {}", round.join(", ")),
            format!("`{topic}` would travel in circles for ever"),
        )
    };
    scope.add(finding.hint(
        "with `replicationPolicy: {type: default}` names show where a record came from, and loops end; or choose patterns that do not meet",
    ));
}
