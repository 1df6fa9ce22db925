//! What watches mirrors of the built-in engine: Prometheus and Grafana on the metrics of `METRICS.md`.

use serde::Serialize;
use serde_json::{Value, json};
use topology::{Engine, MirrorState};

use super::listening;
use super::replicator;
use crate::draft::Draft;
use crate::quoting;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError};

pub(super) const TARGET: Target = Target {
    name: "monitoring",
    about: "Prometheus scrape and alert rules, Grafana dashboard, for mirrors of the built-in engine",
    renders: "mirrors with `engine: builtin`",
    settings: &[Setting {
        name: "listen",
        about: "where `replicate --listen` serves metrics, separated by commas; the ports of targets systemd and ansible where nothing is said",
        takes: Takes::Text(addresses),
    }],
    remarks,
    drafts,
};

fn remarks(request: &Request<'_>) -> Vec<String> {
    replicator::remarks(request.topology, "monitoring")
}

#[derive(Debug, Serialize)]
struct Watched {
    listen: Vec<String>,
    flows: Vec<Flow>,
}

/// A mirror from one source, and what says that nobody runs it.
#[derive(Debug, Serialize)]
struct Flow {
    mirror: String,
    source: String,
    absent: String,
    missing: String,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let mirrors: Vec<_> = request
        .topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::Builtin)
        .collect();
    if mirrors.is_empty() {
        return Ok(Vec::new());
    }
    let running = mirrors
        .iter()
        .filter(|mirror| mirror.state == MirrorState::Running);
    let flows = running
        .flat_map(|mirror| mirror.sources.iter().map(move |source| (mirror, source)))
        .map(|(mirror, source)| Flow {
            mirror: mirror.name.clone(),
            source: source.clone(),
            // a text of PromQL is quoted as one of JSON
            absent: format!(
                "absent(mirrorctl_up{{mirror={mirror}, source={}}}) unless on (mirror) mirrorctl_held{{mirror={mirror}}}",
                quoting::json(source),
                mirror = quoting::json(&mirror.name),
            ),
            missing: format!("nothing runs the mirror {} from {source}", mirror.name),
        })
        .collect();
    let watched = Watched {
        listen: listen(request),
        flows,
    };
    Ok(vec![
        Draft::template("prometheus.yml", "monitoring/prometheus.yml", &watched)?,
        Draft::template(
            "mirrorctl.rules.yml",
            "monitoring/mirrorctl.rules.yml",
            &watched,
        )?,
        Draft::json("dashboard.json", dashboard()),
    ])
}

/// What is asked for metrics: what was chosen, or each mirror where the units on machines serve it.
fn listen(request: &Request<'_>) -> Vec<String> {
    let chosen = request.setting("monitoring", "listen", "");
    if chosen.is_empty() {
        return listening::all(request);
    }
    chosen
        .split(',')
        .map(|it| match it.trim() {
            port if is_port(port) => format!("127.0.0.1:{port}"),
            address => address.to_owned(),
        })
        .collect()
}

/// `HOST:PORT`, or a port of this machine, as `replicate --listen` takes them; separated by commas.
fn addresses(written: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-[]:".contains(c);
    let fits = |address: &str| {
        is_port(address)
            || address.rsplit_once(':').is_some_and(|(host, port)| {
                !host.is_empty() && host.chars().all(legal) && is_port(port)
            })
    };
    match written.split(',').map(str::trim).find(|it| !fits(it)) {
        Some(bad) => Err(format!("names {bad:?}, which is not HOST:PORT")),
        None => Ok(()),
    }
}

/// Nobody is reached at port 0.
fn is_port(text: &str) -> bool {
    setting::count(text).is_ok()
}

/// One figure over time: title, unit, and its queries with their legends.
type Panel = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const FLOW: &str = "{{mirror}} {{source}} → {{target}}";

const PANELS: &[Panel] = &[
    (
        "Lag",
        "s",
        &[
            (
                "max by (mirror, source, target) (mirrorctl_mirror_lag_seconds{mirror=~\"$mirror\"})",
                FLOW,
            ),
            (
                "mirrorctl_lag_objective_seconds{mirror=~\"$mirror\"}",
                "objective of {{mirror}}",
            ),
        ],
    ),
    (
        "Lag in records",
        "short",
        &[(
            "sum by (mirror, source, target) (mirrorctl_mirror_lag_records{mirror=~\"$mirror\"})",
            FLOW,
        )],
    ),
    (
        "Records copied",
        "cps",
        &[(
            "rate(mirrorctl_mirror_copied_records_total{mirror=~\"$mirror\"}[$__rate_interval])",
            FLOW,
        )],
    ),
    (
        "Bytes copied",
        "Bps",
        &[(
            "rate(mirrorctl_mirror_copied_bytes_total{mirror=~\"$mirror\"}[$__rate_interval])",
            FLOW,
        )],
    ),
    (
        "Latency, 99th percentile",
        "s",
        &[(
            "histogram_quantile(0.99, sum by (le, mirror, source, target) \
             (rate(mirrorctl_latency_seconds_bucket{mirror=~\"$mirror\"}[$__rate_interval])))",
            FLOW,
        )],
    ),
    (
        "Partitions by state",
        "short",
        &[(
            "sum by (state) (mirrorctl_partitions{mirror=~\"$mirror\"})",
            "{{state}}",
        )],
    ),
    (
        "Interruptions",
        "short",
        &[(
            "sum by (mirror, class) (increase(mirrorctl_interruptions_total{mirror=~\"$mirror\"}[$__rate_interval]))",
            "{{mirror}} {{class}}",
        )],
    ),
    (
        "Offsets lost, records put aside",
        "short",
        &[
            (
                "mirrorctl_mirror_gap_offsets_total{mirror=~\"$mirror\"}",
                "lost: {{mirror}}",
            ),
            (
                "mirrorctl_mirror_quarantined_records_total{mirror=~\"$mirror\"}",
                "put aside: {{mirror}}",
            ),
        ],
    ),
    (
        "Bytes in flight",
        "bytes",
        &[
            ("mirrorctl_in_flight_bytes{mirror=~\"$mirror\"}", FLOW),
            (
                "mirrorctl_byte_budget_bytes{mirror=~\"$mirror\"}",
                "budget of {{mirror}}",
            ),
        ],
    ),
    (
        "Memory",
        "bytes",
        &[("mirrorctl_resident_memory_bytes", "{{instance}}")],
    ),
];

const WIDTH: usize = 12;
const HEIGHT: usize = 8;

fn dashboard() -> Value {
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    let panels: Vec<Value> = PANELS
        .iter()
        .enumerate()
        .map(|(at, (title, unit, queries))| {
            let targets: Vec<Value> = queries
                .iter()
                .zip('A'..)
                .map(|((query, legend), name)| {
                    json!({"refId": name, "expr": query, "legendFormat": legend, "datasource": source})
                })
                .collect();
            json!({
                "id": at + 1,
                "type": "timeseries",
                "title": title,
                "datasource": source,
                "gridPos": {"x": at % 2 * WIDTH, "y": at / 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
                "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                "targets": targets,
            })
        })
        .collect();
    json!({
        "uid": "mirrorctl",
        "title": "mirrorctl",
        "tags": ["mirrorctl", "kafka"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {
                "name": "mirror",
                "type": "query",
                "datasource": source,
                "query": "label_values(mirrorctl_up, mirror)",
                "refresh": 2,
                "includeAll": true,
                "multi": true,
                "allValue": ".*",
                "current": {"text": "All", "value": "$__all"},
            },
        ]},
        "panels": panels,
    })
}
