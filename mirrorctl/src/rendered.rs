//! The files that a topology has rendered for other tools, as `plan` takes them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::Path;

use plan::{DesiredFile, DesiredFolder};
use render::{RenderedFile, Request, SettingError, Settings, Templates};
use topology::{RenderedFiles, Topology};

use crate::failure::Failure;
use crate::load::as_written;

/// What the topology in `file` wants in its folder; nothing where it has no `render`.
pub(crate) fn files(file: &Path, topology: &Topology) -> Result<Option<DesiredFolder>, Failure> {
    let Some(block) = &topology.render else {
        return Ok(None);
    };
    let settings = settings(&block.settings)?;
    let templates = Templates::embedded().map_err(render::RenderError::from)?;
    // with paths as they are written, because the files go elsewhere
    let (topology, source) = as_written(file)?;
    let request = Request {
        topology: &topology,
        source: &source,
        settings: &settings,
    };
    let rendering = render::render(&request, &names(block), &templates)?;
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
        path: block.out.clone(),
        files: files?,
    }))
}

/// The targets of the block, by name.
pub(crate) fn names(block: &RenderedFiles) -> Vec<String> {
    let targets = block.targets.iter();
    targets.map(|target| target.name().to_owned()).collect()
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
