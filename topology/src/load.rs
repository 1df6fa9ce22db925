//! From a file to a topology.

use std::path::PathBuf;

use serde_json::Value;

use crate::code::{Code, Severity};
use crate::diagnostic::Diagnostics;
use crate::finding::{Finding, place};
use crate::path::Path;
use crate::resolved::Topology;
use crate::{resolve, structure, tree};

/// A topology that can be used, and what should be known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The topology.
    pub topology: Topology,
    /// Findings that are warnings; often none.
    pub warnings: Diagnostics,
}

/// Why a file gives no topology.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is wrong in one or more places.
    #[error("{} is not a valid topology", .0.name())]
    Invalid(Diagnostics),
}

/// Reads, checks and resolves a topology file. Relative paths in it are relative to the folder of the file.
///
/// # Errors
/// When the file cannot be read, or with everything that is wrong in it at once.
pub fn load(path: &std::path::Path) -> Result<Loaded, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut loaded = parse(&path.display().to_string(), &text).map_err(LoadError::Invalid)?;
    if let Some(folder) = path.parent() {
        for cluster in &mut loaded.topology.clusters {
            cluster.place_files(folder);
        }
        if let Some(files) = &mut loaded.topology.render {
            files.out = folder.join(&files.out);
        }
        for user in &mut loaded.topology.users {
            user.place_files(folder);
        }
    }
    Ok(loaded)
}

/// Checks and resolves a topology; `name` is what diagnostics call it. Relative paths in it stay as written.
///
/// # Errors
/// With everything that is wrong in the text, warnings included.
pub fn parse(name: &str, text: &str) -> Result<Loaded, Diagnostics> {
    let (tree, mut findings) = tree::read(text);
    let Some(mut tree) = tree else {
        return Err(place(name, text, findings));
    };
    let mut structure = structure::check(&mut tree);
    findings.append(&mut structure.findings);
    let (topology, more) = resolve::resolve(text, &tree, &structure);
    findings.extend(more);
    let sound = findings
        .iter()
        .all(|finding| finding.code.severity() == Severity::Warning);
    match topology {
        Some(topology) if sound => Ok(Loaded {
            topology,
            warnings: place(name, text, findings),
        }),
        Some(_) | None => {
            if sound {
                // a value that the schema accepts and the types refuse: say so rather than fail without a word
                findings.push(Finding::new(
                    Code::InvalidValue,
                    0..0,
                    "the file cannot be read into a topology",
                    "somewhere in this file",
                ));
            }
            Err(place(name, text, findings))
        }
    }
}

/// A part of the file that files cannot be rendered for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A key of a cluster, with dots between its parts (`brokers.hosts`).
    Cluster {
        /// Its alias.
        alias: String,
        /// The key.
        key: String,
    },
    /// A mirror, by its name.
    Mirror(String),
    /// A pipeline, by its name.
    Pipeline(String),
    /// No part that could be named.
    Whole,
}

impl Part {
    /// Where it stands, or the list that it would stand in.
    fn path(&self, file: &Value) -> Path {
        let (list, key, name) = match self {
            Self::Cluster { alias, .. } => ("clusters", "alias", alias),
            Self::Mirror(name) => ("mirrors", "name", name),
            Self::Pipeline(name) => ("pipelines", "name", name),
            Self::Whole => return Path::root().key("render").key("targets"),
        };
        let path = Path::root().key(list);
        let items = file.get(list).and_then(Value::as_array);
        let at = items.and_then(|items| {
            let is_meant =
                |item: &Value| item.get(key).and_then(Value::as_str) == Some(name.as_str());
            items.iter().position(is_meant)
        });
        match (at, self) {
            (None, _) => path,
            (Some(at), Self::Cluster { key, .. }) => {
                let path = path.index(at);
                key.split('.').fold(path, |path, key| path.key(key))
            }
            (Some(at), Self::Mirror(_) | Self::Pipeline(_) | Self::Whole) => {
                path.index(at).key(key)
            }
        }
    }
}

/// The findings about what targets of `render.targets` cannot be rendered for: the part and the problem, each. Only the targets
/// know what they can; `text` is a topology that was read before.
pub fn refuse_rendering(name: &str, text: &str, refused: &[(Part, String)]) -> Diagnostics {
    let (tree, _) = tree::read(text);
    let file = tree.as_ref().map_or(Value::Null, tree::Node::to_json);
    let findings = refused.iter().map(|(part, problem)| {
        let tree = tree.as_ref();
        let span = tree.map_or(0..0, |tree| tree.span_of(&part.path(&file)));
        Finding::new(Code::NotRenderable, span, problem, "refused by a target")
            .hint("change it, or take the target out of `render.targets`")
    });
    place(name, text, findings.collect())
}

/// The findings about settings of `render.set` that targets refuse: key and problem, each. Only the targets know which settings
/// they have, and what these take; `text` is a topology that was read before.
pub fn refuse_settings(name: &str, text: &str, refused: &[(String, String)]) -> Diagnostics {
    let (tree, _) = tree::read(text);
    let block = Path::root().key("render").key("set");
    let findings = refused.iter().map(|(key, problem)| {
        let tree = tree.as_ref();
        let span = tree.map_or(0..0, |tree| tree.key_span_of(&block.key(key)));
        Finding::new(Code::InvalidSetting, span, problem, "refused by its target")
            .hint("`mirrorctl render --list` shows the settings of each target")
    });
    place(name, text, findings.collect())
}
