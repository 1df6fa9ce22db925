//! The results, for readers and for programs.

mod document;
mod human;
mod json;
mod markdown;
mod sections;

pub(crate) use document::write;
pub(crate) use human::print;
