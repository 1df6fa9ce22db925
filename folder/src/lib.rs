//! A folder of rendered files: what is in it, what its manifest says was rendered, how the two stand to what is wanted,
//! and changing one file at a time.
//!
//! `render` writes such a folder whole, `plan` one planned file after the other. Both judge a file by [`standing`], so that
//! they cannot disagree about who wrote it.

mod author;
mod difference;
mod digest;
mod manifest;
mod path;
mod place;
mod sensitive;
mod standing;

pub use author::{Author, Clusters};
pub use difference::Difference;
pub use digest::sha256;
pub use manifest::{MANIFEST, Manifest, ManifestEntry};
pub use path::{PathError, check};
pub use place::{Folder, FolderError, Present, link_on_the_way};
pub use sensitive::shown;
pub use standing::{FileState, Sides, Wanted, standing};
