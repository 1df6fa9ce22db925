//! Templates: those of the binary, and those that a user puts over them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use folder::sha256;
use tera::{Context, Tera};

use crate::{embedded, filters, quoting};

/// A file below the folder of a user's templates: 1 MiB is a lot of template.
const LARGEST: u64 = 1 << 20;

/// Why a template gives no file.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder of templates, or a file in it, cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file stands for no template.
    #[error("{} is no template of mirrorctl; `render --list` names them", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// A file is too large to be a template.
    #[error("{} is larger than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A template is not written right.
    #[error("template {name}: {message}")]
    Syntax {
        /// Which.
        name: String,
        /// What is wrong, with the line.
        message: String,
    },
    /// A template asks for what is not there, or writes a value without quoting it.
    #[error("template {name}: {message}")]
    Rendering {
        /// Which.
        name: String,
        /// What is wrong, with the line where it is known.
        message: String,
    },
}

/// The templates to render with.
pub struct Templates {
    tera: Tera,
    digests: BTreeMap<String, String>,
}

impl Templates {
    /// The templates of the binary.
    ///
    /// # Errors
    /// When one of them is not written right: a bug.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::new(&embedded_texts())
    }

    /// The templates of the binary, and over them those in `folder`: a file `TARGET/NAME` takes the place of the template
    /// of that name. READMEs, and files whose name begins with a dot, are passed over.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file is not a template, or is not written right.
    pub fn with_overrides(folder: &Path) -> Result<Self, TemplateError> {
        let mut texts = embedded_texts();
        let mut written = Vec::new();
        collect(folder, "", &mut written)?;
        for (name, path, text) in written {
            match texts.get_mut(&name) {
                Some(place) => *place = text,
                None => return Err(TemplateError::Unknown { path }),
            }
        }
        Self::new(&texts)
    }

    fn new(texts: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let mut tera = Tera::new();
        // every template: what no filter quoted goes through `only_plain`
        tera.autoescape_on([""]);
        tera.set_escape_fn(only_plain);
        filters::register(&mut tera);
        let digests = texts
            .iter()
            .map(|(name, text)| (name.clone(), sha256(text.as_bytes())))
            .collect();
        tera.add_raw_templates(texts.iter().map(|(name, text)| (name.as_str(), text)))
            .map_err(|error| TemplateError::Syntax {
                name: named(&error).unwrap_or_default(),
                message: error.to_string(),
            })?;
        Ok(Self { tera, digests })
    }

    /// The names of all templates, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.digests.keys().map(String::as_str)
    }

    /// The text of a template filled with values, and the digest of the template.
    pub(crate) fn fill(
        &self,
        name: &str,
        context: &Context,
    ) -> Result<(String, String), TemplateError> {
        let text = self
            .tera
            .render(name, context)
            .map_err(|error| TemplateError::Rendering {
                name: named(&error).unwrap_or_else(|| name.to_owned()),
                message: told(&error),
            })?;
        let digest = self.digests.get(name).cloned().unwrap_or_default();
        Ok((text, digest))
    }
}

fn embedded_texts() -> BTreeMap<String, String> {
    embedded::TEMPLATES
        .iter()
        .map(|(name, bytes)| {
            (
                (*name).to_owned(),
                String::from_utf8_lossy(bytes).into_owned(),
            )
        })
        .collect()
}

/// Stands in for escaping: a value that no filter quoted is written only when it means the same in every language.
fn only_plain(text: &str, to: &mut dyn Write) -> io::Result<()> {
    if quoting::is_plain(text) {
        to.write_all(text.as_bytes())
    } else {
        Err(io::Error::other(format!(
            "the value {text:?} is written without a filter that quotes it"
        )))
    }
}

/// The template in which an error was found.
fn named(error: &tera::Error) -> Option<String> {
    match error.kind() {
        tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
            Some(report.filename().to_owned())
        }
        _ => None,
    }
}

fn told(error: &tera::Error) -> String {
    match (error.kind(), std::error::Error::source(error)) {
        (tera::ErrorKind::Io(_), Some(source)) => source.to_string(),
        _ => error.to_string(),
    }
}

fn collect(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, PathBuf, String)>,
) -> Result<(), TemplateError> {
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |source| TemplateError::Read { path, source }
    };
    for entry in fs::read_dir(folder).map_err(unread(folder))? {
        let entry = entry.map_err(unread(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "README.md" {
            continue;
        }
        let path = entry.path();
        let relative = format!("{prefix}{name}");
        let about = fs::metadata(&path).map_err(unread(&path))?;
        if about.is_dir() {
            collect(&path, &format!("{relative}/"), found)?;
        } else if about.len() > LARGEST {
            return Err(TemplateError::TooLarge { path });
        } else {
            let text = fs::read_to_string(&path).map_err(unread(&path))?;
            found.push((relative, path, text));
        }
    }
    Ok(())
}
