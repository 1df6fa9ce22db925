//! What was found, added to a topology that somebody wrote: its lines stay as they are.

use super::yaml::{comment, line, write_list};
use super::{Imported, ImportedTopic};
use crate::access::AclBinding;
use crate::resolved::Topology;
use crate::tree;

/// Why nothing was added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unaddable {
    /// The key is there and its entries are not lines of their own.
    #[error("the entries of `{key}` are not lines that begin with `-`, so that none can be added")]
    NoLines {
        /// The key.
        key: &'static str,
    },
}

impl Imported {
    /// Without what `declared` has already, and without topics that its guards forbid touching.
    #[must_use]
    pub fn beyond(mut self, declared: &Topology) -> Self {
        self.topics
            .retain(|topic| !has_topic(declared, topic) && !is_guarded(declared, topic));
        self.users.retain(|user| {
            let mut users = declared.users.iter();
            !users.any(|it| it.cluster == user.cluster && it.name == user.name)
        });
        self.quotas.retain(|quota| {
            let mut quotas = declared.quotas.iter();
            !quotas.any(|it| it.cluster == quota.cluster && it.entity == quota.entity)
        });
        for acl in &mut self.acls {
            let rules = acl.bindings();
            let is_new = |rule: &AclBinding| {
                let mut acls = declared.acls.iter();
                !acls.any(|it| it.cluster == acl.cluster && it.binding == *rule)
            };
            let rules = rules.into_iter().filter(is_new);
            acl.operations = rules.map(|rule| rule.operation).collect();
        }
        self.acls.retain(|acl| !acl.operations.is_empty());
        self
    }

    /// The topology in `text` with these resources as well: at the end of the list where there is one, else at the end of the
    /// file, where remarks are put as comments. Clusters and mirrors are not added.
    ///
    /// # Errors
    /// When a list is written in another form than the usual one.
    pub fn added_to(&self, text: &str) -> Result<String, Unaddable> {
        let mut whole = text.to_owned();
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push('\n');
        }
        let written = tree::read(text).0.map(|tree| tree.to_json());
        let is_written = |key| written.as_ref().is_some_and(|it| it.get(key).is_some());
        for (key, items) in self.resources() {
            if items.is_empty() {
                continue;
            }
            if is_written(key) {
                whole = with_items(&whole, key, &items).ok_or(Unaddable::NoLines { key })?;
            } else {
                write_list(&mut whole, key, &items);
            }
        }
        for remark in &self.remarks {
            let remark = comment(remark);
            if !whole.lines().any(|line| line == remark) {
                line(&mut whole, &remark);
            }
        }
        Ok(whole)
    }
}

fn has_topic(declared: &Topology, topic: &ImportedTopic) -> bool {
    let mut topics = declared.topics.iter();
    topics.any(|it| it.name == topic.name && it.clusters.contains(&topic.cluster))
}

fn is_guarded(declared: &Topology, topic: &ImportedTopic) -> bool {
    declared.cluster(&topic.cluster).is_some_and(|cluster| {
        let guard = &cluster.topics;
        let protected = guard.protected.as_ref();
        protected.is_some_and(|it| it.matches(&topic.name))
            || guard
                .managed
                .as_ref()
                .is_some_and(|it| !it.matches(&topic.name))
    })
}

/// The text with items behind the last one of a list whose items are lines that begin with `-`.
fn with_items(text: &str, key: &str, items: &[String]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let key_at = lines.iter().position(|line| is_key(line, key))?;
    let behind = &lines[key_at + 1..];
    let first = behind.iter().find(|line| !is_without_content(line))?;
    let indent = &first[..first.len() - first.trim_start().len()];
    if !is_item(first.trim_start()) {
        return None;
    }
    let goes_on = |line: &&str| is_without_content(line) || line.starts_with(' ') || is_item(line);
    let part = behind.iter().take_while(|line| goes_on(line));
    // comments and blank lines behind the last item belong to what follows
    let last = part
        .enumerate()
        .filter(|(_, line)| line.starts_with(' ') && !line.trim().is_empty() || is_item(line))
        .last()?;
    let before = text.split_inclusive('\n').take(key_at + last.0 + 2);
    let (before, after) = text.split_at(before.map(str::len).sum());
    let mut whole = before.to_owned();
    for item in items {
        line(&mut whole, &format!("{indent}{item}"));
    }
    whole.push_str(after);
    Some(whole)
}

/// `topics:`, with nothing behind it but a comment.
fn is_key(line: &str, key: &str) -> bool {
    let rest = line.strip_prefix(key).and_then(|it| it.strip_prefix(':'));
    rest.is_some_and(|rest| {
        let comment = rest.trim_start();
        comment.is_empty() || (comment.starts_with('#') && rest.starts_with([' ', '\t']))
    })
}

fn is_item(line: &str) -> bool {
    line == "-" || line.starts_with("- ")
}

fn is_without_content(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                        - {alias: a, bootstrapServers: ['a:1'], topics: {protected: secret}}\n";

    fn topics(names: &[&str]) -> Imported {
        let topic = |name: &&str| ImportedTopic {
            name: (*name).to_owned(),
            cluster: "a".to_owned(),
            ..ImportedTopic::default()
        };
        Imported {
            topics: names.iter().map(topic).collect(),
            remarks: vec!["as it is".to_owned()],
            ..Imported::default()
        }
    }

    /// What is in the file after what is new was added to it.
    fn names_after(rest: &str, found: &[&str]) -> Vec<String> {
        let text = format!("{HEAD}{rest}");
        let declared = crate::parse("t.yaml", &text).unwrap().topology;
        let added = topics(found).beyond(&declared).added_to(&text).unwrap();
        for line in text.lines() {
            assert!(added.lines().any(|it| it == line), "{line} in\n{added}");
        }
        let again = topics(found).beyond(&crate::parse("t.yaml", &added).unwrap().topology);
        assert_eq!(
            again.added_to(&added).as_ref(),
            Ok(&added),
            "once is enough"
        );
        let topics = crate::parse("t.yaml", &added).unwrap().topology.topics;
        topics.into_iter().map(|topic| topic.name).collect()
    }

    #[test]
    fn a_list_grows_where_it_is_and_what_is_declared_or_guarded_stays_out() {
        for rest in [
            "",
            "topics:\n- {name: x, clusters: [a]}",
            "topics: # ours\n\n  # first\n  - name: x\n    clusters:\n    - a\n\n# rules\nacls:\n\
             - {principal: 'User:u', clusters: [a], resource: {type: topic, name: x}, operations: [read]}\n",
            "topics:\n- name: x\n  clusters:\n  # here\n  - a\n# mine\n\nquotas: []\n",
        ] {
            let names = names_after(rest, &["secret", "x", "y"]);
            assert_eq!(names, ["x", "y"], "{rest}");
        }
    }

    #[test]
    fn brackets_are_left_alone() {
        let text = format!("{HEAD}topics: [{{name: x, clusters: [a]}}]\n");
        assert_eq!(
            topics(&["y"]).added_to(&text),
            Err(Unaddable::NoLines { key: "topics" })
        );
        assert!(topics(&[]).added_to(&text).is_ok(), "nothing to add");
    }
}
