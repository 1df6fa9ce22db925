//! Log lines: on stderr, above the progress display where there is one.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::JsonFields;

use crate::cli::{Command, Global, LogFormat};
use crate::output;

/// Where the filter can be given in detail, in the form of `RUST_LOG`.
const VARIABLE: &str = "MIRRORCTL_LOG";
const OURS: [&str; 7] = [
    "mirrorctl",
    "topology",
    "kafka",
    "broker",
    "plan",
    "replicator",
    "conformance",
];

/// Installs the subscriber for the whole process.
pub(crate) fn install(global: &Global, command: &Command) -> Result<(), ParseError> {
    let filter = match std::env::var(VARIABLE) {
        Ok(directives) if !directives.trim().is_empty() => EnvFilter::try_new(directives)?,
        Ok(_) | Err(_) => EnvFilter::try_new(default_directives(global.verbose, command))?,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(LogWriter::default);
    match global.log_format {
        LogFormat::Text => builder
            .with_ansi(output::stderr_has_color())
            .with_target(false)
            .init(),
        LogFormat::Json => {
            output::speak_json();
            builder
                .fmt_fields(JsonFields::new())
                .event_format(output::JsonLines)
                .init();
        }
    }
    Ok(())
}

fn default_directives(verbose: u8, command: &Command) -> String {
    let (ours, librdkafka) = match verbose {
        // what librdkafka has to complain about comes back as an error of the call
        0 => (quiet_level(command), "off"),
        1 => ("debug", "warn"),
        2.. => ("trace", "info"),
    };
    let ours = OURS.map(|name| format!("{name}={ours}")).join(",");
    format!("warn,rdkafka={librdkafka},librdkafka={librdkafka},{ours}")
}

/// A mirror that runs for months says what it does; an answer to a question stands alone.
fn quiet_level(command: &Command) -> &'static str {
    match command {
        Command::Replicate(_) => "info",
        Command::Validate(_)
        | Command::Plan(_)
        | Command::Render(_)
        | Command::Apply(_)
        | Command::History(_)
        | Command::Destroy(_)
        | Command::Import(_)
        | Command::Forget(_)
        | Command::Verify(_)
        | Command::Status(_)
        | Command::Lag(_)
        | Command::Demo(_)
        | Command::Schema(_)
        | Command::Completions(_) => "warn",
    }
}

/// Collects one event and writes it in one piece, so that the progress display can step aside.
#[derive(Debug, Default)]
struct LogWriter(Vec<u8>);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        output::log_line(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn directives(arguments: &[&str]) -> String {
        let cli = Cli::try_parse_from(arguments).expect("arguments");
        default_directives(cli.global.verbose, &cli.command)
    }

    #[test]
    fn replicate_talks_and_a_question_does_not() {
        let replicate = directives(&["mirrorctl", "replicate", "-f", "t.yaml"]);
        assert!(replicate.contains("replicator=info"), "{replicate}");
        let plan = directives(&["mirrorctl", "plan", "-f", "t.yaml"]);
        assert!(
            plan.contains("plan=warn") && plan.contains("librdkafka=off"),
            "{plan}"
        );
        let verbose = directives(&["mirrorctl", "plan", "-f", "t.yaml", "-v"]);
        assert!(
            verbose.contains("plan=debug") && verbose.contains("librdkafka=warn"),
            "{verbose}"
        );
        for directives in [replicate, plan, verbose] {
            EnvFilter::try_new(directives).expect("directives parse");
        }
    }
}
