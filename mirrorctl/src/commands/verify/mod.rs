//! `mirrorctl verify`.

mod compare;
mod follow;
mod profile;
mod report;
mod run;
mod setting;
mod stamped;

pub(crate) use run::verify;
