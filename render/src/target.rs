//! What a target is.

use topology::Part;

use crate::draft::Draft;
use crate::request::Request;
use crate::setting::Setting;

/// One kind of output.
#[derive(Debug)]
pub struct Target {
    /// Its name, and the folder that its files go to.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What a topology has to have so that there is anything to render, as the end of "it renders …".
    pub renders: &'static str,
    /// What a user may choose about it.
    pub settings: &'static [Setting],
    /// What somebody who uses the files should know, and which neither the files nor the topology show to be wrong.
    pub remarks: fn(&Request<'_>) -> Vec<String>,
    /// The files for a topology; none where it has nothing to say.
    pub drafts: fn(&Request<'_>) -> Result<Vec<Draft>, TargetError>,
}

impl TargetError {
    /// The part of the topology that it speaks of.
    pub fn part(&self) -> Part {
        match self {
            Self::ClusterLacks { cluster, key, .. } | Self::Cluster { cluster, key, .. } => {
                Part::Cluster {
                    alias: cluster.clone(),
                    key: (*key).to_owned(),
                }
            }
            Self::Mirror { mirror, .. } | Self::UnknownCluster { mirror, .. } => {
                Part::Mirror(mirror.clone())
            }
            Self::Pipeline { pipeline, .. } => Part::Pipeline(pipeline.clone()),
            Self::Values { .. } | Self::NoTree(_) => Part::Whole,
        }
    }
}

/// Of a target whose files say everything.
pub(crate) fn no_remarks(_: &Request<'_>) -> Vec<String> {
    Vec::new()
}

/// Why a target cannot be rendered for a topology.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// A cluster does not say what the target needs to know.
    #[error("cluster `{cluster}` needs `{key}`: {why}")]
    ClusterLacks {
        /// Its alias.
        cluster: String,
        /// The key, as in the topology file.
        key: &'static str,
        /// What it is for.
        why: &'static str,
    },
    /// A cluster asks for what the target cannot do.
    #[error("cluster `{cluster}`, `{key}`: {problem}")]
    Cluster {
        /// Its alias.
        cluster: String,
        /// The key, as in the topology file.
        key: &'static str,
        /// What cannot be done.
        problem: String,
    },
    /// A mirror asks for what the target cannot do.
    #[error("mirror `{mirror}`: {problem}")]
    Mirror {
        /// Its name.
        mirror: String,
        /// What cannot be done.
        problem: String,
    },
    /// A pipeline asks for what the target cannot do.
    #[error("pipeline `{pipeline}`: {problem}")]
    Pipeline {
        /// Its name.
        pipeline: String,
        /// What cannot be done.
        problem: String,
    },
    /// A mirror names a cluster that the topology does not have: it was not validated.
    #[error("mirror `{mirror}` names the unknown cluster `{cluster}`")]
    UnknownCluster {
        /// Its name.
        mirror: String,
        /// The alias.
        cluster: String,
    },
    /// Values that no template takes: a bug of the target.
    #[error("the values of `{path}` cannot be given to a template: {source}")]
    Values {
        /// The file.
        path: String,
        /// What the template engine says.
        source: tera::Error,
    },
    /// A tree that the binary does not hold: a bug of the target.
    #[error("no files below `{0}` are in this binary")]
    NoTree(String),
}
