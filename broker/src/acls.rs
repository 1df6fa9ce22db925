//! The cluster's ACLs. They are kept and found as a real broker does; nothing is enforced.

use std::collections::BTreeSet;

/// The numbers of the wire (`ResourceType`, `PatternType`, `AclOperation`, `AclPermissionType`).
pub(crate) const ANY: i8 = 1;
const MATCH: i8 = 2;
pub(crate) const LITERAL: i8 = 3;
pub(crate) const PREFIXED: i8 = 4;
/// Resource types, operations and permissions as far as 4.3 knows them.
pub(crate) const RESOURCE_TYPES: std::ops::RangeInclusive<i8> = 2..=7;
pub(crate) const OPERATIONS: std::ops::RangeInclusive<i8> = 2..=15;
pub(crate) const PERMISSIONS: std::ops::RangeInclusive<i8> = 2..=3;
/// Resource type of the cluster itself, and the only name it has.
pub(crate) const CLUSTER: i8 = 4;
pub(crate) const CLUSTER_NAME: &str = "kafka-cluster";

/// What an ACL is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern {
    pub(crate) resource_type: i8,
    pub(crate) name: String,
    /// Literal or prefixed.
    pub(crate) kind: i8,
}

/// One ACL; sorted by its pattern first, because answers are grouped by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Acl {
    pub(crate) pattern: Pattern,
    pub(crate) principal: String,
    pub(crate) host: String,
    pub(crate) operation: i8,
    pub(crate) permission: i8,
}

pub(crate) type Acls = BTreeSet<Acl>;

/// Which ACLs a request means.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) resource_type: i8,
    pub(crate) name: Option<String>,
    pub(crate) pattern_type: i8,
    pub(crate) principal: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) operation: i8,
    pub(crate) permission: i8,
}

impl Filter {
    pub(crate) fn fits(&self, acl: &Acl) -> bool {
        let fits = |wanted: i8, value: i8| wanted == ANY || wanted == value;
        let says = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        fits(self.resource_type, acl.pattern.resource_type)
            && self.fits_pattern(&acl.pattern)
            && says(&self.principal, &acl.principal)
            && says(&self.host, &acl.host)
            && fits(self.operation, acl.operation)
            && fits(self.permission, acl.permission)
    }

    /// `ResourcePatternFilter.matches`.
    fn fits_pattern(&self, pattern: &Pattern) -> bool {
        let by_application = self.pattern_type == MATCH;
        if !by_application && self.pattern_type != ANY && self.pattern_type != pattern.kind {
            return false;
        }
        let Some(name) = &self.name else {
            return true;
        };
        if !by_application || *name == pattern.name {
            return *name == pattern.name;
        }
        match pattern.kind {
            LITERAL => pattern.name == "*",
            PREFIXED => name.starts_with(&pattern.name),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern_type: i8, name: &str, acl: (i8, &str)) -> bool {
        let filter = Filter {
            resource_type: ANY,
            name: Some(name.to_owned()),
            pattern_type,
            principal: None,
            host: None,
            operation: ANY,
            permission: ANY,
        };
        filter.fits_pattern(&Pattern {
            resource_type: 2,
            name: acl.1.to_owned(),
            kind: acl.0,
        })
    }

    #[test]
    fn a_match_finds_what_applies_and_any_the_very_name() {
        for acl in [
            (LITERAL, "pay.in"),
            (LITERAL, "*"),
            (PREFIXED, "pay"),
            (PREFIXED, "pay.in"),
        ] {
            assert!(fits(MATCH, "pay.in", acl), "{acl:?}");
        }
        for acl in [(LITERAL, "pay"), (PREFIXED, "pay.in.x"), (PREFIXED, "*")] {
            assert!(!fits(MATCH, "pay.in", acl), "{acl:?}");
        }
        assert!(fits(ANY, "pay", (PREFIXED, "pay")));
        assert!(!fits(ANY, "pay.in", (PREFIXED, "pay")));
        assert!(!fits(LITERAL, "pay", (PREFIXED, "pay")));
    }
}
