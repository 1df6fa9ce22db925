//! Reading and checking on a real broker, beside kafka-consumer-perf.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use conformance::{
    Codec, Endpoint, Journal, StampedOptions, TopicSpec, Unobserved, Verdict, WorkloadSpec,
    check_stamped, write_workload,
};
use e2e::{ClusterSpec, KafkaCluster};

use crate::arguments::{Answer, Workload, say};
use crate::error::{Error, Result};
use crate::figures::Figures;

const TOPIC: &str = "judged";
/// What is promised: the judge's rate by that of kafka-consumer-perf.
const SHARE: f64 = 0.8;

/// Writes the topic, then reads it by turns with kafka-consumer-perf and with the judge.
pub(crate) fn measure(workload: Workload, rounds: u32) -> Result<Answer> {
    let cluster = KafkaCluster::start(&ClusterSpec::single())?;
    let bootstrap = cluster.bootstrap_servers();
    let journal = cluster.workspace().path().join("journal.json");
    say(&format!(
        "writing {} records of {} bytes to {} partitions",
        workload.records, workload.bytes, workload.partitions
    ));
    let numbers = [
        ("--records", workload.records.to_string()),
        ("--partitions", workload.partitions.to_string()),
        ("--bytes", workload.bytes.to_string()),
        ("--seed", workload.seed.to_string()),
    ];
    let mut writer = this_program("write", &bootstrap, &journal)?;
    for (name, number) in &numbers {
        writer.args([*name, number.as_str()]);
    }
    say(ended("writer", &run(&mut writer)?)?.trim_end());
    let (mut read, mut judged) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let rate = consumer_perf(&cluster, workload.records)?;
        let printed = ended(
            "judge",
            &run(&mut this_program("check", &bootstrap, &journal)?)?,
        )?;
        let figures: Figures =
            serde_json::from_str(&printed).map_err(|reason| Error::Unread { reason, printed })?;
        say(&format!(
            "round {round}: kafka-consumer-perf {rate:.0} records a second; {}",
            figures.in_words()
        ));
        read.push(rate);
        judged.push(figures);
    }
    Ok(answer(&mut read, &judged))
}

fn answer(read: &mut [f64], judged: &[Figures]) -> Answer {
    let mut rates: Vec<f64> = judged.iter().map(Figures::rate).collect();
    let (judge, perf) = (median(&mut rates), median(read));
    let share = judge / perf;
    let in_bounds = judged.iter().all(Figures::holds);
    let peak = judged.iter().map(|it| it.peak_kib).max().unwrap_or(0);
    Answer {
        said: format!(
            "the judge reads and checks {judge:.0} records a second, kafka-consumer-perf reads {perf:.0}: {:.0} % \
             ({:.0} % are promised), {} MiB of memory at most{}",
            share * 100.0,
            SHARE * 100.0,
            peak.div_ceil(1024),
            if in_bounds {
                ""
            } else {
                "; a check FAILED, or the memory is too much"
            }
        ),
        holds: share >= SHARE && in_bounds,
    }
}

/// The middle one; of two the mean.
fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => numbers[odd / 2],
        even => f64::midpoint(numbers[even / 2 - 1], numbers[even / 2]),
    }
}

/// Writes stamped records, uncompressed as kafka-producer-perf's are.
pub(crate) fn write(bootstrap: &str, journal: &Path, workload: Workload) -> Result<Answer> {
    let spec = WorkloadSpec {
        codecs: vec![Codec::None],
        min_value_bytes: workload.bytes,
        max_value_bytes: workload.bytes,
        create: Some(TopicSpec {
            partitions: workload.partitions,
            replication_factor: 1,
            config: BTreeMap::new(),
        }),
        ..WorkloadSpec::new(TOPIC, workload.records, workload.seed)
    };
    let written = write_workload(&Endpoint::new(bootstrap), &spec, &Unobserved)?;
    written.save(journal)?;
    let took = Duration::from_millis(written.finished_ms.abs_diff(written.started_ms));
    Ok(Answer {
        said: format!(
            "{} records written in {:.1} s",
            written.acknowledged(),
            took.as_secs_f64()
        ),
        holds: written.acknowledged() == workload.records,
    })
}

/// Judges the topic as if it were its own copy.
pub(crate) fn check(bootstrap: &str, journal: &Path) -> Result<Answer> {
    let journal = Journal::load(journal)?;
    let at = Endpoint::new(bootstrap);
    let report = check_stamped(&at, &at, &journal, &StampedOptions::new(TOPIC), &Unobserved)?;
    let open = |it: &&conformance::CheckResult| !matches!(it.verdict, Verdict::Pass { .. });
    let failed = report.checks.iter().filter(open).count() as u64;
    let figures = Figures::of(report.records_read, report.duration(), failed)?;
    let said = serde_json::to_string(&figures).map_err(|reason| Error::Unread {
        reason,
        printed: figures.in_words(),
    })?;
    // what it comes to is decided by who reads the figures
    Ok(Answer { said, holds: true })
}

fn this_program(task: &str, bootstrap: &str, journal: &Path) -> Result<Command> {
    let program = std::env::current_exe().map_err(Error::program("this program"))?;
    let mut command = Command::new(program);
    command.args([task, bootstrap]).arg(journal);
    Ok(command)
}

fn run(command: &mut Command) -> Result<Output> {
    command.output().map_err(Error::program("this program"))
}

fn ended(what: &'static str, output: &Output) -> Result<String> {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(printed);
    }
    Err(Error::Ended {
        what,
        status: output.status.to_string(),
        printed: format!("{printed}{}", String::from_utf8_lossy(&output.stderr)),
    })
}

/// How many records a second kafka-consumer-perf reads, without the time it takes to join its group.
fn consumer_perf(cluster: &KafkaCluster, records: u64) -> Result<f64> {
    let (servers, records) = (cluster.bootstrap_servers(), records.to_string());
    let printed = cluster.tool_output(
        "org.apache.kafka.tools.ConsumerPerformance",
        &[
            "--bootstrap-server",
            &servers,
            "--topic",
            TOPIC,
            "--num-records",
            &records,
            "--timeout",
            "60000",
        ],
        b"",
    )?;
    rate(&printed).ok_or(Error::NoFigures { printed })
}

/// The column `fetch.nMsg.sec` of the last line.
fn rate(printed: &str) -> Option<f64> {
    let mut lines = printed.lines().filter(|line| line.contains(','));
    let header = lines.find(|line| line.contains("fetch.nMsg.sec"))?;
    let column = header
        .split(',')
        .position(|it| it.trim() == "fetch.nMsg.sec")?;
    let last = lines.next_back()?;
    last.split(',').nth(column)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_kafka_consumer_perf_is_read() {
        let printed = "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, \
                       fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec\n2026-01-01 00:00:00:000, 2026-01-01 00:00:05:000, 95.4, 19.1, \
                       1000000, 200000.0, 3100, 1900, 50.2, 526315.8\n";
        assert_eq!(rate(printed), Some(526_315.8));
        assert_eq!(rate("WARN, something\n"), None);
    }

    #[test]
    fn a_judge_that_is_slow_does_not_hold() {
        let figures = |records| Figures {
            records,
            seconds: 1.0,
            peak_kib: 1,
            failed: 0,
        };
        let answered = |records| answer(&mut [100.0, 120.0, 80.0], &[figures(records); 2]);
        assert!(answered(80).holds);
        assert!(!answered(79).holds);
        assert!(answered(79).said.contains("79 %"), "{}", answered(79).said);
        assert!((median(&mut [4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-9);
    }
}
