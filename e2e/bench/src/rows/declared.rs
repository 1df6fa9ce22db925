//! Thousands of declared topics: how long `plan` and `apply` take, and how much memory.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use broker::{ClusterOptions, EmbeddedCluster};
use e2e::{Guarded, KafkaCluster, Workspace, mirrorctl_binary};
use tokio::runtime::Runtime;

use crate::bed::spec;
use crate::cli::Arguments;
use crate::engines::Engine;
use crate::error::{Error, Result};
use crate::progress::{Plan, Progress, result};
use crate::results::{DeclaredTopics, Results};
use crate::watch::peak_rss;

/// Partitions of each topic.
const EACH: u32 = 10;
/// Of the embedded cluster, which holds what is asked of a plan.
const EMBEDDED_TOPICS: u32 = 10_000;
/// Of the real one: every partition is a folder with open files there.
const REAL_TOPICS: u32 = 1_000;
const BROKERS: u16 = 3;
/// No command gets longer.
const LIMIT: Duration = Duration::from_mins(5);
/// How often a command's memory is looked at.
const LOOK: Duration = Duration::from_millis(2);

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    Plan {
        steps: if arguments.engines().contains(&Engine::Mirrorctl) {
            2
        } else {
            0
        },
        each: Duration::from_secs(30),
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    if !arguments.engines().contains(&Engine::Mirrorctl) {
        return Ok(());
    }
    let plan = plan(arguments);
    progress.step(
        plan,
        &format!("{EMBEDDED_TOPICS} declared topics, embedded"),
    );
    let runtime = Runtime::new().map_err(|source| Error::Process {
        path: "a runtime".into(),
        source,
    })?;
    let options = ClusterOptions {
        brokers: BROKERS,
        ..ClusterOptions::default()
    };
    let embedded = runtime
        .block_on(EmbeddedCluster::start(options))
        .map_err(|error| Error::Embedded(error.to_string()))?;
    let servers = embedded.bootstrap_servers();
    results.declared.push(commands(
        "embedded, three brokers",
        &servers,
        EMBEDDED_TOPICS,
    )?);
    runtime.block_on(embedded.shutdown());

    progress.step(
        plan,
        &format!("{REAL_TOPICS} declared topics, Apache Kafka"),
    );
    let real = KafkaCluster::start(&spec())?;
    let servers = real.bootstrap_servers();
    results
        .declared
        .push(commands("Apache Kafka, one broker", &servers, REAL_TOPICS)?);
    Ok(())
}

/// Creates all topics, plans without a change, then changes one.
fn commands(cluster: &str, servers: &str, topics: u32) -> Result<DeclaredTopics> {
    let workspace = Workspace::create("bench")?;
    let all = topology(servers, topics, None);
    workspace.write("all.yaml", all)?;
    workspace.write("one.yaml", topology(servers, topics, Some(topics / 2)))?;
    let run = |arguments: &[&str]| command(workspace.path(), arguments);
    let create = run(&["apply", "-f", "all.yaml", "--auto-approve"])?;
    let plan = run(&["plan", "-f", "all.yaml", "--detailed-exitcode"])?;
    let one = run(&["apply", "-f", "one.yaml", "--auto-approve"])?;
    let measured = DeclaredTopics {
        cluster: cluster.to_owned(),
        topics,
        partitions: topics * EACH,
        create_seconds: create.seconds,
        plan_seconds: plan.seconds,
        one_change_seconds: one.seconds,
        peak_rss_bytes: create.peak_rss.max(plan.peak_rss).max(one.peak_rss),
    };
    result(&format!(
        "{cluster}: created in {:.1} s, planned in {:.2} s, one changed in {:.2} s, peak RSS {:.0} MB",
        measured.create_seconds,
        measured.plan_seconds,
        measured.one_change_seconds,
        measured.peak_rss_bytes as f64 / 1e6
    ));
    Ok(measured)
}

fn topology(servers: &str, topics: u32, changed: Option<u32>) -> String {
    let mut text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {{alias: big, bootstrapServers: [\"{}\"]}}\ntopics:\n",
        servers.replace(',', "\", \"")
    );
    for number in 0..topics {
        let retention = if changed == Some(number) {
            86_400_000
        } else {
            604_800_000
        };
        // writing to a String cannot fail
        let _ = writeln!(
            text,
            "- {{name: declared.{number:05}, clusters: [big], partitions: {EACH}, replicationFactor: 1, configs: \
             {{retention.ms: {retention}}}}}"
        );
    }
    text
}

struct Ran {
    seconds: f64,
    peak_rss: u64,
}

/// Runs one command to its end, which has to be a success.
fn command(folder: &Path, arguments: &[&str]) -> Result<Ran> {
    let binary = mirrorctl_binary()?;
    let given: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let started = Instant::now();
    let mut running = Guarded::spawn("mirrorctl", binary.as_os_str(), &given, &[], folder)?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = running.try_wait()? {
            break status;
        }
        // it is gone between two looks at the latest; the last look that succeeds counts
        peak = peak.max(peak_rss(running.pid()).unwrap_or_default());
        if started.elapsed() > LIMIT {
            return Err(Error::Command {
                what: arguments.join(" "),
                output: format!("not done within {LIMIT:?}"),
            });
        }
        thread::sleep(LOOK);
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(Error::Command {
            what: arguments.join(" "),
            output: format!("{status}\n{}{}", running.stdout(), running.stderr()),
        });
    }
    Ok(Ran {
        seconds,
        peak_rss: peak,
    })
}
