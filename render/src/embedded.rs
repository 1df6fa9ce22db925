//! The trees that `build.rs` put into the binary.

include!(concat!(env!("OUT_DIR"), "/trees.rs"));
