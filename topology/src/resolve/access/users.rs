//! `users`.

use super::names;
use crate::access::ScramUser;
use crate::choices::Platform;
use crate::code::Code;
use crate::defaults;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;
use crate::resolve::security::secret;
use crate::resolved::Cluster;
use crate::spec;

/// The users of the whole file; what is wrong is left out.
pub(in crate::resolve) fn resolve(
    scope: &mut Scope<'_>,
    list: &Path,
    specs: impl Iterator<Item = (usize, spec::User)>,
    clusters: &[Cluster],
) -> Vec<ScramUser> {
    let mut users: Vec<(usize, ScramUser)> = Vec::new();
    for (at, spec) in specs {
        let path = list.index(at);
        let found = one(scope, &path, &spec, clusters);
        let twice = found.iter().find_map(|user| {
            users
                .iter()
                .find(|(_, it)| it.cluster == user.cluster && it.name == user.name)
                .map(|(first, _)| (*first, user.cluster.clone()))
        });
        if let Some((first, cluster)) = twice {
            let line = scope.line(&list.index(first).key("name"));
            let span = scope.span(&path.key("name"));
            scope.add(
                Finding::new(
                    Code::DuplicateUser,
                    span,
                    format!("the user `{}` is declared twice on `{cluster}`", spec.name),
                    "declared again here",
                )
                .hint(format!("line {line} has it first; keep one of them")),
            );
        } else {
            users.extend(found.into_iter().map(|user| (at, user)));
        }
    }
    users.into_iter().map(|(_, user)| user).collect()
}

fn one(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::User,
    clusters: &[Cluster],
) -> Vec<ScramUser> {
    let known = scope.clusters(&path.key("clusters"), &spec.clusters);
    let reachable = !embedded(scope, path, spec, clusters);
    let name = names::login(scope, &path.key("name"), &spec.name);
    let password = secret(&spec.password);
    let (Some(name), Some(password), true, true) = (name, password, known, reachable) else {
        return Vec::new();
    };
    spec.clusters
        .iter()
        .map(|alias| ScramUser {
            cluster: alias.clone(),
            name: name.clone(),
            mechanism: spec.mechanism,
            password: password.clone(),
            iterations: spec.iterations.unwrap_or(defaults::SCRAM_ITERATIONS),
            generation: spec.generation.unwrap_or(defaults::PASSWORD_GENERATION),
            origin: path.to_string(),
        })
        .collect()
}

/// Whether one of the clusters has no SASL to log in with; says so.
fn embedded(scope: &mut Scope<'_>, path: &Path, spec: &spec::User, clusters: &[Cluster]) -> bool {
    let mut any = false;
    for (at, alias) in spec.clusters.iter().enumerate() {
        let is_embedded = clusters
            .iter()
            .any(|cluster| cluster.alias == *alias && cluster.platform == Platform::Embedded);
        if is_embedded {
            any = true;
            let span = scope.span(&path.key("clusters").index(at));
            scope.add(
                Finding::new(
                    Code::SecurityOfEmbedded,
                    span,
                    format!("nobody can log in to `{alias}`: an embedded cluster has no SASL"),
                    "cannot be had here",
                )
                .hint("declare the user on a cluster that exists outside this process"),
            );
        }
    }
    any
}
