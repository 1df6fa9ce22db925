//! The replicator on Kubernetes: one Deployment a mirror.
//!
//! A mirror without `tasks` is copied by one replicator at a time: the newest run owns it. So only a mirror with `tasks` scales
//! out, and a roll-out starts the next run before it ends the last.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::loopback;
use super::names::{self, kubernetes_name, of_mirror, on_kubernetes};
use super::replicator::{self, Run, mirrors, runs};
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "kubernetes";
const HORIZONTAL: &str = "horizontalpodautoscaler";
const SCALED_OBJECT: &str = "scaledobject";
const PROMETHEUS: &str = "http://prometheus-operated.monitoring.svc:9090";
/// Where the topology is mounted.
const FOLDER: &str = "/etc/mirrorctl/";
const IMAGE: &str = concat!("mirrorctl:", env!("CARGO_PKG_VERSION"));
/// `mirrorctl-` stands before it, and what a Deployment appends to the names of its pods behind.
const LONGEST_NAME: usize = 40;

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "the replicator on Kubernetes: a Deployment a mirror, probes, network policy, disruption budgets, monitoring",
    renders: replicator::RENDERS,
    settings: &[
        Setting {
            name: "namespace",
            about: "where it runs (mirrorctl)",
            takes: Takes::Text(namespace),
        },
        Setting {
            name: "image",
            about: "the image, of the target `container` (mirrorctl:VERSION)",
            takes: Takes::Text(setting::image),
        },
        Setting {
            name: "memory",
            about: "the most memory that a mirror may take (1Gi)",
            takes: Takes::Text(memory),
        },
        Setting {
            name: "monitor",
            about: "what scrapes the metrics: a ServiceMonitor of the Prometheus operator, or annotations alone",
            takes: Takes::OneOf(&["service-monitor", "annotations"]),
        },
        Setting {
            name: "autoscaler",
            about: "what adds pods to a mirror with `tasks` while it is late: a HorizontalPodAutoscaler, KEDA's ScaledObject, \
                    or nothing, and a pod a task",
            takes: Takes::OneOf(&["hpa", "keda", "none"]),
        },
        Setting {
            name: "lag",
            about: "records that are not on the target, for each pod, from which the autoscaler adds pods (100000)",
            takes: Takes::Text(records),
        },
        Setting {
            name: "prometheus",
            about: "where KEDA asks Prometheus (http://prometheus-operated.monitoring.svc:9090)",
            takes: Takes::Text(url),
        },
    ],
    remarks,
    drafts,
};

#[derive(Serialize)]
struct Values<'a> {
    /// What objects are called that are there once.
    ours: String,
    /// What tells pods of this topology from those of others in the namespace, where it has a name.
    part_of: Option<String>,
    /// As whom the objects are applied: the server refuses what another manager wrote.
    manager: String,
    namespace: &'a str,
    image: &'a str,
    memory: &'a str,
    service_monitor: bool,
    topology: &'a str,
    variables: BTreeSet<&'a str>,
    optional_variables: BTreeSet<&'a str>,
    files: Vec<File<'a>>,
    absolute_files: Vec<File<'a>>,
    ports: BTreeSet<u16>,
    aws_role: bool,
    mirrors: Vec<MirrorName>,
    /// Those that an autoscaler adds pods to.
    scaled_mirrors: Vec<MirrorName>,
    /// What kind these autoscalers are of, as `kubectl` takes it.
    autoscaler: &'static str,
    /// What kind those are of that were rendered before another one was chosen.
    other_autoscaler: &'static str,
}

/// A file that the topology names, and its key in the Secret that holds all of them.
#[derive(Serialize)]
struct File<'a> {
    key: String,
    path: &'a str,
}

#[derive(Clone, Serialize)]
struct MirrorName {
    mirror: String,
    name: String,
    tasks: u32,
}

/// What adds pods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Autoscaler {
    Horizontal,
    Keda,
    None,
}

#[derive(Serialize)]
struct Scaling<'a> {
    #[serde(flatten)]
    values: &'a Values<'a>,
    #[serde(flatten)]
    this: &'a MirrorName,
    lag: &'a str,
    prometheus: &'a str,
    query: String,
}

#[derive(Serialize)]
struct Deployment<'a> {
    #[serde(flatten)]
    values: &'a Values<'a>,
    #[serde(flatten)]
    this: &'a MirrorName,
    scaled: bool,
    /// Of what it is run with.
    digest: &'a str,
    run_variables: &'a BTreeSet<String>,
    run_optional_variables: &'a BTreeSet<String>,
    run_files: Vec<File<'a>>,
    run_absolute_files: Vec<File<'a>>,
}

fn remarks(request: &Request<'_>) -> Vec<String> {
    let mirrors = mirrors(request.topology);
    let mut remarks = replicator::remarks(request.topology, NAME);
    remarks.extend(loopback::remarks(
        request.topology,
        mirrors,
        NAME,
        "the pod itself",
    ));
    remarks.extend(names::remark(request.topology.name.as_deref()));
    let scaled = replicator::mirrors(request.topology).any(|mirror| mirror.tasks() > 1);
    if scaled && autoscaler(request) == Autoscaler::Horizontal {
        remarks.push(format!(
            "{NAME}: the autoscaler asks the custom metrics API for mirrorctl_mirror_lag_records, which an adapter such as \
             prometheus-adapter has to serve; without one the number of pods stays (--set {NAME}.autoscaler=keda needs none)"
        ));
    }
    remarks
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let runs = runs(request.topology)?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let values = values(request, &runs)?;
    let mut drafts = Vec::new();
    for (file, template) in [
        ("namespace.yaml", "kubernetes/namespace.yaml"),
        ("topology.yaml", "kubernetes/topology.yaml"),
        ("service-account.yaml", "kubernetes/service-account.yaml"),
        ("network-policy.yaml", "kubernetes/network-policy.yaml"),
        ("service.yaml", "kubernetes/service.yaml"),
        ("kustomization.yaml", "kubernetes/kustomization.yaml"),
    ] {
        drafts.push(Draft::template(file, template, &values)?);
    }
    if values.service_monitor {
        drafts.push(Draft::template(
            "service-monitor.yaml",
            "kubernetes/service-monitor.yaml",
            &values,
        )?);
    }
    for (run, this) in runs.iter().zip(&values.mirrors) {
        let deployment = Deployment {
            values: &values,
            this,
            scaled: values.scaled_mirrors.iter().any(|it| it.name == this.name),
            digest: &run.digest,
            run_variables: &run.variables,
            run_optional_variables: &run.optional_variables,
            run_files: projected(run),
            run_absolute_files: files(elsewhere(run)),
        };
        drafts.push(Draft::template(
            format!("mirror-{}.yaml", this.name),
            "kubernetes/mirror.yaml",
            &deployment,
        )?);
    }
    let template = match autoscaler(request) {
        Autoscaler::Keda => "kubernetes/scaled-object.yaml",
        Autoscaler::Horizontal | Autoscaler::None => "kubernetes/horizontal-pod-autoscaler.yaml",
    };
    for this in &values.scaled_mirrors {
        let scaling = Scaling {
            values: &values,
            this,
            lag: request.setting(NAME, "lag", "100000"),
            prometheus: request.setting(NAME, "prometheus", PROMETHEUS),
            query: query(&values, this),
        };
        drafts.push(Draft::template(
            format!("autoscaler-{}.yaml", this.name),
            template,
            &scaling,
        )?);
    }
    Ok(drafts)
}

fn values<'a>(request: &'a Request<'_>, runs: &'a [Run]) -> Result<Values<'a>, TargetError> {
    let paths: BTreeSet<&String> = runs
        .iter()
        .flat_map(|run| run.files.iter().chain(&run.absolute_files))
        .collect();
    let mut keys: BTreeMap<String, &String> = BTreeMap::new();
    for path in paths {
        if let Some(other) = keys.insert(key(path), path) {
            return Err(TargetError::Mirror {
                mirror: runs
                    .iter()
                    .map(|it| it.mirror.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                problem: format!(
                    "`{other}` and `{path}` would have one key in a Secret: rename one"
                ),
            });
        }
    }
    let name = request.topology.name.as_deref();
    let ours = on_kubernetes(name, LONGEST_NAME);
    let mirrors: Vec<MirrorName> = runs
        .iter()
        .map(|run| MirrorName {
            mirror: run.mirror.clone(),
            name: of_mirror(name, &run.mirror, LONGEST_NAME),
            tasks: run.tasks,
        })
        .collect();
    let scaled = mirrors.iter().filter(|it| it.tasks > 1);
    let autoscaler = autoscaler(request);
    Ok(Values {
        manager: manager(name, &ours, runs),
        ours,
        part_of: name.map(|it| kubernetes_name(it, LONGEST_NAME)),
        namespace: request.setting(NAME, "namespace", "mirrorctl"),
        image: request.setting(NAME, "image", IMAGE),
        memory: request.setting(NAME, "memory", "1Gi"),
        service_monitor: request.setting(NAME, "monitor", "service-monitor") == "service-monitor",
        topology: request.source,
        variables: all(runs, |run| &run.variables),
        optional_variables: all(runs, |run| &run.optional_variables),
        files: files(all(runs, |run| &run.files)),
        absolute_files: files(all(runs, |run| &run.absolute_files)),
        ports: runs
            .iter()
            .flat_map(|run| run.ports.iter().copied())
            .collect(),
        aws_role: runs.iter().any(|run| run.aws_role),
        scaled_mirrors: match autoscaler {
            Autoscaler::Horizontal | Autoscaler::Keda => scaled.cloned().collect(),
            Autoscaler::None => Vec::new(),
        },
        autoscaler: match autoscaler {
            Autoscaler::Keda => SCALED_OBJECT,
            Autoscaler::Horizontal | Autoscaler::None => HORIZONTAL,
        },
        other_autoscaler: match autoscaler {
            Autoscaler::Keda => HORIZONTAL,
            Autoscaler::Horizontal | Autoscaler::None => SCALED_OBJECT,
        },
        mirrors,
    })
}

fn autoscaler(request: &Request<'_>) -> Autoscaler {
    match request.setting(NAME, "autoscaler", "hpa") {
        "keda" => Autoscaler::Keda,
        "none" => Autoscaler::None,
        _ => Autoscaler::Horizontal,
    }
}

/// How many records of the mirror are not on the target, as its pods say.
fn query(values: &Values<'_>, this: &MirrorName) -> String {
    // A ServiceMonitor adds namespace and pod, which tell mirrors of one name apart that other topologies have; what scrapes by
    // annotations calls them what it likes.
    let pods = if values.service_monitor {
        format!(
            ", namespace=\"{}\", pod=~\"mirrorctl-{}-[^-]+-[^-]+\"",
            values.namespace, this.name
        )
    } else {
        String::new()
    };
    format!(
        "sum(mirrorctl_mirror_lag_records{{mirror=\"{}\"{pods}}})",
        this.mirror
    )
}

/// A number of records: 1 or more.
fn records(text: &str) -> Result<(), String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(1..) if digits => Ok(()),
        Ok(_) | Err(_) => Err("is no number of records from 1 to 4294967295".to_owned()),
    }
}

/// Where something is served.
fn url(text: &str) -> Result<(), String> {
    setting::line(text)?;
    let served = text.starts_with("http://") || text.starts_with("https://");
    if served && !text.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err("is no address: write it as in http://prometheus.example:9090".to_owned())
    }
}

/// Topologies without a name have objects of the same names: the clusters of the first mirror tell them apart, and stay where
/// mirrors come and go.
fn manager(name: Option<&str>, ours: &str, runs: &[Run]) -> String {
    match (name, runs.first()) {
        (None, Some(first)) => format!("{ours}-{}", first.clusters),
        _ => ours.to_owned(),
    }
}

/// A label of DNS (RFC 1123).
fn namespace(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = name.starts_with('-') || name.ends_with('-');
    if name.is_empty() || name.len() > 63 || edge || !name.chars().all(legal) {
        return Err(
            "is no namespace: up to 63 of a-z, 0-9 and `-`, which neither begins nor ends it"
                .to_owned(),
        );
    }
    Ok(())
}

/// A quantity of Kubernetes: a whole number and a unit. What is asked for (`requests` of the template) has to fit into it.
fn memory(quantity: &str) -> Result<(), String> {
    const UNITS: &[(&str, u64)] = &[
        ("", 1),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
    ];
    const REQUESTED: u64 = 256 << 20;
    let number = quantity.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = UNITS
        .iter()
        .find(|(name, _)| *name == &quantity[number.len()..]);
    let bytes = number
        .parse::<u64>()
        .ok()
        .zip(unit)
        .and_then(|(count, (_, size))| count.checked_mul(*size));
    match bytes {
        None => Err("is no amount of memory: write it as in 512Mi or 1Gi".to_owned()),
        Some(bytes) if bytes < REQUESTED => {
            Err("is less than the 256Mi that a replicator is given anyway".to_owned())
        }
        Some(_) => Ok(()),
    }
}

fn all(runs: &[Run], of: impl Fn(&Run) -> &BTreeSet<String>) -> BTreeSet<&str> {
    runs.iter()
        .flat_map(|run| of(run).iter().map(String::as_str))
        .collect()
}

fn files<'a, T: AsRef<str> + ?Sized + 'a>(paths: impl IntoIterator<Item = &'a T>) -> Vec<File<'a>> {
    paths
        .into_iter()
        .map(|path| File {
            key: key(path.as_ref()),
            path: path.as_ref(),
        })
        .collect()
}

/// The files of a run that lie in the folder of its topology, with their paths there. Nothing can be mounted into that folder by
/// itself, for it is read-only: what the topology names there by an absolute path comes along with the others.
fn projected(run: &Run) -> Vec<File<'_>> {
    let mut found = files(run.files.iter());
    let absolute = run.absolute_files.iter();
    let ours = absolute.filter_map(|path| Some((path, path.strip_prefix(FOLDER)?)));
    found.extend(
        ours.filter(|(_, below)| !run.files.contains(*below))
            .map(|(path, below)| File {
                key: key(path),
                path: below,
            }),
    );
    found
}

/// Those that lie anywhere else.
fn elsewhere(run: &Run) -> impl Iterator<Item = &String> {
    let absolute = run.absolute_files.iter();
    absolute.filter(|path| !path.starts_with(FOLDER))
}

/// Keys of Secrets have no slashes.
fn key(path: &str) -> String {
    path.trim_start_matches('/').replace('/', "-")
}
