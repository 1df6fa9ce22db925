//! Log lines as JSON objects: `timestamp`, `level`, `message`, then whatever is known of the event, the
//! fields of the spans around it included, all on the top level.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Whether stderr is for programs.
static CHOSEN: AtomicBool = AtomicBool::new(false);

/// From now on everything on stderr is one JSON object a line.
pub(crate) fn speak_json() {
    CHOSEN.store(true, Ordering::Relaxed);
}

/// Whether [`speak_json`] was called.
pub(crate) fn speaks_json() -> bool {
    CHOSEN.load(Ordering::Relaxed)
}

/// A line that no event stands behind, such as why a command failed.
pub(super) fn line(level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    let mut line = head(level);
    line.insert("message".to_owned(), message.into());
    for (name, value) in fields {
        line.insert((*name).to_owned(), value.clone());
    }
    format!("{}\n", Value::Object(line))
}

fn head(level: &str) -> Map<String, Value> {
    let mut timestamp = String::new();
    // writing to a String does not fail
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), timestamp.into());
    line.insert("level".to_owned(), level.into());
    line
}

/// Formats events of `tracing`. Spans must be formatted with [`JsonFields`].
#[derive(Debug)]
pub(crate) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = head(event.metadata().level().as_str());
        // not `target`, which is a cluster
        line.insert("module".to_owned(), event.metadata().target().into());
        let scope = context.event_scope();
        for span in scope.into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            let fields = fields.and_then(|fields| serde_json::from_str(&fields.fields).ok());
            if let Some(Value::Object(fields)) = fields {
                line.extend(fields);
            }
        }
        // what the event says itself comes last and wins
        event.record(&mut Fields(&mut line));
        name_partition(&mut line);
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// A partition named in full, `topic-3`, becomes what programs look for: `topic` and `partition`.
fn name_partition(line: &mut Map<String, Value>) {
    let full = line.get("partition").and_then(Value::as_str);
    let parts = full.and_then(|full| full.rsplit_once('-'));
    let parts =
        parts.and_then(|(topic, index)| Some((topic.to_owned(), index.parse::<i32>().ok()?)));
    if let Some((topic, index)) = parts {
        line.insert("topic".to_owned(), topic.into());
        line.insert("partition".to_owned(), index.into());
    }
}

struct Fields<'l>(&'l mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_a_topic_and_a_number() {
        let mut line = Map::from_iter([("partition".to_owned(), "pay-orders-3".into())]);
        name_partition(&mut line);
        assert_eq!(line["topic"], "pay-orders");
        assert_eq!(line["partition"], 3);
        let mut other = Map::from_iter([("partition".to_owned(), 7.into())]);
        name_partition(&mut other);
        assert_eq!((other.len(), &other["partition"]), (1, &7.into()));
    }

    #[test]
    fn a_line_is_one_object_whatever_the_message_holds() {
        let text = line("ERROR", "first\nsecond \"quoted\"", &[("hint", "h".into())]);
        assert_eq!(text.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["message"], "first\nsecond \"quoted\"");
        assert_eq!(
            (&value["level"], &value["hint"]),
            (&"ERROR".into(), &"h".into())
        );
        assert!(
            value["timestamp"]
                .as_str()
                .is_some_and(|it| it.ends_with('Z')),
            "{text}"
        );
    }
}
