//! TLS on both sides.

use std::time::Duration;

use e2e::{Security, Way};

use super::rounds::{Rounds, WARM_UPS, steps, warm_up};
use crate::bed::{Bed, Copy, spec};
use crate::cli::Arguments;
use crate::endpoint::Endpoint;
use crate::engines::{Engine, SETTINGS};
use crate::error::Result;
use crate::progress::{Plan, Progress};
use crate::results::{Results, Scenario};
use crate::workload::Workload;

const WORKLOAD: Workload = Workload::Plain;

/// The two that are compared.
fn engines(arguments: &Arguments) -> Vec<Engine> {
    let mut engines = arguments.copiers();
    engines.retain(|engine| *engine != Engine::Mm2Default);
    engines
}

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    Plan {
        steps: 1 + steps(engines(arguments).len(), WARM_UPS, arguments.runs),
        each: Duration::from_secs(8) + arguments.window() * 2 / 3,
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let plan = plan(arguments);
    let records = WORKLOAD.records(arguments.percent);
    progress.step(plan, &format!("TLS: writing {records} records"));
    let security = Security::new(&[])?;
    let mut bed = Bed::start(&spec().secured(&security), arguments.delivery)?;
    let certificate = security.authority().certificate();
    let ca_file = bed.pair.source.workspace().write("ca.pem", certificate)?;
    let tls = |cluster: &e2e::KafkaCluster| -> Result<Endpoint> {
        Ok(Endpoint {
            servers: cluster.servers(Way::Tls)?,
            ca_file: Some(ca_file.clone()),
            near: cluster.bootstrap_servers(),
        })
    };
    bed.source = tls(&bed.pair.source)?;
    bed.target = tls(&bed.pair.target)?;
    WORKLOAD.prepare(&bed.pair.source, records)?;
    let copy = Copy {
        bed: &bed,
        target: &bed.target,
        cores: None,
        workload: WORKLOAD,
        records,
        memory_bytes: 0,
        window: Some(arguments.window()),
        tag: "tls",
    };
    let name = format!("{} over TLS", WORKLOAD.describe());
    let mut scenario = Scenario::new(name, WORKLOAD, records);
    let engines = engines(arguments);
    let warm = warm_up(&copy, &engines, WARM_UPS, (plan, progress));
    let run = warm.and_then(|()| {
        Rounds {
            engines: &engines,
            runs: arguments.runs,
            setting: SETTINGS[0],
        }
        .run(&copy, (plan, progress), &mut scenario)
    });
    results.tls = Some(scenario);
    run
}
