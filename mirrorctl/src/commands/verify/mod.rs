//! `mirrorctl verify`.

mod compare;
mod report;
mod run;
mod setting;
mod stamped;

pub(crate) use run::verify;
