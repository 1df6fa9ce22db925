//! The targets, one file or folder each.

mod connect;
mod java_client;
mod mirrormaker;
mod mirrormaker2;

use crate::target::Target;

/// All targets, by name. A new one is a module and a line here.
static TARGETS: &[Target] = &[connect::TARGET, mirrormaker::TARGET, mirrormaker2::TARGET];

/// All targets, by name.
pub fn targets() -> &'static [Target] {
    TARGETS
}
