//! Values of Kafka's own configuration keys that no broker takes.

use std::collections::BTreeMap;

use super::scope::Scope;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::spec::ConfigValue;
use crate::units;

/// Of the keys whose name ends in a unit, what is written at `path` has to be a plain number: everywhere else in the file a
/// duration or size has its unit beside it, and a broker would refuse that here, in the middle of an apply.
pub(super) fn check(scope: &mut Scope<'_>, path: &Path, configs: &BTreeMap<String, ConfigValue>) {
    for (key, value) in configs {
        let value = value.clone().into_text();
        let Some(unit) = unit(key).filter(|_| value.trim().parse::<i64>().is_err()) else {
            continue;
        };
        let plain = match unit {
            "ms" => units::duration(value.trim()).map(|it| it.as_millis().to_string()),
            "bytes" => units::byte_size(value.trim()).map(|it| it.to_string()),
            _ => None,
        };
        let span = scope.span(&path.key(key));
        scope.add(
            Finding::new(
                Code::WrongUnit,
                span,
                format!("`{value}` is not a value of `{key}`"),
                "Kafka takes a whole number",
            )
            .hint(match (plain, unit) {
                (Some(plain), "ms") => format!("in milliseconds, without a unit: {plain}"),
                (Some(plain), _) => format!("in bytes, without a unit: {plain}"),
                (None, "ms") => "write milliseconds, without a unit".to_owned(),
                (None, "bytes") => "write bytes, without a unit".to_owned(),
                (None, _) => "write a number without a unit".to_owned(),
            }),
        );
    }
}

/// What the number of such a key counts.
fn unit(key: &str) -> Option<&str> {
    if key == "min.insync.replicas" {
        return Some("replicas");
    }
    let (_, last) = key.rsplit_once('.')?;
    ["ms", "bytes", "messages"].contains(&last).then_some(last)
}
