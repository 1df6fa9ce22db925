//! `render`: where the files go stays below the folder of the topology file.

use std::path::PathBuf;

use super::scope::Scope;
use crate::choices::RenderTarget;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::RenderedFiles;
use crate::{spec, suggest};

/// Checks the block; gives it in any case, because a finding keeps the topology from being used.
pub(crate) fn resolve(scope: &mut Scope<'_>, spec: spec::Render) -> RenderedFiles {
    let path = Path::root().key("render");
    folder(scope, &path.key("out"), &spec.out);
    targets(scope, &path.key("targets"), &spec.targets);
    for key in spec.set.keys() {
        setting(scope, &path.key("set").key(key), key, &spec.targets);
    }
    RenderedFiles {
        out: PathBuf::from(spec.out),
        targets: spec.targets,
        settings: spec
            .set
            .into_iter()
            .map(|(key, value)| format!("{key}={}", value.into_text()))
            .collect(),
    }
}

fn folder(scope: &mut Scope<'_>, path: &Path, out: &str) {
    let problem = if out.trim().is_empty() {
        "empty"
    } else if out.starts_with(['/', '~']) || out.contains(['\\', ':', '\0']) {
        "not relative"
    } else if out.split('/').any(|part| part == "..") {
        "leads out of it"
    } else {
        return;
    };
    let span = scope.span(path);
    scope.add(
        Finding::new(
            Code::InvalidFolder,
            span,
            format!("`{out}` is no folder below the folder of this file"),
            problem,
        )
        .hint("write a relative path without `..`, such as `out: rendered`"),
    );
}

fn targets(scope: &mut Scope<'_>, path: &Path, targets: &[RenderTarget]) {
    for (at, target) in targets.iter().enumerate() {
        if targets[..at].contains(target) {
            let span = scope.span(&path.index(at));
            scope.add(Finding::new(
                Code::DuplicateReference,
                span,
                format!("`{}` is listed twice", target.name()),
                "listed again here",
            ));
        }
    }
}

fn setting(scope: &mut Scope<'_>, path: &Path, key: &str, targets: &[RenderTarget]) {
    let known = |name: &str| targets.iter().any(|target| target.name() == name);
    let (message, hint) = match key.split_once('.') {
        Some((target, name)) if known(target) && !name.is_empty() => return,
        Some((target, name)) if !name.is_empty() => (
            format!("`{target}` is not rendered"),
            suggest::hint(
                target,
                "targets listed here",
                targets.iter().map(|it| it.name()),
            ),
        ),
        Some(_) | None => (
            format!("`{key}` is no setting of a target"),
            "write TARGET.NAME, such as `kubernetes.namespace`; `mirrorctl render --list` shows them"
                .to_owned(),
        ),
    };
    let span = scope.key_span(path);
    scope.add(Finding::new(Code::InvalidSetting, span, message, "no such setting").hint(hint));
}
