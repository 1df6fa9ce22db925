//! The best way to produce alone.

use crate::bed::Copy;
use crate::engines::{Engine, SETTINGS, Setting};
use crate::error::Result;
use crate::progress::{Plan, Progress, result};

/// Tries of ways to produce take this much of a workload.
const TRIAL_SHARE: u64 = 4;
/// The first tries meet a cold broker.
const TRIALS: usize = 2;
/// How many steps [`best_setting`] takes.
pub(crate) const TRIAL_STEPS: u32 = (SETTINGS.len() * TRIALS) as u32;

/// Tries every way to produce, some times in turn; the fastest is the limit to compare with.
pub(crate) fn best_setting(
    copy: &Copy<'_>,
    (plan, progress): (Plan, &mut Progress),
) -> Result<Setting> {
    let mut best = (0.0, SETTINGS[0]);
    let trial = Copy {
        records: (copy.records / TRIAL_SHARE).max(1),
        memory_bytes: copy.memory_bytes / TRIAL_SHARE,
        tag: &format!("{}try", copy.tag),
        ..*copy
    };
    let tries = std::iter::repeat_n(SETTINGS, TRIALS).flatten();
    for (number, setting) in (1..).zip(tries) {
        let what = format!(
            "{}: produce-only, connections: {}, requests in flight: {}",
            copy.workload.describe(),
            setting.connections,
            setting.in_flight
        );
        progress.step(plan, &what);
        let rate = trial
            .run(Engine::ProduceOnly, number, setting)?
            .records_per_second;
        result(&format!("{rate:.0} records/s"));
        if rate > best.0 {
            best = (rate, setting);
        }
    }
    Ok(best.1)
}
