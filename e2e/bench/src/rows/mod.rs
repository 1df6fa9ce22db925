//! The groups of rows, and all of them in order.

mod cores;
mod declared;
mod latency;
mod links;
mod partitions;
mod produce_only;
mod rounds;
mod throughput;
mod tls;
mod workloads;

use crate::bed::data_directory;
use crate::cli::{Arguments, Row};
use crate::error::Result;
use crate::machine::Machine;
use crate::progress::{Plan, Progress, failed};
use crate::results::{Results, Unmeasured};

pub(crate) use cores::WARM_UPS as WARM_UPS_APART;
pub(crate) use latency::RATE as LATENCY_RATE;
pub(crate) use partitions::{RECORD_SIZE as PARTITIONS_RECORD_SIZE, RECORDS_EACH};
pub(crate) use rounds::WARM_UPS;

/// Measures every group that was asked for. A group that cannot be measured is named in the results and does not stop
/// the others.
pub(crate) fn measure(arguments: &Arguments) -> Result<Results> {
    let mut results = Results::new(arguments.clone(), Machine::look(data_directory()?));
    let rows = arguments.rows();
    let mut progress = Progress::new(rows.iter().map(|row| plan(*row, arguments)));
    for row in rows {
        let measured = match row {
            Row::Throughput => throughput::measure(arguments, &mut progress, &mut results),
            Row::Cores => cores::measure(arguments, &mut progress, &mut results),
            Row::Latency => latency::measure(arguments, &mut progress, &mut results),
            Row::Links => links::measure(arguments, &mut progress, &mut results),
            Row::Tls => tls::measure(arguments, &mut progress, &mut results),
            Row::Partitions => partitions::measure(arguments, &mut progress, &mut results),
            Row::Declared => declared::measure(arguments, &mut progress, &mut results),
        };
        if let Err(error) = measured {
            failed(&error);
            results.failures.push(Unmeasured {
                row,
                reason: error.to_string(),
            });
        }
    }
    results.minutes = progress.elapsed().as_secs_f64() / 60.0;
    Ok(results)
}

fn plan(row: Row, arguments: &Arguments) -> Plan {
    match row {
        Row::Throughput => throughput::plan(arguments),
        Row::Cores => cores::plan(arguments),
        Row::Latency => latency::plan(arguments),
        Row::Links => links::plan(arguments),
        Row::Tls => tls::plan(arguments),
        Row::Partitions => partitions::plan(arguments),
        Row::Declared => declared::plan(arguments),
    }
}
