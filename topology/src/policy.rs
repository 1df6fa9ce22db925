//! How topics are named on the target.

use regex::Regex;
use serde::{Serialize, Serializer};

/// The rule that gives a topic its name on the target.
///
/// `Identity` and `Default` behave as MirrorMaker 2's `IdentityReplicationPolicy` and `DefaultReplicationPolicy`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ReplicationPolicy {
    /// The same name on both sides.
    Identity,
    /// Source alias, separator, name: `onprem.orders`.
    Default {
        /// What stands between alias and name, `.` unless written.
        separator: String,
    },
    /// A fixed text before the name.
    Prefix {
        /// The text.
        prefix: String,
    },
    /// The first rule that matches the whole name gives the new one; other names stay.
    Rename {
        /// The rules, in the order written.
        rules: Vec<RenameRule>,
    },
}

/// One rule of [`ReplicationPolicy::Rename`].
#[derive(Debug, Clone)]
pub struct RenameRule {
    written: String,
    from: Regex,
    to: String,
}

impl RenameRule {
    /// A rule that rewrites names which `from` matches whole into `to`, where `$1` or `${name}` stand for groups.
    ///
    /// # Errors
    /// When `from` is not a regular expression.
    pub fn new(from: &str, to: &str) -> Result<Self, regex::Error> {
        Ok(Self {
            written: from.to_owned(),
            from: Regex::new(&format!("^(?:{from})$"))?,
            to: to.to_owned(),
        })
    }

    /// The expression as written.
    pub fn from(&self) -> &str {
        &self.written
    }

    /// The replacement as written.
    pub fn to(&self) -> &str {
        &self.to
    }

    fn apply(&self, topic: &str) -> Option<String> {
        let captures = self.from.captures(topic)?;
        let mut name = String::new();
        captures.expand(&self.to, &mut name);
        Some(name)
    }
}

impl PartialEq for RenameRule {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.to == other.to
    }
}

impl Serialize for RenameRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut rule = serializer.serialize_struct("RenameRule", 2)?;
        rule.serialize_field("from", &self.written)?;
        rule.serialize_field("to", &self.to)?;
        rule.end()
    }
}

impl ReplicationPolicy {
    /// The name on the target of `topic`, read from the cluster `source_alias`.
    pub fn target_topic(&self, source_alias: &str, topic: &str) -> String {
        match self {
            Self::Identity => topic.to_owned(),
            Self::Default { separator } => format!("{source_alias}{separator}{topic}"),
            Self::Prefix { prefix } => format!("{prefix}{topic}"),
            Self::Rename { rules } => rules
                .iter()
                .find_map(|rule| rule.apply(topic))
                .unwrap_or_else(|| topic.to_owned()),
        }
    }

    /// Whether the name shows that `topic` has already been on `target_alias`, so that copying it there would close a loop.
    ///
    /// Only the default policy writes the way of a record into the name (MirrorMaker 2's `isCycle`); the others never know.
    pub fn is_cycle(&self, target_alias: &str, topic: &str) -> bool {
        let Self::Default { separator } = self else {
            return false;
        };
        let mut rest = topic;
        while let Some((hop, upstream)) = rest.split_once(separator.as_str()) {
            if hop == target_alias {
                return true;
            }
            rest = upstream;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_topics() {
        let default = ReplicationPolicy::Default {
            separator: ".".to_owned(),
        };
        let prefix = ReplicationPolicy::Prefix {
            prefix: "dc1_".to_owned(),
        };
        let rename = ReplicationPolicy::Rename {
            rules: vec![RenameRule::new(r"pay\.(.*)", "billing.$1").unwrap()],
        };
        assert_eq!(ReplicationPolicy::Identity.target_topic("a", "t"), "t");
        assert_eq!(default.target_topic("a", "t"), "a.t");
        assert_eq!(prefix.target_topic("a", "t"), "dc1_t");
        assert_eq!(rename.target_topic("a", "pay.orders"), "billing.orders");
        assert_eq!(rename.target_topic("a", "prepay.orders"), "prepay.orders");
    }

    #[test]
    fn default_names_reveal_a_cycle_at_any_hop() {
        let policy = ReplicationPolicy::Default {
            separator: ".".to_owned(),
        };
        assert!(policy.is_cycle("a", "a.t"));
        assert!(policy.is_cycle("a", "c.a.t"));
        assert!(!policy.is_cycle("a", "b.t"));
        assert!(!policy.is_cycle("a", "t.a"));
        assert!(!ReplicationPolicy::Identity.is_cycle("a", "a.t"));
    }
}
