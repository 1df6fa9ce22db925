//! What copies.

mod engine;
mod mirrorctl;
mod mirrormaker2;
mod produce_only;

pub(crate) use engine::{Delivery, Engine, Job, Running};
pub(crate) use produce_only::{SETTINGS, Setting};
