//! The targets, one file or folder each.

mod java_client;
mod mirrormaker2;

use crate::target::Target;

/// All targets, by name. A new one is a module and a line here.
static TARGETS: &[Target] = &[mirrormaker2::TARGET];

/// All targets, by name.
pub fn targets() -> &'static [Target] {
    TARGETS
}
