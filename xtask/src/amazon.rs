//! What the part of `plan` that looks at AWS is checked and tested with: a build with the SDK, which is off everywhere else
//! because it compiles for minutes and takes gigabytes, and moto, a server that answers as EC2 does.

use std::fs;
use std::path::PathBuf;

use crate::commands::install::virtual_environment;
use crate::error::{Error, Result};
use crate::process::execute;
use crate::project::{cache, cargo, say};

/// The test program that needs it.
pub(crate) const TEST: &str = "aws_drift";

/// Lints, tests and builds what is off by default, and says in the environment of the tests where everything is.
///
/// `mirrorctl` itself has to be built after this: the build with the feature takes its place.
pub(crate) fn environment() -> Result<Vec<(&'static str, PathBuf)>> {
    say("building mirrorctl with the feature `aws`; the first time takes minutes and 6 GB");
    execute(cargo().args([
        "clippy",
        "-p",
        "mirrorctl-aws",
        "-p",
        "mirrorctl",
        "--features",
        "mirrorctl/aws",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    execute(cargo().args(["test", "-p", "mirrorctl-aws", "--features", "sdk"]))?;
    execute(cargo().args(["build", "-p", "mirrorctl", "--features", "aws"]))?;
    Ok(vec![
        ("MIRRORCTL_AWS_BINARY", keep_binary()?),
        ("MIRRORCTL_MOTO", moto()?.join("bin")),
        ("MIRRORCTL_TERRAFORM", cache()?.join("terraform")),
    ])
}

/// Under a name of its own, beside the one that the other tests run.
fn keep_binary() -> Result<PathBuf> {
    let this = std::env::current_exe().map_err(Error::file("finding", "this program"))?;
    let built = this.with_file_name("mirrorctl");
    let kept = this.with_file_name("mirrorctl-with-aws");
    // a link to the same file would change with it
    fs::copy(&built, &kept).map_err(Error::file("copying", &built))?;
    Ok(kept)
}

fn moto() -> Result<PathBuf> {
    virtual_environment("moto", "e2e/aws/requirements.txt")
}
