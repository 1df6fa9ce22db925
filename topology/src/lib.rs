//! The topology of clusters and mirrors: YAML as written → validated, resolved [`Topology`].
//!
//! [`load()`] reads a file in four steps, and collects what is wrong in all of them before it gives up:
//!
//! 1. *text → tree* (`tree`): the YAML reader's events become a tree in which every key and value has its place;
//! 2. *tree against the schema* (`fault`, `structure`): the JSON Schema generated from the types in `spec` is what editors
//!    use too, so both say the same; misspelt keys are put right and wrong values taken out for the next steps;
//! 3. *tree → spec* (`parts`): item by item, so that a broken cluster does not hide a broken mirror;
//! 4. *spec → resolved* (`resolve`): references, units, defaults, and every check of meaning.
//!
//! The codes of [`Diagnostics`] are stable and explained in `DIAGNOSTICS.md`.
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        reason = "a test that unwraps nothing fails, as it should"
    )
)]

mod access;
mod choices;
mod code;
mod defaults;
mod diagnostic;
mod fault;
mod finding;
pub mod import;
mod infrastructure;
mod load;
mod parts;
mod path;
mod pattern;
mod policy;
mod redact;
mod render;
mod resolve;
mod resolved;
mod schema;
mod security;
mod spec;
mod structure;
mod suggest;
mod tree;
mod units;

pub use access::{
    Acl, AclBinding, AclOperation, AclPermission, CLUSTER_RESOURCE, EntityName, PatternType, Quota,
    QuotaEntity, QuotaValue, ResourceType, ScramMechanism, ScramUser, WILDCARD,
};
pub use choices::{
    CheckId, Delivery, Engine, Link, Listener, MirrorState, OnDataLoss, OnOversize, OnSourceDelete,
    OnTopicReset, Placement, Platform, Profile, RenderTarget, StorageType,
};
pub use code::{CODES, Severity};
pub use defaults::QUARANTINE_SUFFIX;
pub use diagnostic::{Diagnostic, Diagnostics};
pub use infrastructure::{
    Access, Account, Brokers, Dns, Infrastructure, Kubernetes, Network, Storage,
};
pub use load::{LoadError, Loaded, Part, load, parse, refuse_rendering, refuse_settings};
pub use pattern::{Pattern, PatternError};
pub use policy::{RenameRule, ReplicationPolicy};
pub use render::Style;
pub use resolved::{
    AclSync, Allow, Cluster, GroupOffsetSync, Mirror, Pipeline, RenderedFiles, Selection,
    StartOffset, TargetRails, Topic, TopicGuard, TopicSync, Topology, Verify,
};
pub use schema::json_schema;
pub use security::{Aws, ClientCertificate, Login, OAuth, Sasl, SecretRef, Tls};
pub use units::byte_size;
