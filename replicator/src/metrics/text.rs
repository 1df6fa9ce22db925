use std::fmt::Write;

/// Content type of the `OpenMetrics` text format.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Content type of the Prometheus text format.
pub const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `OpenMetrics` text as older scrapers read it: there a counter's family carries its `_total`, and
/// there are neither units nor an end mark.
pub(super) fn prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    // HELP comes before TYPE, which is what says how the family is called.
    let mut help: Option<(&str, &str)> = None;
    for line in open_metrics.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(name), Some(words)) => help = Some((name, words)),
            (Some("TYPE"), Some(name), Some(kind)) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                if let Some((_, words)) = help.take().filter(|(known, _)| *known == name) {
                    // Writing to a String cannot fail.
                    let _ = writeln!(text, "# HELP {name}{suffix} {words}");
                }
                let _ = writeln!(text, "# TYPE {name}{suffix} {kind}");
            }
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_in_full_and_units_are_left_out() {
        let open = "# HELP a_bytes Some help.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\n\
                    a_bytes_total{x=\"# y\"} 3\n# HELP g G.\n# TYPE g gauge\ng 1\n# EOF\n";
        let plain = "# HELP a_bytes_total Some help.\n# TYPE a_bytes_total counter\n\
                     a_bytes_total{x=\"# y\"} 3\n# HELP g G.\n# TYPE g gauge\ng 1\n";
        assert_eq!(prometheus(open), plain);
    }
}
