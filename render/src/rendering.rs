//! From a topology to files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use folder::{Author, Clusters, ManifestEntry, PathError, sha256};

use crate::draft::{Body, Draft};
use crate::engine::{TemplateError, Templates};
use crate::header::{self, UnknownKind};
use crate::layout;
use crate::request::Request;
use crate::target::{Target, TargetError};
use crate::targets::{clusters, targets};

/// Why a topology cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// No target has this name.
    #[error("there is no target `{name}`; there are {}", known.join(", "))]
    UnknownTarget {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Targets cannot say anything true about the topology: what each says, by name.
    #[error("{}", in_lines(.0))]
    Targets(Vec<Complaint>),
    /// A template gives no text.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file would go to where it must not: a bug of the target.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Two files of one name: a bug of the target.
    #[error("two files would be called `{0}`")]
    Twice(String),
    /// A file of an unknown kind: a bug of the target.
    #[error(transparent)]
    Kind(#[from] UnknownKind),
    /// Values that JSON does not take: a bug of the target.
    #[error("`{path}` cannot be written as JSON: {source}")]
    Json {
        /// The file.
        path: String,
        /// What serde says.
        source: serde_json::Error,
    },
}

/// Why a target cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("{target}: {source}")]
pub struct Complaint {
    /// Its name.
    pub target: &'static str,
    /// Why.
    pub source: TargetError,
}

fn in_lines(complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A file as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Its bytes.
    pub content: Vec<u8>,
    /// The target that wants it.
    pub target: &'static str,
    /// The name of the topology that it was rendered from, where that has one.
    pub topology: Option<String>,
    /// The clusters of that topology.
    pub clusters: Clusters,
    /// The template it was made from, and the SHA-256 of that.
    pub template: Option<(String, String)>,
}

impl RenderedFile {
    /// The SHA-256 of the bytes, as text.
    pub fn digest(&self) -> String {
        sha256(&self.content)
    }

    /// What a manifest says of it.
    pub fn entry(&self) -> ManifestEntry {
        let (template, template_sha256) = self.template.clone().unzip();
        ManifestEntry {
            target: self.target.to_owned(),
            topology: self.topology.clone(),
            // a name says enough, whatever becomes of the clusters
            clusters: if self.topology.is_some() {
                Clusters::new()
            } else {
                self.clusters.clone()
            },
            sha256: self.digest(),
            template,
            template_sha256,
        }
    }

    /// Whether it is meant to be executed.
    pub fn is_script(&self) -> bool {
        header::is_script(&self.content)
    }
}

/// All files of the targets asked for. The same topology gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendering {
    /// By path below the output folder; parts are separated by `/`.
    pub files: BTreeMap<String, RenderedFile>,
    /// What somebody who uses them should know, a sentence each.
    pub remarks: Vec<String>,
    /// What of a folder it speaks of.
    pub extent: Extent,
    /// The name of the topology, where it has one: what others have rendered stays as it is.
    pub topology: Option<String>,
    /// Its clusters, which tell it from others where it has none.
    pub clusters: Clusters,
}

/// What of a folder a rendering speaks of. What it does not speak of stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Files of the targets asked for, also of those that have nothing to say about the topology.
    Targets(BTreeSet<&'static str>),
    /// Everything that this topology ever rendered into it.
    Folder,
}

impl Extent {
    /// Whether files of this target are spoken of.
    pub(crate) fn covers(&self, target: &str) -> bool {
        match self {
            Self::Targets(targets) => targets.contains(target),
            Self::Folder => true,
        }
    }
}

impl Rendering {
    /// Whether it speaks of a file that was rendered like this, wanted or not.
    pub(crate) fn speaks_of(&self, entry: &ManifestEntry) -> bool {
        self.extent.covers(&entry.target) && entry.is_of(self.author())
    }

    /// The topology that asks.
    pub(crate) fn author(&self) -> Author<'_> {
        Author {
            name: self.topology.as_deref(),
            clusters: &self.clusters,
        }
    }

    /// The same for a folder that belongs to the topology: files of other targets in it are not wanted.
    #[must_use]
    pub fn of_whole_folder(self) -> Self {
        Self {
            extent: Extent::Folder,
            ..self
        }
    }
}

/// Renders a topology for the targets named, or for all.
///
/// A target that complains stops no other one from being looked at, so that all complaints come at once. Files come only where
/// nobody complains: what is rendered goes together.
///
/// # Errors
/// When a target or a setting is not known, the topology lacks what targets need, or a template is wrong.
pub fn render(
    request: &Request<'_>,
    named: &[String],
    templates: &Templates,
) -> Result<Rendering, RenderError> {
    let wanted = select(named)?;
    let mut files = BTreeMap::new();
    let mut remarks: Vec<String> = Vec::new();
    let mut complaints = Vec::new();
    for target in &wanted {
        let drafts = match (target.drafts)(request) {
            Ok(drafts) => drafts,
            Err(source) => {
                complaints.push(Complaint {
                    target: target.name,
                    source,
                });
                continue;
            }
        };
        if !drafts.is_empty() {
            for remark in (target.remarks)(request) {
                // what several targets say is said once
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
        }
        for draft in drafts {
            let path = format!("{}/{}", target.name, draft.path);
            folder::check(&path)?;
            let file = finish(&path, draft, target.name, request, templates)?;
            if files.insert(path.clone(), file).is_some() {
                return Err(RenderError::Twice(path));
            }
        }
    }
    if !complaints.is_empty() {
        return Err(RenderError::Targets(complaints));
    }
    Ok(Rendering {
        files,
        remarks,
        extent: Extent::Targets(wanted.iter().map(|target| target.name).collect()),
        topology: request.topology.name.clone(),
        clusters: clusters(request.topology),
    })
}

fn select(named: &[String]) -> Result<Vec<&'static Target>, RenderError> {
    if named.is_empty() {
        return Ok(targets().iter().collect());
    }
    let mut wanted: Vec<&'static Target> = Vec::new();
    for name in named {
        let Some(target) = targets().iter().find(|it| it.name == name) else {
            return Err(RenderError::UnknownTarget {
                name: name.clone(),
                known: targets().iter().map(|it| it.name).collect(),
            });
        };
        if !wanted.iter().any(|it| it.name == target.name) {
            wanted.push(target);
        }
    }
    Ok(wanted)
}

fn finish(
    path: &str,
    draft: Draft,
    target: &'static str,
    request: &Request<'_>,
    templates: &Templates,
) -> Result<RenderedFile, RenderError> {
    let (content, template) = match draft.body {
        Body::Template { name, context } => {
            let (text, digest) = templates.fill(name, &context)?;
            let mut text = header::with_header(path, &text)?;
            if Path::new(path).extension().is_some_and(|it| it == "tf") {
                text = layout::hcl(&text);
            }
            (text.into_bytes(), Some((name.to_owned(), digest)))
        }
        Body::Json(value) => {
            let mut text =
                serde_json::to_string_pretty(&value).map_err(|source| RenderError::Json {
                    path: path.to_owned(),
                    source,
                })?;
            text.push('\n');
            (text.into_bytes(), None)
        }
        Body::Text(text) => (header::with_header(path, &text)?.into_bytes(), None),
        Body::Copy(bytes) => (bytes.to_vec(), None),
    };
    Ok(RenderedFile {
        content,
        target,
        topology: request.topology.name.clone(),
        clusters: clusters(request.topology),
        template,
    })
}
