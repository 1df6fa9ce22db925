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
pub(crate) use diff::{changes, in_vain};
#[cfg(test)]
pub(crate) use execute::outlook;
pub(crate) use execute::{execute, known, note, precheck};

/// The word that addresses begin with.
pub(crate) const KIND: &str = "file";
