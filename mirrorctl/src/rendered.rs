//! The files that a topology has rendered for other tools, as `plan` takes them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::slice;

use plan::{DesiredFile, DesiredFolder};
use render::{RenderError, RenderedFile, Request, SettingError, Settings, Templates};
use topology::{LoadError, Part, RenderedFiles, Topology};

use crate::failure::Failure;
use crate::load::as_written;

/// What the topology in `file` wants in its folder; nothing where it has no `render`.
pub(crate) fn files(file: &Path, topology: &Topology) -> Result<Option<DesiredFolder>, Failure> {
    let Some(block) = &topology.render else {
        return Ok(None);
    };
    check_settings(file, block)?;
    let settings = settings(&block.settings)?;
    let templates = Templates::embedded().map_err(RenderError::from)?;
    let below = folder_of(file)?;
    // with paths as they are written, because the files go elsewhere
    let (topology, source) = as_written(file)?;
    let out = topology.render.as_ref().map(|block| block.out.clone());
    let request = Request {
        topology: &topology,
        source: &source,
        settings: &settings,
    };
    let rendering = render::render(&request, &names(block), &templates)?;
    let clusters = rendering.clusters;
    let files: Result<BTreeMap<String, DesiredFile>, Failure> = rendering
        .files
        .into_iter()
        .map(|(path, rendered)| {
            let wanted = wanted(rendered).map_err(|error| Failure::File {
                path: block.out.join(&path),
                error,
            })?;
            Ok((path, wanted))
        })
        .collect();
    Ok(Some(DesiredFolder {
        below,
        out: out.unwrap_or_default(),
        clusters,
        files: files?,
    }))
}

/// The folder that a topology file is in, absolute, so that a saved plan means this one wherever it is applied from.
pub(crate) fn folder_of(file: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(file).map_err(|error| Failure::FileUnread {
        path: file.to_owned(),
        error,
    })?;
    Ok(absolute.parent().unwrap_or(&absolute).to_owned())
}

/// The targets of the block, by name.
pub(crate) fn names(block: &RenderedFiles) -> Vec<String> {
    let targets = block.targets.iter();
    targets.map(|target| target.name().to_owned()).collect()
}

/// Whether the targets have and take the settings of the block; where they do not, it is the file that is wrong.
pub(crate) fn check_settings(file: &Path, block: &RenderedFiles) -> Result<(), LoadError> {
    let refused: Vec<(String, String)> = block
        .settings
        .iter()
        .filter_map(|written| {
            let error = Settings::parse(slice::from_ref(written)).err()?;
            let key = written
                .split_once('=')
                .map_or(written.as_str(), |(key, _)| key);
            Some((key.to_owned(), error.to_string()))
        })
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let text = std::fs::read_to_string(file).map_err(|source| LoadError::Read {
        path: file.to_owned(),
        source,
    })?;
    let name = file.display().to_string();
    Err(LoadError::Invalid(topology::refuse_settings(
        &name, &text, &refused,
    )))
}

/// Whether the targets of the block can be rendered for the topology; where they cannot, it is the file that is wrong.
pub(crate) fn check_targets(file: &Path, block: &RenderedFiles) -> Result<(), LoadError> {
    // what is wrong with settings or with templates is said elsewhere
    let (Ok(settings), Ok(templates)) = (Settings::parse(&block.settings), Templates::embedded())
    else {
        return Ok(());
    };
    let source = std::fs::read_to_string(file).map_err(|source| LoadError::Read {
        path: file.to_owned(),
        source,
    })?;
    let name = file.display().to_string();
    let loaded = topology::parse(&name, &source).map_err(LoadError::Invalid)?;
    let request = Request {
        topology: &loaded.topology,
        source: &source,
        settings: &settings,
    };
    match render::render(&request, &names(block), &templates) {
        Err(RenderError::Targets(complaints)) => {
            let complaints = complaints.iter();
            let refused: Vec<(Part, String)> = complaints
                .map(|it| (it.source.part(), it.to_string()))
                .collect();
            let found = topology::refuse_rendering(&name, &source, &refused);
            Err(LoadError::Invalid(found))
        }
        Ok(_)
        | Err(
            RenderError::UnknownTarget { .. }
            | RenderError::Template(_)
            | RenderError::Path(_)
            | RenderError::Twice(_)
            | RenderError::Kind(_)
            | RenderError::Json { .. },
        ) => Ok(()),
    }
}

/// Settings of targets, `TARGET.NAME=VALUE` each.
pub(crate) fn settings(written: &[String]) -> Result<Settings, Failure> {
    Settings::parse(written).map_err(|error: SettingError| Failure::Usage {
        message: error.to_string(),
        hint: "`mirrorctl render --list` shows the settings of each target".to_owned(),
    })
}

fn wanted(file: RenderedFile) -> io::Result<DesiredFile> {
    let (entry, executable) = (file.entry(), file.is_script());
    let content = String::from_utf8(file.content)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(DesiredFile {
        content,
        executable,
        entry,
    })
}
