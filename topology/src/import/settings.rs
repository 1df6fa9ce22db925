//! Keys with values, and which of them mean something here.

use std::collections::{BTreeMap, BTreeSet};

/// What a file or a connector sets.
pub(super) struct Settings {
    values: BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Settings {
    pub(super) fn new(values: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            values: values.into_iter().collect(),
            used: BTreeSet::new(),
        }
    }

    /// Sets what is said elsewhere.
    pub(super) fn say(&mut self, key: &str, value: String) {
        self.values.insert(key.to_owned(), value);
    }

    /// The value of a key, without the blanks around it. An empty one is as good as none, and stays unused.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let value = self.values.get(key)?.trim();
        if value.is_empty() {
            return None;
        }
        self.used.insert(key.to_owned());
        Some(value.to_owned())
    }

    /// The keys that begin with one of these, the first ones before the others.
    pub(super) fn scope(&mut self, prefixes: &[&str]) -> Scope<'_> {
        Scope {
            settings: self,
            prefixes: prefixes.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    /// Marks what another one says the same of, and has used.
    pub(super) fn use_what_is_said_by(&mut self, other: &Self) {
        let same = self.values.iter().filter(|(key, value)| {
            other.used.contains(*key) && other.values.get(*key) == Some(*value)
        });
        let same: Vec<String> = same.map(|(key, _)| key.clone()).collect();
        self.used.extend(same);
    }

    /// The keys that nobody took.
    pub(super) fn left(&self) -> impl Iterator<Item = &String> {
        self.values.keys().filter(|key| !self.used.contains(*key))
    }
}

/// Settings as one cluster or one flow sees them.
pub(super) struct Scope<'a> {
    settings: &'a mut Settings,
    prefixes: Vec<String>,
}

impl Scope<'_> {
    /// The value of a key: what is said of this alone comes before what is said in general.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let mut found = None;
        for prefix in &self.prefixes {
            let value = self.settings.take(&format!("{prefix}{key}"));
            found = found.or(value);
        }
        found
    }

    /// Whether a key is set.
    pub(super) fn has(&self, key: &str) -> bool {
        let set = |prefix| self.settings.values.contains_key(&format!("{prefix}{key}"));
        self.prefixes.iter().any(set)
    }

    /// The same, where the value is one of these; another one stays unused.
    pub(super) fn take_if(&mut self, key: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let (settings, prefixes) = (&self.settings, &self.prefixes);
        let value = prefixes
            .iter()
            .find_map(|prefix| settings.values.get(&format!("{prefix}{key}")))?;
        if fits(value.trim()) {
            self.take(key)
        } else {
            None
        }
    }
}

/// The items of a list with commas.
pub(super) fn items(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The environment variable for a password of `owner`.
pub(super) fn variable(owner: &str) -> String {
    let upper: String = owner
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    let digit = upper.starts_with(|c: char| c.is_ascii_digit());
    let before = if digit { "_" } else { "" };
    format!("{before}{upper}_KAFKA_PASSWORD")
}
