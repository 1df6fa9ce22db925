//! Other engines than ours, from the files that `mirrorctl render` writes for them.

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Error, Guarded, KafkaInstallation, Result, Workspace};

/// The heap of each process of [`start_java`].
pub const ENGINE_HEAP_MEGABYTES: u32 = 512;

/// One main class of Kafka's as a process in the background, in `workspace`.
///
/// `environment` is where secrets go: nothing of it is written to a file.
pub fn start_java(
    workspace: &Workspace,
    installation: &KafkaInstallation,
    name: &str,
    main_class: &str,
    properties: &Path,
    environment: &[(&str, &str)],
) -> Result<Guarded> {
    let log = workspace.write("engine-log4j2.properties", LOG_CONFIG)?;
    let mut arguments: Vec<OsString> = installation
        .java_arguments(ENGINE_HEAP_MEGABYTES, &log)
        .into_iter()
        .map(OsString::from)
        .collect();
    // of programs that are as old as Mirus; the others do not look at it
    let old_log = workspace.write("engine-log4j.properties", OLD_LOG_CONFIG)?;
    arguments.push(format!("-Dlog4j.configuration=file:{}", old_log.display()).into());
    arguments.extend([main_class.into(), properties.into()]);
    Guarded::spawn(
        name,
        OsStr::new("java"),
        &arguments,
        environment,
        workspace.path(),
    )
}

/// Warnings, and where consumers begin to read: they tell of offsets that are gone at level INFO.
const LOG_CONFIG: &str = "status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.consumer.name = org.apache.kafka.clients.consumer.internals
logger.consumer.level = info
";

/// The same for the logging of Kafka before 4.
const OLD_LOG_CONFIG: &str = "log4j.rootLogger = WARN, console
log4j.appender.console = org.apache.log4j.ConsoleAppender
log4j.appender.console.layout = org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern = %p %m (%c)%n
log4j.logger.org.apache.kafka.clients.consumer.internals = INFO
";

/// The REST interface of a worker of Kafka Connect on this machine.
#[derive(Debug, Clone, Copy)]
pub struct ConnectWorker {
    port: u16,
    limit: Duration,
}

impl ConnectWorker {
    /// The worker that listens on `port`; nothing is waited for longer than `limit`.
    pub fn at(port: u16, limit: Duration) -> Self {
        Self { port, limit }
    }

    /// Waits until the worker answers.
    ///
    /// # Errors
    /// [`Error::Timeout`] with what it printed, also when its process ended.
    pub fn wait_until_ready(&self, worker: &mut Guarded) -> Result<()> {
        self.until("Kafka Connect answering", worker, || {
            let answer = http(self.port, "GET /connectors", "");
            Ok(answer.is_some_and(|(status, _)| status == 200))
        })
    }

    /// Creates the connector that `json` describes, or finds it there.
    ///
    /// # Errors
    /// [`Error::Refused`] with the worker's answer, [`Error::Timeout`] when it never takes it.
    pub fn create(&self, worker: &mut Guarded, json: &str) -> Result<()> {
        self.until("a connector being created", worker, || {
            match http(self.port, "POST /connectors", json) {
                Some((201, _)) => Ok(true),
                Some((409, answer)) if answer.contains("already exists") => Ok(true),
                // the worker is joining its group
                Some((409 | 503, _)) | None => Ok(false),
                Some((_, answer)) => Err(Error::Refused {
                    program: "Kafka Connect".to_owned(),
                    answer,
                }),
            }
        })
    }

    fn until(
        &self,
        what: &str,
        worker: &mut Guarded,
        mut so: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let started = Instant::now();
        while !so()? {
            if worker.try_wait()?.is_some() || started.elapsed() > self.limit {
                let (out, err) = (worker.stdout(), worker.stderr());
                return Err(Error::Timeout {
                    what: format!("{what}\n{out}\n{err}\n"),
                    waited: started.elapsed(),
                });
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

/// One request; the status and the whole answer, or nothing while nobody listens.
fn http(port: u16, request: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let length = body.len();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    // the server may cut the connection: what came until then is the answer
    drop(stream.read_to_string(&mut answer));
    Some((answer.split(' ').nth(1)?.parse().ok()?, answer))
}
