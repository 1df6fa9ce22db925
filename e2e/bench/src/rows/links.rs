//! A target that is far away.

use std::time::Duration;

use e2e::{DelayedLink, ReservedPort};

use super::rounds::{Rounds, WARM_UPS, steps, warm_up};
use crate::bed::{Bed, Copy, spec};
use crate::cli::Arguments;
use crate::endpoint::Endpoint;
use crate::engines::SETTINGS;
use crate::error::Result;
use crate::progress::{Plan, Progress};
use crate::results::{Link, Results, Scenario};
use crate::workload::Workload;

/// Round trips, in milliseconds.
const ROUND_TRIPS: [u64; 2] = [50, 150];
const WORKLOAD: Workload = Workload::Plain;

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    Plan {
        steps: 1 + ROUND_TRIPS.len() as u32
            * steps(arguments.copiers().len(), WARM_UPS, arguments.runs),
        each: Duration::from_secs(9) + arguments.window(),
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let plan = plan(arguments);
    let records = WORKLOAD.records(arguments.percent);
    let mut ports = Vec::new();
    // the kernel sizes the buffers: Kafka's fixed 100 KB would cap a connection, for every engine
    let near = spec().with("socket.receive.buffer.bytes", "-1");
    let mut far = near.clone();
    for round_trip in ROUND_TRIPS {
        let (listener, link) = (ReservedPort::any()?, ReservedPort::any()?);
        far = far.with_listener(
            &format!("FAR{round_trip}"),
            listener.number(),
            link.number(),
        );
        ports.push((round_trip, listener, link));
    }
    progress.step(plan, &format!("long links: writing {records} records"));
    let bed = Bed::start_apart(&near, &far, arguments.delivery)?;
    WORKLOAD.prepare(&bed.pair.source, records)?;
    for (round_trip, listener, port) in ports {
        let one_way = Duration::from_millis(round_trip) / 2;
        let link = DelayedLink::start(&port, listener.number(), one_way)?;
        let target = Endpoint {
            servers: format!("127.0.0.1:{}", link.port()),
            ..bed.target.clone()
        };
        let tag = format!("at{round_trip}ms");
        let copy = Copy {
            bed: &bed,
            target: &target,
            cores: None,
            workload: WORKLOAD,
            records,
            memory_bytes: 0,
            window: Some(arguments.window()),
            tag: &tag,
        };
        let name = format!("{} at {round_trip} ms", WORKLOAD.describe());
        let mut scenario = Scenario::new(name, WORKLOAD, records);
        let engines = arguments.copiers();
        let warm = warm_up(&copy, &engines, WARM_UPS, (plan, progress));
        let run = warm.and_then(|()| {
            Rounds {
                engines: &engines,
                runs: arguments.runs,
                setting: SETTINGS[0],
            }
            .run(&copy, (plan, progress), &mut scenario)
        });
        results.links.push(Link {
            round_trip,
            scenario,
        });
        run?;
    }
    Ok(())
}
