//! The timeline of a report as a picture: lag over time, with the faults as bands.

use std::fmt::Write as _;

use serde::Serialize;

use crate::report::Timeline;
use crate::watched::LagSample;

/// The picture's own units; it is stretched to the width there is.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 160.0;
/// More points than pixels show nothing.
const MOST_POINTS: usize = 500;
/// A fault of a moment has to be seen, too.
const NARROWEST: f64 = 3.0;

/// What the page draws.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Plot {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// The lag as a line, as an SVG path; empty where nobody looked.
    pub(crate) line: String,
    /// What lies below the line.
    pub(crate) area: String,
    /// The largest lag, in words.
    pub(crate) most: String,
    /// Times since the beginning below the picture: the first, the middle, the last.
    pub(crate) ticks: [String; 3],
    pub(crate) bands: Vec<Band>,
}

/// A fault.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Band {
    pub(crate) x: f64,
    pub(crate) width: f64,
    pub(crate) fault: String,
    pub(crate) target: String,
    /// When and for how long, in words.
    pub(crate) when: String,
}

impl Plot {
    /// `None` where there is nothing to draw.
    pub(crate) fn of(timeline: &Timeline) -> Option<Self> {
        let looks = timeline.lag.iter().map(|it| it.at_ms);
        let events = timeline.events.iter();
        let moments = events.flat_map(|it| [it.at_ms, it.until_ms.unwrap_or(it.at_ms)]);
        let moments: Vec<i64> = looks.chain(moments).collect();
        let (first, last) = (*moments.iter().min()?, *moments.iter().max()?);
        let span = last.abs_diff(first).max(1);
        let x = |at_ms: i64| at_ms.abs_diff(first) as f64 / span as f64 * WIDTH;
        let most = timeline.lag.iter().map(|it| it.late_ms).max().unwrap_or(0);
        let y = |late_ms: u64| HEIGHT - late_ms as f64 / most.max(1) as f64 * (HEIGHT - 6.0);
        let points: Vec<(f64, f64)> = fewer(&timeline.lag)
            .into_iter()
            .map(|it| (x(it.at_ms), y(it.late_ms)))
            .collect();
        let line = path(&points);
        let area = match (points.first(), points.last()) {
            (Some((from, _)), Some((to, _))) => {
                format!("{line}L{to:.1} {HEIGHT:.1}L{from:.1} {HEIGHT:.1}Z")
            }
            _ => String::new(),
        };
        let bands = timeline.events.iter().map(|event| {
            let end = event.until_ms.unwrap_or(event.at_ms);
            let begins = since(event.at_ms.abs_diff(first));
            let when = match event.until_ms {
                Some(end) => format!("at {begins}, for {}", since(end.abs_diff(event.at_ms))),
                None => format!("at {begins}"),
            };
            Band {
                x: tenths(x(event.at_ms).min(WIDTH - NARROWEST)),
                width: tenths((x(end) - x(event.at_ms)).max(NARROWEST)),
                fault: event.fault.clone(),
                target: event.target.clone(),
                when,
            }
        });
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            line,
            area,
            most: since(most),
            ticks: [since(0), since(span / 2), since(span)],
            bands: bands.collect(),
        })
    }
}

/// As many samples as can be told apart: of neighbours the latest.
fn fewer(samples: &[LagSample]) -> Vec<LagSample> {
    let together = samples.len().div_ceil(MOST_POINTS).max(1);
    let latest = |some: &[LagSample]| some.iter().copied().max_by_key(|it| it.late_ms);
    samples.chunks(together).filter_map(latest).collect()
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (number, (x, y)) in points.iter().enumerate() {
        let command = if number == 0 { 'M' } else { 'L' };
        // writing to a String cannot fail
        let _ = write!(path, "{command}{x:.1} {y:.1}");
    }
    path
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// `850 ms`, `12.3 s`, `4 min 5 s`.
fn since(millis: u64) -> String {
    match millis {
        0 => "0 s".to_owned(),
        1..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{:.1} s", millis as f64 / 1_000.0),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::FaultEvent;

    fn sample(at_ms: i64, late_ms: u64) -> LagSample {
        LagSample {
            at_ms,
            records: late_ms,
            late_ms,
        }
    }

    fn event(at_ms: i64, until_ms: Option<i64>) -> FaultEvent {
        FaultEvent {
            at_ms,
            until_ms,
            fault: "kill".to_owned(),
            target: "engine".to_owned(),
        }
    }

    #[test]
    fn lag_and_faults_share_one_scale() {
        let timeline = Timeline {
            events: vec![event(1_500, Some(2_000)), event(3_000, None)],
            lag: vec![sample(1_000, 0), sample(2_000, 4_000), sample(3_000, 0)],
        };
        let plot = Plot::of(&timeline).expect("something to draw");
        assert_eq!(plot.line, "M0.0 160.0L500.0 6.0L1000.0 160.0");
        assert!(
            plot.area.ends_with("L1000.0 160.0L0.0 160.0Z"),
            "{}",
            plot.area
        );
        assert_eq!(plot.most, "4.0 s");
        assert_eq!(plot.ticks, ["0 s", "1.0 s", "2.0 s"]);
        let places: Vec<(f64, f64)> = plot.bands.iter().map(|it| (it.x, it.width)).collect();
        assert_eq!(places, [(250.0, 250.0), (997.0, 3.0)]);
        assert_eq!(plot.bands[0].when, "at 500 ms, for 500 ms");
        assert_eq!(plot.bands[1].when, "at 2.0 s");
    }

    #[test]
    fn the_worst_is_drawn_however_many_samples_there_are() {
        let lag = (0..40_000).map(|at| sample(at, if at == 23_457 { 900 } else { 10 }));
        let timeline = Timeline {
            events: Vec::new(),
            lag: lag.collect(),
        };
        let plot = Plot::of(&timeline).expect("something to draw");
        assert!(plot.line.matches('L').count() <= MOST_POINTS);
        assert!(plot.line.contains(" 6.0L"), "the peak reaches the top");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(Plot::of(&Timeline::default()), None);
        let faults = Timeline {
            events: vec![event(5, Some(5))],
            lag: Vec::new(),
        };
        let plot = Plot::of(&faults).expect("a band");
        assert_eq!((plot.line.as_str(), plot.area.as_str()), ("", ""));
    }
}
