//! From files to what they declare.

use super::clusters::Clusters;
use super::resource::Resource;
use super::{clusters, connector, mirror_maker, topic, user};
use crate::code::Severity;
use crate::import::connect::assemble;
use crate::import::{ImportFile, Imported};
use crate::tree;

/// Why files give no topology.
#[derive(Debug, thiserror::Error)]
pub enum StrimziError {
    /// One is not YAML.
    #[error("{file}: line {line}: {message}")]
    Syntax {
        /// Which file.
        file: String,
        /// Which line, from one on.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// None declares a cluster, or what belongs to one.
    #[error(
        "nothing to import: no resource of the kinds Kafka, KafkaMirrorMaker2, KafkaTopic, KafkaUser and KafkaConnector"
    )]
    Nothing,
}

/// Reads resources of Strimzi's API, `v1beta2` and `v1`: each file holds one, several documents, or a list. Secrets become
/// references; what has no meaning here is named in the remarks.
pub fn strimzi(files: &[ImportFile]) -> Result<Imported, StrimziError> {
    let mut resources = Vec::new();
    for file in files {
        let (documents, flaws) = tree::read_all(&file.text);
        let wrong = |flaw: &&crate::finding::Finding| flaw.code.severity() == Severity::Error;
        if let Some(flaw) = flaws.iter().find(wrong) {
            let before = file.text.get(..flaw.span.start).unwrap_or_default();
            return Err(StrimziError::Syntax {
                file: file.name.clone(),
                line: before.matches('\n').count() + 1,
                message: flaw.message.clone(),
            });
        }
        for document in documents {
            Resource::all(document.to_json(), &mut resources);
        }
    }
    let mut imported = Imported {
        remarks: vec!["written by `mirrorctl import strimzi`".to_owned()],
        ..Imported::default()
    };
    let mut known = Clusters::default();
    let mut connectors = Vec::new();
    // what others refer to comes first
    resources.sort_by_key(|resource| rank(&resource.kind));
    for resource in resources {
        let label = resource.label();
        if resource.unmanaged {
            imported.remarks.push(format!(
                "not taken over: {label}, which Strimzi is told to leave alone (`strimzi.io/managed`)"
            ));
            continue;
        }
        let mut left = Vec::new();
        match resource.kind.as_str() {
            "KafkaMirrorMaker2" => mirror_maker::read(resource, &mut imported, &mut left),
            "Kafka" => clusters::read(resource, &mut known, &mut imported, &mut left),
            "KafkaTopic" => topic::read(resource, &mut known, &mut imported, &mut left),
            "KafkaUser" => user::read(resource, &mut known, &mut imported, &mut left),
            "KafkaConnector" => connectors.extend(connector::read(resource, &mut left)),
            _ => {
                imported.remarks.push(format!("not taken over: {label}"));
            }
        }
        if !left.is_empty() {
            left.sort();
            let keys = left.join(", ");
            imported
                .remarks
                .push(format!("not taken over of {label}: {keys}"));
        }
    }
    assemble(connectors, &mut imported);
    if imported.clusters.is_empty() {
        return Err(StrimziError::Nothing);
    }
    Ok(imported)
}

fn rank(kind: &str) -> u8 {
    match kind {
        "KafkaMirrorMaker2" => 0,
        "Kafka" => 1,
        _ => 2,
    }
}
