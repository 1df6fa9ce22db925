//! Kafka's own tools, as JVM processes.

use std::process::Output;

use broker::EmbeddedCluster;
use e2e::KafkaInstallation;

const LOG_CONFIG: &str = "\
status = error
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %p %m%n
";

/// Kafka's tools with a place for their log configuration.
pub(crate) struct Tools {
    installation: KafkaInstallation,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) bootstrap: String,
}

impl Tools {
    pub(crate) fn new(cluster: &EmbeddedCluster) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("log4j2.properties"), LOG_CONFIG).unwrap();
        let installation = KafkaInstallation::find().expect("cargo xtask install has run");
        Self {
            installation,
            directory,
            bootstrap: cluster.bootstrap_servers(),
        }
    }

    pub(crate) fn output(&self, class: &str, arguments: &[&str]) -> Output {
        let log_config = self.directory.path().join("log4j2.properties");
        let mut all = vec!["--bootstrap-server", self.bootstrap.as_str()];
        all.extend(arguments);
        self.installation
            .run(&log_config, class, &all, b"")
            .unwrap()
    }

    pub(crate) fn run(&self, class: &str, arguments: &[&str]) -> String {
        success(&self.output(class, arguments), class)
    }

    pub(crate) fn topics(&self, arguments: &[&str]) -> String {
        self.run("org.apache.kafka.tools.TopicCommand", arguments)
    }
}

pub(crate) fn success(output: &Output, what: &str) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{stdout}\n{stderr}",
        output.status
    );
    stdout
}

/// Runs blocking work beside the cluster's tasks.
pub(crate) async fn beside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.unwrap()
}
