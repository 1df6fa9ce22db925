//! One file a subcommand: arguments in, one library call, its result out.

mod apply;
mod completions;
mod demo;
mod destroy;
mod forget;
mod history;
mod import;
mod lag;
mod plan;
mod render;
mod replicate;
mod schema;
mod scope;
mod status;
mod validate;
mod verify;

pub(crate) use apply::apply;
pub(crate) use completions::completions;
pub(crate) use demo::demo;
pub(crate) use destroy::destroy;
pub(crate) use forget::forget;
pub(crate) use history::{ClusterHistory, history};
pub(crate) use import::{ImportArgs, import};
pub(crate) use lag::lag;
pub(crate) use plan::plan;
pub(crate) use render::{RenderArgs, render};
pub(crate) use replicate::replicate;
pub(crate) use schema::schema;
pub(crate) use status::status;
pub(crate) use validate::validate;
pub(crate) use verify::{VerifyArgs, verify};
