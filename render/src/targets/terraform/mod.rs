//! Terraform roots over the modules in `terraform/`, one target a cloud.

mod addresses;
pub(super) mod aws;
pub(super) mod azure;
mod labels;
mod replicator;
mod tags;
