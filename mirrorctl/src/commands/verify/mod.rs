//! `mirrorctl verify`.

mod arguments;
mod compare;
mod follow;
mod profile;
mod report;
mod run;
mod setting;
mod stamped;

pub(crate) use arguments::VerifyArgs;
pub(crate) use run::verify;
