//! What is asked for: a topology, and settings of targets.

use std::collections::BTreeMap;

use topology::Topology;

use crate::target::Target;
use crate::targets::targets;

/// What to render.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The topology; relative paths in it are as they were written.
    pub topology: &'a Topology,
    /// The file that it was read from, whole: targets that start `mirrorctl` elsewhere take it along.
    pub source: &'a str,
    /// Settings of targets.
    pub settings: &'a Settings,
}

impl Request<'_> {
    /// A setting of a target as given, or the target's default.
    pub fn setting<'s>(&'s self, target: &str, name: &str, default: &'s str) -> &'s str {
        self.settings
            .values
            .get(&(target.to_owned(), name.to_owned()))
            .map_or(default, String::as_str)
    }
}

/// What a user chooses, and what was asked for elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// By target and name.
    values: BTreeMap<(String, String), String>,
    /// By alias.
    addresses: BTreeMap<String, ClusterAddresses>,
}

/// Where a cluster is, as its platform says; `host:port` each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterAddresses {
    /// `ZooKeeper` of the cluster, where it has one.
    pub zookeeper: Vec<String>,
    /// Some brokers.
    pub brokers: Vec<String>,
}

/// A setting that no target has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Not `TARGET.NAME=VALUE`.
    #[error("`{0}` is not TARGET.NAME=VALUE")]
    Form(String),
    /// No target of this name has a setting of this name.
    #[error("there is no setting `{target}.{name}`")]
    Unknown {
        /// The target.
        target: String,
        /// The name.
        name: String,
    },
    /// The setting does not take this value.
    #[error("`{target}.{name}`: {value:?} {problem}")]
    Value {
        /// The target.
        target: String,
        /// The name.
        name: String,
        /// What was given.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Settings {
    /// Reads `TARGET.NAME=VALUE`, each.
    ///
    /// # Errors
    /// With the first one that no target has or takes.
    pub fn parse<T: AsRef<str>>(written: &[T]) -> Result<Self, SettingError> {
        let mut values = BTreeMap::new();
        for text in written {
            let text = text.as_ref();
            let parts = text
                .split_once('=')
                .and_then(|(key, value)| Some((key.split_once('.')?, value)));
            let Some(((target, name), value)) = parts else {
                return Err(SettingError::Form(text.to_owned()));
            };
            let known = targets()
                .iter()
                .filter(|it| it.name == target)
                .flat_map(|it: &Target| it.settings)
                .find(|it| it.name == name);
            let Some(known) = known else {
                return Err(SettingError::Unknown {
                    target: target.to_owned(),
                    name: name.to_owned(),
                });
            };
            known.check(value).map_err(|problem| SettingError::Value {
                target: target.to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
                problem,
            })?;
            values.insert((target.to_owned(), name.to_owned()), value.to_owned());
        }
        Ok(Self {
            values,
            addresses: BTreeMap::new(),
        })
    }

    /// What is set: a target and a name each, in order.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let keys = self.values.keys();
        keys.map(|(target, name)| (target.as_str(), name.as_str()))
    }

    /// Takes the addresses of a cluster from elsewhere than the topology.
    #[must_use]
    pub fn with_addresses(mut self, alias: impl Into<String>, addresses: ClusterAddresses) -> Self {
        self.addresses.insert(alias.into(), addresses);
        self
    }

    pub(crate) fn addresses(&self, alias: &str) -> ClusterAddresses {
        self.addresses.get(alias).cloned().unwrap_or_default()
    }
}
