//! Files that other tools need, rendered from the topology: how they stand in their folder, what a plan says of them, and
//! writing them. Who renders is no business of this crate: the files come as [`DesiredFolder`].

mod desired;
mod diff;
mod error;
mod execute;
mod observe;
mod state;

pub use desired::{DesiredFile, DesiredFolder};
pub use error::FileError;
pub use observe::{ObservedFolder, observe_folder};
pub use state::RenderedFileState;

pub(crate) use desired::label;
pub(crate) use diff::{Scene, changes, in_vain, others};
#[cfg(test)]
pub(crate) use execute::outlook;
pub(crate) use execute::{execute, known, note, outlooks, owners};
pub(crate) use observe::observe_where_possible;

/// The word that addresses begin with.
pub(crate) const KIND: &str = "file";
/// The reason of what is done about a file that was rendered and is not wanted any more: what it speaks of may well be declared
/// still, and be no business of such a file.
pub(crate) const RENDERED_NO_LONGER: &str = "rendered no longer";
