//! What the test programs of the deep tier need beside what the core tier needs. Everything together takes half an hour on a new
//! machine, so a program that is run alone waits for its own needs only.

use std::path::PathBuf;

use self::Install::{At, Known};
use crate::commands::{install, terraform};
use crate::deployment;
use crate::error::Result;

/// The programs that need a Docker engine, which has to live as long as they do.
pub(crate) const ENGINE: [&str; 2] = ["container_image", "containers"];

/// Something that is installed or built once.
struct Need {
    /// Programs of `e2e/tests`.
    of: &'static [&'static str],
    install: Install,
}

enum Install {
    /// Found on the path, or in the cache by a name that tests know.
    Known(fn() -> Result<()>),
    /// Found where a variable of the environment says.
    At(&'static str, fn() -> Result<PathBuf>),
}

const NEEDS: &[Need] = &[
    Need {
        of: &["promtool"],
        install: Known(install::promtool),
    },
    Need {
        of: &["report_page"],
        install: Known(install::chromium),
    },
    Need {
        of: &["systemd_live", "systemd_units"],
        install: Known(deployment::systemd_analyze),
    },
    Need {
        of: &["ansible_roles", "systemd_live"],
        install: Known(deployment::systemd_nspawn),
    },
    Need {
        of: &["actionlint"],
        install: At("MIRRORCTL_ACTIONLINT", deployment::actionlint),
    },
    Need {
        of: &["ansible_roles"],
        install: At("MIRRORCTL_KAFKA_LIBS", deployment::kafka_jars),
    },
    Need {
        of: &["ansible_roles", "kubernetes_manifests", "systemd_live"],
        install: At("MIRRORCTL_ANSIBLE", deployment::ansible),
    },
    Need {
        of: &["legacy_mirrormaker"],
        install: At("MIRRORCTL_LEGACY_KAFKA_LIBS", deployment::legacy_kafka_jars),
    },
    Need {
        of: &["pipeline_files"],
        install: At("MIRRORCTL_PARSERS", deployment::parsers),
    },
    Need {
        of: &["pipeline_files"],
        install: At("MIRRORCTL_LINTERS", deployment::linters),
    },
    Need {
        of: &["kubernetes_manifests"],
        install: At("MIRRORCTL_STRIMZI", deployment::strimzi),
    },
    Need {
        of: &["kubernetes_manifests"],
        install: At("MIRRORCTL_KUBERNETES", deployment::kubernetes),
    },
    Need {
        of: &["arm_template"],
        install: At("MIRRORCTL_ARM", deployment::arm),
    },
    Need {
        of: &["arm_template", "terraform"],
        install: Known(terraform::checkov),
    },
    Need {
        of: &["aws_drift", "terraform"],
        install: Known(terraform::aws_stand_in),
    },
    Need {
        of: &["terraform"],
        install: Known(terraform::azurerm),
    },
];

/// Installs what the programs need that run, and says in the environment of the tests where it is.
pub(crate) fn install(runs: impl Fn(&str) -> bool) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut environment = Vec::new();
    for need in NEEDS {
        if !need.of.iter().any(|program| runs(program)) {
            continue;
        }
        match need.install {
            Known(install) => install()?,
            At(variable, install) => environment.push((variable, install()?)),
        }
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::project::root;

    #[test]
    fn programs_are_told_where_everything_is_that_they_ask_for() {
        // what other parts of xtask say
        let elsewhere = [
            "MIRRORCTL_AWS_BINARY",
            "MIRRORCTL_CACHE",
            "MIRRORCTL_MOTO",
            "MIRRORCTL_TERRAFORM",
        ];
        let folder = root().join("e2e/tests");
        let mut programs = BTreeSet::new();
        for entry in fs::read_dir(folder).expect("the tests") {
            let path = entry.expect("a file").path();
            if path.extension().is_none_or(|it| it != "rs") {
                continue;
            }
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a text");
            for asked in text.split("installed(\"MIRRORCTL_").skip(1) {
                let variable = asked.split('"').next().unwrap_or_default();
                let variable = format!("MIRRORCTL_{variable}");
                let told = NEEDS.iter().any(|need| {
                    matches!(need.install, At(it, _) if it == variable)
                        && need.of.contains(&name.as_ref())
                });
                assert!(
                    told || elsewhere.contains(&variable.as_str()),
                    "{name}: {variable}"
                );
            }
            programs.insert(name.into_owned());
        }
        for program in NEEDS.iter().flat_map(|need| need.of).chain(&ENGINE) {
            assert!(programs.contains(*program), "{program}");
        }
    }
}
