//! A Kubernetes resource of Strimzi.

use serde_json::Value;

use super::part::Part;

/// A resource, without what Kubernetes keeps for itself.
pub(super) struct Resource {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// The Kafka resource that it belongs to (`strimzi.io/cluster`).
    pub(super) cluster: Option<String>,
    /// Whether Strimzi is told to leave it alone.
    pub(super) unmanaged: bool,
    pub(super) spec: Part,
    pub(super) status: Part,
}

impl Resource {
    /// The resources of a document: a list (`kubectl get -o yaml`) holds several.
    pub(super) fn all(document: Value, found: &mut Vec<Self>) {
        let mut document = Part::new("", document);
        let kind = document.text("kind").unwrap_or_default();
        if let (true, Some(Value::Array(items))) = (kind.ends_with("List"), document.take("items"))
        {
            for item in items {
                Self::all(item, found);
            }
            return;
        }
        let mut metadata = document
            .part("metadata")
            .unwrap_or_else(|| Part::new("metadata", Value::Null));
        let mut labels = metadata.part("labels");
        let mut annotations = metadata.part("annotations");
        let managed = annotations
            .as_mut()
            .and_then(|it| it.text("strimzi.io/managed"));
        found.push(Self {
            kind,
            name: metadata.text("name").unwrap_or_default(),
            namespace: metadata.text("namespace"),
            cluster: labels.as_mut().and_then(|it| it.text("strimzi.io/cluster")),
            unmanaged: managed.as_deref() == Some("false"),
            spec: document
                .part("spec")
                .unwrap_or_else(|| Part::new("spec", Value::Null)),
            status: document
                .part("status")
                .unwrap_or_else(|| Part::new("status", Value::Null)),
        });
    }

    /// What remarks call it.
    pub(super) fn label(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}
