//! What copies.

mod engine;
mod mirrorctl;
mod mirrormaker2;

pub(crate) use engine::{Engine, Job, Running};
