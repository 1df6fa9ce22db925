//! What Strimzi's operator has to know of a cluster whose brokers it starts. A cluster without `brokers` is described no further.

use super::super::scope::Scope;
use crate::choices::{Platform, StorageType};
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::{Infrastructure, Storage};
use crate::path::Path;
use crate::spec;

/// Of names of storage classes.
const LONGEST_CLASS: usize = 253;

/// The cluster at `path`.
pub(super) fn check(
    scope: &mut Scope<'_>,
    path: &Path,
    written: &spec::Cluster,
    found: &Infrastructure,
) {
    if written.platform != Platform::Strimzi {
        return;
    }
    match &found.storage {
        Some(storage) => disks(scope, &path.key("storage"), storage),
        None => no_disks(scope, path),
    }
}

/// No default: of how much there is to be room for nobody knows but whoever writes the topology, and brokers that lose their
/// records with their pods have to be wanted.
fn no_disks(scope: &mut Scope<'_>, path: &Path) {
    let brokers = path.key("brokers");
    if !scope.is_written(&brokers) || scope.is_written(&path.key("storage")) {
        return;
    }
    let span = scope.key_span(&brokers);
    scope.add(
        Finding::new(
            Code::NotRenderable,
            span,
            "brokers on Kubernetes cannot be started without `storage`",
            "these have no disks",
        )
        .hint(
            "add `storage: {type: persistent-claim, size: 20Gi}`, or `{type: ephemeral}` where records may go with their pods; a \
             cluster that somebody else runs is one of `platform: existing`",
        ),
    );
}

fn disks(scope: &mut Scope<'_>, path: &Path, storage: &Storage) {
    let claimed =
        storage.kind != Some(StorageType::Ephemeral) && !scope.was_removed(&path.key("type"));
    if claimed && storage.size.is_none() && !scope.is_written(&path.key("size")) {
        let span = scope.key_span(path);
        scope.add(
            Finding::new(
                Code::NotRenderable,
                span,
                "a claim on Kubernetes cannot be made without a `size`",
                "of no size",
            )
            .hint("add `size: 20Gi`, or write `type: ephemeral`"),
        );
    }
    if let Some(class) = storage.class.as_ref().filter(|it| !is_class(it)) {
        let span = scope.span(&path.key("class"));
        scope.add(
            Finding::new(
                Code::InvalidName,
                span,
                format!("`{class}` cannot be a storage class"),
                "not such a name",
            )
            .hint(
                "a storage class has up to 253 of a-z, 0-9, `-` and `.`; letters or digits begin and end it, and each part between dots: \
                 `kubectl get storageclass` lists those that there are",
            ),
        );
    }
}

/// A subdomain of DNS (RFC 1123).
fn is_class(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(legal)
    };
    name.len() <= LONGEST_CLASS && name.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::is_class;

    #[test]
    fn classes_are_as_kubernetes_takes_them() {
        for good in ["gp3", "ocs-storagecluster-ceph-rbd", "a.b-c.d", "0"] {
            assert!(is_class(good), "{good}");
        }
        let long = "a".repeat(254);
        for bad in [
            "",
            "Bad_Class",
            "a_b",
            "-a",
            "a-",
            "a..b",
            ".a",
            "a.-b",
            &long,
        ] {
            assert!(!is_class(bad), "{bad}");
        }
    }
}
