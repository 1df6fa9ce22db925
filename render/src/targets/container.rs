//! A minimal image of the replicator.

use serde::Serialize;

use super::replicator::mirrors;
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError, no_remarks};

const NAME: &str = "container";
/// `mirrorctl/tests/cli/image.rs` lists the shared libraries of it, which have to be enough for the binary.
const BASE: &str = "gcr.io/distroless/cc-debian12:nonroot";

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "a Containerfile for an image of the replicator that holds the binary and nothing to log in with",
    renders: super::replicator::RENDERS,
    settings: &[Setting {
        name: "base",
        about: "the image to build on: the C library of the binary's build, or newer (gcr.io/distroless/cc-debian12:nonroot)",
        takes: Takes::Text(setting::image),
    }],
    remarks: no_remarks,
    drafts,
};

#[derive(Serialize)]
struct Image<'a> {
    base: &'a str,
    version: &'static str,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    if mirrors(request.topology).next().is_none() {
        return Ok(Vec::new());
    }
    let image = Image {
        base: request.setting(NAME, "base", BASE),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(vec![Draft::template(
        "Containerfile",
        "container/Containerfile",
        &image,
    )?])
}
