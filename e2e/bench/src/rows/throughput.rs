//! Three workloads, and the brokers' own limit for each.

use super::rounds::WARM_UPS;
use super::workloads::{self, Workloads};
use crate::bed::{Bed, spec};
use crate::cli::Arguments;
use crate::error::Result;
use crate::progress::{Plan, Progress};
use crate::results::Results;

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    workloads::plan(arguments, &arguments.engines(), WARM_UPS)
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let bed = Bed::start(&spec(), arguments.delivery)?;
    Workloads {
        bed: &bed,
        cores: None,
        warm_ups: WARM_UPS,
        engines: &arguments.engines(),
        arguments,
    }
    .run((plan(arguments), progress), &mut results.throughput)
}
