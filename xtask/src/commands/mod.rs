//! One file a subcommand.

pub(crate) mod bench;
pub(crate) mod ci;
pub(crate) mod fuzz;
pub(crate) mod generated;
pub(crate) mod install;
pub(crate) mod judging;
pub(crate) mod scoreboard;
pub(crate) mod terraform;
pub(crate) mod test;
