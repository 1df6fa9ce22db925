//! One level of a resource: what nobody takes of it is named in the end.

use serde_json::{Map, Value};

use crate::import::connect::texts;
use crate::import::settings::Settings;

/// A mapping, and where in the resource it is.
pub(super) struct Part {
    path: String,
    map: Map<String, Value>,
}

impl Part {
    pub(super) fn new(path: &str, value: Value) -> Self {
        Self {
            path: path.to_owned(),
            map: match value {
                Value::Object(map) => map,
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => Map::new(),
            },
        }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    /// A text; numbers and truth values are as they are written.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.map.get(key)? {
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        Some(match self.take(key)? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// A whole number above zero. What is no such number stays.
    pub(super) fn count<N: TryFrom<u64>>(&mut self, key: &str) -> Option<N> {
        let count = self.map.get(key)?.as_u64().filter(|count| *count > 0)?;
        let count = N::try_from(count).ok()?;
        self.map.remove(key);
        Some(count)
    }

    /// A number above zero. What is no such number stays.
    pub(super) fn number(&mut self, key: &str) -> Option<serde_json::Number> {
        let number = self.map.get(key)?.as_number().cloned();
        let number = number.filter(|it| it.as_f64().is_some_and(|it| it > 0.0))?;
        self.map.remove(key);
        Some(number)
    }

    /// The texts of a list.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(Value::Array(items)) => {
                let items = items.into_iter();
                items
                    .filter_map(|it| it.as_str().map(str::to_owned))
                    .collect()
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// What is below a key, where there is something.
    pub(super) fn part(&mut self, key: &str) -> Option<Self> {
        let path = self.below(key);
        Some(Self::new(&path, self.take(key)?))
    }

    pub(super) fn list(&mut self, key: &str) -> Vec<Self> {
        let path = self.below(key);
        match self.take(key) {
            Some(Value::Array(items)) => items
                .into_iter()
                .enumerate()
                .map(|(at, item)| Self::new(&format!("{path}[{at}]"), item))
                .collect(),
            Some(other) => {
                self.map.insert(key.to_owned(), other);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Keys and values of Kafka below a key.
    pub(super) fn settings(&mut self, key: &str) -> Settings {
        match self.take(key) {
            Some(Value::Object(map)) => Settings::new(texts(&map)),
            Some(_) | None => Settings::new([]),
        }
    }

    /// Where the keys of [`Part::settings`] are, for those that nobody took.
    pub(super) fn unused(&self, key: &str, settings: &Settings, left: &mut Vec<String>) {
        let path = self.below(key);
        left.extend(settings.left().map(|key| format!("{path}.{key}")));
    }

    /// Ends with this level: its keys that nobody took.
    pub(super) fn end(self, left: &mut Vec<String>) {
        left.extend(self.map.keys().map(|key| self.below(key)));
    }
}
