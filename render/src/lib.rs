//! Files from a topology: what other tools need to build, run or watch the same clusters and mirrors.
//!
//! ```text
//! Topology ──▶ targets (pure: what files there are, and the values in them)
//!                 │ drafts
//!                 ▼
//!              templates (strict; a value never leaves its quotes) ──▶ Rendering
//!                                                                        │
//!              folder: what is there, and what the manifest says ──▶ Comparison ──▶ writing
//! ```
//!
//! [`render()`] and [`compare()`] change nothing; [`Comparison::apply`] writes what they found. Secrets are never rendered:
//! what a file needs is named (an environment variable, a file), and read where the file is used.
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that unwraps nothing fails, as it should"
    )
)]

mod comparison;
mod draft;
mod embedded;
mod engine;
mod filters;
mod header;
mod layout;
mod present;
mod quoting;
mod rendering;
mod request;
mod setting;
mod target;
mod targets;
mod writing;

pub use comparison::{Comparison, FileChange};
pub use draft::Draft;
pub use engine::{TemplateError, Templates};
pub use folder::{
    Author, Clusters, FileState, FolderError, MANIFEST, Manifest, ManifestEntry, PathError,
    link_on_the_way,
};
pub use present::compare;
pub use rendering::{Complaint, Extent, RenderError, RenderedFile, Rendering, render};
pub use request::{ClusterAddresses, Request, SettingError, Settings};
pub use setting::{Setting, Takes};
pub use target::{Target, TargetError};
pub use targets::{
    AwsNetworkOutline, AwsOutline, Ec2Outline, Egress, MskOutline, ReplicatorOutline,
    ResolverOutline, aws_outline, clusters, targets,
};
pub use writing::{WriteError, Written};
