use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit as RegistryUnit};

use crate::metrics::families::{
    Extra, Family, HELD, MIRROR, PARTITION, PROCESS, ProcessReading, Unit, Value,
};
use crate::metrics::reading::{PartitionRow, RunReading};
use crate::metrics::text::prometheus;
use crate::metrics::watchlist::Watchlist;

/// Whether each partition has metrics of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionMetrics {
    /// Eighteen samples a partition.
    On,
    /// The sums of each mirror alone.
    Off,
}

/// The metrics of a process, as text.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Of these runs, whichever they are at the moment of a scrape. The start time is that of this
    /// call.
    pub fn new(runs: Watchlist, partitions: PartitionMetrics) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut registry = Registry::default();
        registry.register_collector(Box::new(RunCollector {
            runs,
            partitions,
            started_seconds: started.unwrap_or_default().as_secs_f64(),
        }));
        Self { registry }
    }

    /// In the `OpenMetrics` text format ([`super::OPEN_METRICS`]).
    ///
    /// # Errors
    /// None in practice: writing to memory does not fail.
    pub fn open_metrics(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// In the Prometheus text format ([`super::PROMETHEUS_TEXT`]).
    ///
    /// # Errors
    /// As [`Self::open_metrics`].
    pub fn prometheus_text(&self) -> Result<String, fmt::Error> {
        self.open_metrics().map(|text| prometheus(&text))
    }
}

#[derive(Debug)]
struct RunCollector {
    runs: Watchlist,
    partitions: PartitionMetrics,
    started_seconds: f64,
}

impl Collector for RunCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let process = ProcessReading {
            started_seconds: self.started_seconds,
            resident_bytes: resident_bytes(),
        };
        for family in PROCESS {
            write(&mut encoder, family, [(Subject::Process, &process)])?;
        }
        let held = self.runs.paused();
        for family in HELD {
            let subjects = held
                .iter()
                .map(|(mirror, held)| (Subject::Held(mirror), held));
            write(&mut encoder, family, subjects)?;
        }
        let runs: Vec<RunReading> = self.runs.runs().into_iter().map(RunReading::of).collect();
        for family in MIRROR {
            let subjects = runs.iter().map(|run| (Subject::Run(run), run));
            write(&mut encoder, family, subjects)?;
        }
        if self.partitions == PartitionMetrics::Off {
            return Ok(());
        }
        for family in PARTITION {
            let subjects = runs.iter().flat_map(|run| {
                let rows = run.partitions.iter();
                rows.map(move |row| (Subject::Partition(run, row), row))
            });
            write(&mut encoder, family, subjects)?;
        }
        Ok(())
    }
}

/// Whom a sample is of: the labels.
#[derive(Debug, Clone, Copy)]
enum Subject<'r> {
    Process,
    /// A mirror by its name.
    Held(&'r str),
    Run(&'r RunReading),
    Partition(&'r RunReading, &'r PartitionRow),
}

struct Labels<'r> {
    subject: Subject<'r>,
    extra: Extra,
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, set: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        let run = match self.subject {
            Subject::Process => None,
            Subject::Held(mirror) => {
                ("mirror", mirror).encode(set.encode_label())?;
                None
            }
            Subject::Run(run) | Subject::Partition(run, _) => Some(&run.run),
        };
        if let Some(run) = run {
            ("mirror", run.mirror.as_str()).encode(set.encode_label())?;
            ("source", run.source.as_str()).encode(set.encode_label())?;
            ("target", run.target.as_str()).encode(set.encode_label())?;
        }
        if let Subject::Partition(_, row) = self.subject {
            let id = &row.reading.id;
            ("topic", &*id.source_topic).encode(set.encode_label())?;
            ("partition", id.partition).encode(set.encode_label())?;
        }
        if let Some(extra) = self.extra {
            extra.encode(set.encode_label())?;
        }
        Ok(())
    }
}

fn write<'r, S: 'r>(
    encoder: &mut DescriptorEncoder<'_>,
    family: &Family<S>,
    subjects: impl IntoIterator<Item = (Subject<'r>, &'r S)>,
) -> Result<(), fmt::Error> {
    let unit = family.unit.map(|unit| match unit {
        Unit::Seconds => RegistryUnit::Seconds,
        Unit::Bytes => RegistryUnit::Bytes,
    });
    // The registry puts the unit behind the name by itself.
    let name = match family.unit {
        Some(Unit::Seconds) => family.name.strip_suffix("_seconds"),
        Some(Unit::Bytes) => family.name.strip_suffix("_bytes"),
        None => None,
    };
    let name = name.unwrap_or(family.name);
    let mut metric = encoder.encode_descriptor(name, family.help, unit.as_ref(), family.kind)?;
    for (subject, values) in subjects {
        let mut written = Ok(());
        (family.samples)(values, &mut |extra, value| {
            let labels = Labels { subject, extra };
            if written.is_err() {
                return;
            }
            written = match (subject, extra) {
                // no empty braces where there is no label
                (Subject::Process, None) => write_value(&mut metric, family.kind, &value),
                _ => metric
                    .encode_family(&labels)
                    .and_then(|mut sample| write_value(&mut sample, family.kind, &value)),
            };
        });
        written?;
    }
    Ok(())
}

fn write_value(
    sample: &mut MetricEncoder<'_>,
    kind: MetricType,
    value: &Value,
) -> Result<(), fmt::Error> {
    let is_counter = matches!(kind, MetricType::Counter);
    match value {
        Value::Whole(whole) if is_counter => {
            sample.encode_counter::<NoLabelSet, u64, f64>(whole, None)
        }
        Value::Real(real) if is_counter => {
            sample.encode_counter::<NoLabelSet, f64, f64>(real, None)
        }
        Value::Whole(whole) => sample.encode_gauge(whole),
        Value::Real(real) => sample.encode_gauge(real),
        Value::Histogram(histogram) => sample.encode_histogram::<NoLabelSet>(
            histogram.sum_seconds,
            histogram.count,
            &histogram.buckets,
            None,
        ),
    }
}

/// As Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::identity::PartitionId;
    use crate::metrics::watchlist::Watched;
    use crate::partition_progress::PartitionProgress;
    use crate::progress::Progress;
    use crate::traffic::Times;

    fn sample(partitions: i32) -> Watchlist {
        let runs = Watchlist::new();
        let progress = Progress::new();
        for partition in 0..partitions {
            let id = PartitionId {
                source_topic: "pay.\"orders\"".into(),
                target_topic: "pay.orders".into(),
                partition,
            };
            let figures = progress.add(PartitionProgress::new(id, 100, i64::MAX));
            figures.saw_end(110);
            let now = crate::position_writer::now_ms();
            let times = Times {
                oldest_ms: now - 60_000,
                newest_ms: now - 50_000,
            };
            figures.sent(false, 1, times);
            figures.copied(times);
            figures.acknowledged(6, 600, 106);
            progress.traffic().acknowledged(times);
        }
        progress.traffic().committed(1);
        runs.add(Watched {
            mirror: "m".to_owned(),
            source: "a".to_owned(),
            target: "b".to_owned(),
            lag_objective: Some(Duration::from_secs(30)),
            progress,
        });
        runs.hold("held", "its record says so");
        runs
    }

    fn text(partitions: PartitionMetrics) -> String {
        Metrics::new(sample(1), partitions)
            .open_metrics()
            .expect("text")
    }

    #[test]
    fn samples_carry_their_labels_and_values() {
        let text = text(PartitionMetrics::On);
        let of = r#"mirror="m",source="a",target="b",topic="pay.\"orders\"",partition="0""#;
        for line in [
            format!("mirrorctl_copied_records_total{{{of}}} 6\n"),
            format!("mirrorctl_lag_records{{{of}}} 4\n"),
            format!("mirrorctl_lag_estimated_bytes{{{of}}} 400.0\n"),
            format!("mirrorctl_batches_total{{{of},how=\"passed\"}} 1\n"),
            format!("mirrorctl_lag_seconds{{{of}}} 50."),
            "mirrorctl_up{mirror=\"m\",source=\"a\",target=\"b\"} 1\n".to_owned(),
            "mirrorctl_latency_seconds_bucket{le=\"65.536\",mirror=\"m\",source=\"a\",target=\"b\"} 1\n".to_owned(),
            "mirrorctl_latency_seconds_bucket{le=\"+Inf\",mirror=\"m\",source=\"a\",target=\"b\"} 1\n".to_owned(),
        ] {
            let (name, _) = line.split_once('{').expect("labels");
            let found: Vec<&str> = text.lines().filter(|it| it.starts_with(name)).collect();
            assert!(text.contains(&line), "{line} but {found:?}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn partitions_can_be_left_out_and_the_sums_stay() {
        let text = text(PartitionMetrics::Off);
        assert!(!text.contains("partition=\"0\""), "{text}");
        assert!(
            text.contains("mirrorctl_mirror_lag_records{mirror=\"m\",source=\"a\",target=\"b\"} 4")
        );
    }

    /// Name, kind, unit, labels and meaning of every family, as `METRICS.md` lists them.
    fn table() -> String {
        fn rows<S>(table: &mut String, families: &[Family<S>], labels: &[&str]) {
            for family in families {
                let (kind, suffix) = match family.kind {
                    MetricType::Counter => ("counter", "_total"),
                    MetricType::Gauge => ("gauge", ""),
                    MetricType::Histogram => ("histogram", ""),
                    MetricType::Info | MetricType::Unknown => ("unknown", ""),
                };
                let unit = match family.unit {
                    Some(Unit::Seconds) => "seconds",
                    Some(Unit::Bytes) => "bytes",
                    None => "",
                };
                let labels: Vec<&str> = labels.iter().copied().chain(family.extra).collect();
                let (name, labels) = (family.name, labels.join(", "));
                writeln!(
                    table,
                    "| `{name}{suffix}` | {kind} | {labels} | {unit} | {} |",
                    family.help
                )
                .expect("text");
            }
        }
        let mut table =
            String::from("| name | type | labels | unit | meaning |\n|---|---|---|---|---|\n");
        rows(&mut table, PROCESS, &[]);
        rows(&mut table, HELD, &["mirror"]);
        rows(&mut table, MIRROR, &["mirror", "source", "target"]);
        rows(
            &mut table,
            PARTITION,
            &["mirror", "source", "target", "topic", "partition"],
        );
        table
    }

    #[test]
    fn the_documentation_lists_every_family_and_no_other() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../METRICS.md");
        let text = std::fs::read_to_string(path).expect("METRICS.md");
        let begin = text.find("| name | type |").expect("a table");
        let end = begin
            + text[begin..]
                .find("\n\n")
                .map_or(text.len() - begin, |at| at + 1);
        if std::env::var_os("UPDATE_METRICS").is_some() {
            std::fs::write(
                path,
                format!("{}{}{}", &text[..begin], table(), &text[end..]),
            )
            .expect("written");
            return;
        }
        assert_eq!(
            &text[begin..end],
            table(),
            "UPDATE_METRICS=1 cargo test writes it"
        );
    }

    /// A series twice is forbidden by `OpenMetrics`, and a counter that falls is taken for a new process.
    #[test]
    fn a_partition_that_begins_anew_is_shown_once_and_counts_on() {
        let progress = Progress::new();
        let begin = |position| {
            let id = PartitionId {
                source_topic: "t".into(),
                target_topic: "t".into(),
                partition: 0,
            };
            progress.add(PartitionProgress::new(id, position, i64::MAX))
        };
        let first = begin(0);
        first.acknowledged(7, 700, 7);
        first.gap(3);
        first.finish();
        let second = begin(0);
        second.acknowledged(4, 400, 4);
        let shown = progress.readings();
        assert_eq!(shown.len(), 1);
        let it = &shown[0];
        assert_eq!((it.position, it.records, it.bytes), (4, 11, 1100));
        assert_eq!((it.gaps, it.gap_offsets), (1, 3));
        assert_eq!(progress.snapshot().records, 11);
    }

    /// What a scrape really contains is what the table says: kinds, names and label names.
    #[test]
    fn a_scrape_contains_what_the_table_says() {
        let text = text(PartitionMetrics::On);
        let mut described = BTreeMap::new();
        for row in table().lines().skip(2) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let labels: Vec<&str> = cells[3].split(", ").filter(|it| !it.is_empty()).collect();
            described.insert(
                cells[1].trim_matches('`').to_owned(),
                (cells[2].to_owned(), labels.join(",")),
            );
        }
        let mut found = BTreeMap::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("# TYPE ") else {
                continue;
            };
            let (name, kind) = rest.split_once(' ').expect("a kind");
            let (suffix, series) = match kind {
                "counter" => ("_total", "_total"),
                "histogram" => ("", "_count"),
                _ => ("", ""),
            };
            let series = format!("{name}{series}");
            let sample = text
                .lines()
                .find(|line| {
                    line.strip_prefix(&series)
                        .is_some_and(|rest| rest.starts_with(['{', ' ']))
                })
                .unwrap_or_else(|| panic!("no sample of {series}"));
            let labels: Vec<&str> = sample
                .split("=\"")
                .take(sample.matches("=\"").count())
                .map(|part| part.rsplit(['{', ',']).next().expect("a name"))
                .collect();
            found.insert(
                format!("{name}{suffix}"),
                (kind.to_owned(), labels.join(",")),
            );
        }
        assert_eq!(found, described);
    }

    #[test]
    fn ten_thousand_partitions_are_scraped_in_time() {
        let metrics = Metrics::new(sample(10_000), PartitionMetrics::On);
        let started = Instant::now();
        let text = metrics.open_metrics().expect("text");
        let took = started.elapsed();
        assert_eq!(text.matches("mirrorctl_lag_seconds{").count(), 10_000);
        // Unoptimised and beside other tests; optimised it is a small part of this.
        assert!(
            took < Duration::from_secs(20),
            "{took:?} for {} bytes",
            text.len()
        );
    }
}
