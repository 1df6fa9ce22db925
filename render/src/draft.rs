//! A file before it is written: where it goes, and what it is made of.

use serde::Serialize;
use tera::Context;

use crate::embedded;
use crate::target::TargetError;

/// A file that a target wants.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Relative to the folder of the target, parts separated by `/`.
    pub(crate) path: String,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// A template, `TARGET/NAME` below `templates/`, and its values.
    Template {
        name: &'static str,
        context: Box<Context>,
    },
    /// JSON, which is written with two spaces of indentation and without a template.
    Json(serde_json::Value),
    /// A text as it is, behind the line that says who wrote it.
    Text(String),
    /// A file of the repository as it is.
    Copy(&'static [u8]),
}

impl Draft {
    /// A template filled with the fields of `values`.
    ///
    /// # Errors
    /// When the values are no map.
    pub fn template(
        path: impl Into<String>,
        name: &'static str,
        values: &impl Serialize,
    ) -> Result<Self, TargetError> {
        let path = path.into();
        match Context::from_serialize(values) {
            Ok(context) => Ok(Self {
                path,
                body: Body::Template {
                    name,
                    context: Box::new(context),
                },
            }),
            Err(source) => Err(TargetError::Values { path, source }),
        }
    }

    /// JSON. A language without comments: nothing can break out of what serde writes.
    pub fn json(path: impl Into<String>, value: serde_json::Value) -> Self {
        Self {
            path: path.into(),
            body: Body::Json(value),
        }
    }

    /// A text that was made elsewhere.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            body: Body::Text(text.into()),
        }
    }

    /// Everything below a folder of `terraform/` or `ansible/` (`terraform/azure-network`), as it is, below `under`.
    ///
    /// # Errors
    /// When there is no such folder in the binary.
    pub fn tree(folder: &str, under: &str) -> Result<Vec<Self>, TargetError> {
        let trees = [
            ("terraform/", embedded::TERRAFORM),
            ("ansible/", embedded::ANSIBLE),
        ];
        let drafts: Vec<Self> = trees
            .into_iter()
            .filter_map(|(root, tree)| Some((folder.strip_prefix(root)?, tree)))
            .flat_map(|(prefix, tree)| tree.iter().map(move |file| (prefix, file)))
            .filter_map(|(prefix, (name, bytes))| {
                let below = name.strip_prefix(prefix)?.strip_prefix('/')?;
                Some(Self {
                    path: format!("{under}/{below}"),
                    body: Body::Copy(bytes),
                })
            })
            .collect();
        if drafts.is_empty() {
            return Err(TargetError::NoTree(folder.to_owned()));
        }
        Ok(drafts)
    }
}
