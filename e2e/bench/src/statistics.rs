//! Medians.

use crate::measure::Measurement;

/// The median of each quantity by itself.
pub(crate) fn medians(runs: &[Measurement]) -> Measurement {
    let median = |of: fn(&Measurement) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        middle(&values)
    };
    Measurement {
        first_record_seconds: median(|run| run.first_record_seconds),
        copy_seconds: median(|run| run.copy_seconds),
        records_per_second: median(|run| run.records_per_second),
        cpu_seconds_per_million: median(|run| run.cpu_seconds_per_million),
        peak_rss_bytes: median(|run| run.peak_rss_bytes as f64) as u64,
    }
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_few_values() {
        assert!((middle(&[1.0, 5.0, 9.0]) - 5.0).abs() < f64::EPSILON);
        assert!((middle(&[1.0, 5.0]) - 3.0).abs() < f64::EPSILON);
        assert!(middle(&[]).is_nan());
    }
}
