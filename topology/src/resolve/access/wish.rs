//! Rules that are asked for in several places, and what is left when they are laid together.

use std::collections::{HashMap, HashSet};

use crate::access::{Acl, AclBinding, AclPermission};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;

/// A rule, and where it is asked for.
#[derive(Debug)]
pub(in crate::resolve) struct Wish {
    pub(super) acl: Acl,
    pub(super) place: Path,
}

/// The same rule counts once, for the place that has it first; the same rule as `allow` and as `deny` is a mistake.
pub(in crate::resolve) fn settle(scope: &mut Scope<'_>, wishes: Vec<Wish>) -> Vec<Acl> {
    let mut kept: HashMap<(String, AclBinding), (AclPermission, Path)> = HashMap::new();
    // places that contradict each other do so in many operations on many clusters: one finding
    let mut told: HashSet<(Path, Path)> = HashSet::new();
    let mut acls = Vec::new();
    for Wish { acl, place } in wishes {
        let either_way = AclBinding {
            permission: AclPermission::Allow,
            ..acl.binding.clone()
        };
        let key = (acl.cluster.clone(), either_way);
        let Some((permission, first)) = kept.get(&key) else {
            kept.insert(key, (acl.binding.permission, place));
            acls.push(acl);
            continue;
        };
        if *permission != acl.binding.permission && told.insert((first.clone(), place.clone())) {
            contradiction(scope, &acl, &place, first);
        }
    }
    acls
}

fn contradiction(scope: &mut Scope<'_>, acl: &Acl, place: &Path, first: &Path) {
    let line = scope.line(first);
    let span = scope.span(place);
    let AclBinding {
        resource_type,
        resource_name,
        principal,
        operation,
        ..
    } = &acl.binding;
    let (here, there) = match acl.binding.permission {
        AclPermission::Allow => ("allowed here", "denies"),
        AclPermission::Deny => ("denied here", "allows"),
    };
    scope.add(
        Finding::new(
            Code::ContradictingAcl,
            span,
            format!(
                "`{principal}` is allowed and denied {operation} on {resource_type} `{resource_name}` of `{}`",
                acl.cluster
            ),
            here,
        )
        .hint(format!(
            "line {line} {there} it, and a `deny` always wins: keep one of them"
        )),
    );
}
