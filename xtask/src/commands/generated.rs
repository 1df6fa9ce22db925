//! Files in the tree that the program writes: they have to be what it would write now.

use std::fs;

use crate::error::{Error, Result};
use crate::process::execute;
use crate::project::{cargo, root, say};

/// The subject of `mirrorctl schema`, and where its output is kept.
const SCHEMAS: [(&str, &str); 3] = [
    ("topology", "topology/schema/topology.schema.json"),
    ("plan", "plan/schema/plan.schema.json"),
    ("report", "conformance/schema/report.schema.json"),
];

/// Compares every generated file with what the binary prints.
pub(crate) fn check() -> Result<()> {
    say("generated files");
    execute(cargo().args(["build", "--quiet", "-p", "mirrorctl"]))?;
    for (subject, file) in SCHEMAS {
        let path = root().join(file);
        let kept = fs::read(&path).map_err(Error::file("reading", &path))?;
        let printed = cargo()
            .args(["run", "--quiet", "-p", "mirrorctl", "--", "schema", subject])
            .output()
            .map_err(|source| Error::Start {
                program: "mirrorctl".to_owned(),
                source,
            })?;
        if !printed.status.success() {
            let command = format!("mirrorctl schema {subject}");
            return Err(Error::Failed {
                command,
                status: printed.status,
            });
        }
        if printed.stdout != kept {
            return Err(Error::NotRegenerated { path, subject });
        }
    }
    Ok(())
}
