//! The groups of rows, and all of them in order.

mod declared;
mod latency;
mod links;
mod partitions;
mod rounds;
mod throughput;
mod tls;

use crate::bed::data_directory;
use crate::cli::{Arguments, Row};
use crate::error::Result;
use crate::machine::Machine;
use crate::progress::{Plan, Progress, failed};
use crate::results::{Failure, Results};

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
            Row::Latency => latency::measure(arguments, &mut progress, &mut results),
            Row::Links => links::measure(arguments, &mut progress, &mut results),
            Row::Tls => tls::measure(arguments, &mut progress, &mut results),
            Row::Partitions => partitions::measure(arguments, &mut progress, &mut results),
            Row::Declared => declared::measure(arguments, &mut progress, &mut results),
        };
        if let Err(error) = measured {
            failed(&error);
            results.failures.push(Failure {
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
        Row::Latency => latency::plan(arguments),
        Row::Links => links::plan(arguments),
        Row::Tls => tls::plan(arguments),
        Row::Partitions => partitions::plan(arguments),
        Row::Declared => declared::plan(arguments),
    }
}
