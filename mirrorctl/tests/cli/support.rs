//! Two clusters, a topology between them, and the binary with a clean environment.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use broker::{ClusterOptions, EmbeddedCluster};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What every command says when it is asked nothing else.
pub(crate) fn mirrorctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirrorctl"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Fails the test, with everything that was printed, when the code is another.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }

    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        assert!(
            self.out.contains(words) || self.err.contains(words),
            "no {words:?} in\nstdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
    }
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    mirrorctl().args(arguments).output().unwrap().into()
}

/// Two clusters of one broker each, and a folder for files.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
    pub(crate) left: EmbeddedCluster,
    pub(crate) right: EmbeddedCluster,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let start = || {
            runtime
                .block_on(EmbeddedCluster::start(ClusterOptions::default()))
                .unwrap()
        };
        let (left, right) = (start(), start());
        Self {
            left,
            right,
            folder: TempDir::new().unwrap(),
            runtime,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `t.yaml`: both clusters, then `rest`.
    pub(crate) fn topology(&self, rest: &str) -> PathBuf {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: left, bootstrapServers: [\"{}\"]}}\n\
             - {{alias: right, bootstrapServers: [\"{}\"]}}\n{rest}",
            self.left.bootstrap_servers(),
            self.right.bootstrap_servers(),
        );
        self.file("t.yaml", &text)
    }

    /// [`Self::topology`] with one topic `pay.orders` and one mirror `pay`.
    pub(crate) fn pay(&self) -> PathBuf {
        self.topology(
            "topics:\n- {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n\
             mirrors:\n- {name: pay, source: left, target: right, topicsPattern: 'pay\\..*', \
             replicationPolicy: {type: default}}\n",
        )
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The text without what differs from run to run.
    pub(crate) fn stable(&self, text: &str) -> String {
        let mut text = text
            .replace(&self.left.bootstrap_servers(), "LEFT")
            .replace(&self.right.bootstrap_servers(), "RIGHT")
            .replace(self.left.cluster_id(), "left-id")
            .replace(self.right.cluster_id(), "right-id")
            .replace(&*self.folder.path().to_string_lossy(), "DIR");
        for unit in [" ms", " s"] {
            text = without_number_before(&text, &format!("{unit}."));
        }
        text
    }
}

/// ` 12 ms.` and ` 1.2 s.` become ` TIME.`.
fn without_number_before(text: &str, unit: &str) -> String {
    text.lines()
        .map(|line| match line.strip_suffix(unit) {
            Some(head) => {
                let head = head.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
                format!("{head}TIME.\n")
            }
            None => format!("{line}\n"),
        })
        .collect()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A running binary that is killed when the test is over.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self(
            mirrorctl()
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end, at most half a minute.
    pub(crate) fn ended(mut self) -> Ended {
        until("the binary ends", || self.0.try_wait().unwrap().is_some());
        let mut out = String::new();
        let mut err = String::new();
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        stdout.unwrap().read_to_string(&mut out).unwrap();
        stderr.unwrap().read_to_string(&mut err).unwrap();
        Ended {
            code: self.0.wait().unwrap().code().unwrap(),
            out,
            err,
        }
    }
}

/// How long a process may take to say or do what is waited for, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a running binary says on stderr. It is read to its end, whoever asks: nobody who writes has to wait.
pub(crate) struct Log {
    lines: Receiver<String>,
    seen: String,
}

impl Log {
    pub(crate) fn of(running: &mut Running) -> Self {
        let stderr = running.0.stderr.take().unwrap();
        let (said, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // the test may be over before the process is
                let _ = said.send(line);
            }
        });
        let seen = String::new();
        Self { lines, seen }
    }

    /// The next line with these words. Fails with all that was said.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(why) => panic!("no {words:?} ({why}) in\n{}", self.seen),
            }
        }
    }

    /// Where `replicate` answers, once it says so.
    pub(crate) fn address(&mut self) -> String {
        let line = self.until_it_says("serving /metrics");
        let words = line.split(|c: char| c == '=' || c == '"' || c.is_whitespace());
        let mut addresses = words.filter(|word| word.starts_with("127.0.0.1:"));
        addresses.next().unwrap().to_owned()
    }

    /// All that was said so far.
    pub(crate) fn said(&mut self) -> &str {
        for line in self.lines.try_iter() {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        &self.seen
    }
}

/// A running `replicate` with its log.
pub(crate) struct Replicate {
    pub(crate) running: Running,
    pub(crate) log: Log,
}

impl Replicate {
    pub(crate) fn with(file: &str) -> Self {
        Self::of(&["replicate", "-f", file])
    }

    pub(crate) fn of(arguments: &[&str]) -> Self {
        let mut running = Running::start(arguments);
        let log = Log::of(&mut running);
        Self { running, log }
    }

    #[track_caller]
    pub(crate) fn until_it_says(&mut self, words: &str) -> String {
        self.log.until_it_says(words)
    }

    pub(crate) fn address(&mut self) -> String {
        self.log.address()
    }

    /// Waits for its end, and gives the exit code. Fails with all that was said.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.running.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                Instant::now() < deadline,
                "it does not end:\n{}",
                self.log.said()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it in order, and gives what it printed on stdout.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        self.running.signal(Signal::TERM);
        let mut out = String::new();
        let stdout = self.running.0.stdout.take();
        stdout.unwrap().read_to_string(&mut out).unwrap();
        assert_eq!(self.ended(), Some(0));
        out
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a listening `replicate` answers, headers included.
pub(crate) fn asked(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Looks until it is so, at most half a minute.
#[track_caller]
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
