//! Child processes that cannot outlive the test process.
//!
//! A test run that is killed drops nothing, and "die with your parent" of Linux is tied to the *thread* that
//! spawned. So each child runs under a small shell that holds a pipe to the test process: when the test process
//! ends, in whatever way, the pipe closes and the shell kills the child.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Error, Result};

// $1 standard output, $2 standard error, then the command. The child's process id is the first line of the
// shell's own output. The watcher ends with the child, so that it never signals a process id used anew.
const WRAPPER: &str = r#"
out=$1; err=$2; shift 2
exec 3<&0
"$@" </dev/null >"$out" 2>"$err" 3<&- &
child=$!
echo "$child"
exec >&-
( read -r _ <&3; kill -s KILL "$child" ) &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill -s KILL "$watcher"
exit "$status"
"#;

/// A running child process; killed when this value is dropped or when the test process ends.
#[derive(Debug)]
pub struct Guarded {
    program: String,
    wrapper: Child,
    // closing it kills the child
    lifeline: Option<ChildStdin>,
    pid: Pid,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Guarded {
    /// Starts `program` with its output going to files `NAME.out` and `NAME.err` in `directory`.
    pub fn spawn(
        name: &str,
        program: &OsStr,
        arguments: &[OsString],
        environment: &[(&str, &str)],
        directory: &Path,
    ) -> Result<Self> {
        let label = program.to_string_lossy().into_owned();
        let stdout = directory.join(format!("{name}.out"));
        let stderr = directory.join(format!("{name}.err"));
        let mut wrapper = Command::new("sh")
            .args(["-c", WRAPPER, "sh"])
            .arg(&stdout)
            .arg(&stderr)
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(directory)
            // Ctrl-C in a terminal reaches the test process alone, which then lets go of the pipe
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::program("sh"))?;
        let lifeline = wrapper.stdin.take();
        let mut line = String::new();
        if let Some(output) = wrapper.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(Error::program("sh"))?;
        }
        let pid = line
            .trim()
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| Error::Program {
                program: label.clone(),
                source: std::io::Error::other("the shell did not report a process id"),
            })?;
        Ok(Self {
            program: label,
            wrapper,
            lifeline,
            pid,
            stdout,
            stderr,
        })
    }

    /// The process id of the child itself.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal to the child.
    ///
    /// # Errors
    /// The child is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal).map_err(|source| Error::Program {
            program: self.program.clone(),
            source: source.into(),
        })
    }

    /// How the child ended, or `None` while it runs. A child killed by signal N ends with code 128 + N.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.wrapper
            .try_wait()
            .map_err(Error::program(&self.program))
    }

    /// Waits for the child's end.
    ///
    /// # Errors
    /// [`Error::Timeout`] when it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > limit {
                return Err(Error::Timeout {
                    what: format!("the end of {}", self.program),
                    waited: limit,
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Kills the child with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        // the shell does it, which cannot hit a process id used anew
        self.lifeline = None;
        self.wait(Duration::from_secs(30))
    }

    /// What the child has written to standard output so far.
    pub fn stdout(&self) -> String {
        read_lossy(&self.stdout)
    }

    /// What the child has written to standard error so far.
    pub fn stderr(&self) -> String {
        read_lossy(&self.stderr)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // closing the lifeline is enough even when waiting fails
        drop(self.kill());
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workspace;

    fn sleeper(workspace: &Workspace) -> Guarded {
        Guarded::spawn(
            "sleep",
            OsStr::new("sleep"),
            &["600".into()],
            &[],
            workspace.path(),
        )
        .expect("spawning")
    }

    fn is_alive(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_dropped_child_is_dead() {
        let workspace = Workspace::create("guarded").expect("a workspace");
        let child = sleeper(&workspace);
        let pid = child.pid();
        assert!(is_alive(pid));
        drop(child);
        assert!(!is_alive(pid));
    }

    #[test]
    fn exit_code_and_output_pass_through() {
        let workspace = Workspace::create("guarded").expect("a workspace");
        let arguments = ["-c".into(), "echo out; echo err >&2; exit 7".into()];
        let mut child = Guarded::spawn("sh", OsStr::new("sh"), &arguments, &[], workspace.path())
            .expect("spawning");
        let status = child.wait(Duration::from_secs(10)).expect("waiting");
        assert_eq!(status.code(), Some(7));
        assert_eq!(
            (child.stdout().as_str(), child.stderr().as_str()),
            ("out\n", "err\n")
        );
    }

    #[test]
    fn a_stopped_child_dies_too() {
        let workspace = Workspace::create("guarded").expect("a workspace");
        let mut child = sleeper(&workspace);
        child.signal(Signal::STOP).expect("signalling");
        assert_eq!(child.kill().expect("killing").code(), Some(137));
    }

    /// What the process to kill does in `a_child_dies_with_a_killed_test_process`.
    fn hold_a_child_until_killed(report: OsString) {
        let workspace = Workspace::create("guarded").expect("a workspace");
        let child = sleeper(&workspace);
        fs::write(report, format!("{}\n", child.pid())).expect("reporting");
        std::thread::sleep(Duration::from_mins(10));
    }

    #[test]
    fn a_child_dies_with_a_killed_test_process() {
        const REPORT: &str = "MIRRORCTL_E2E_REPORT_PID_TO";
        if let Some(report) = std::env::var_os(REPORT) {
            return hold_a_child_until_killed(report);
        }
        let workspace = Workspace::create("guarded").expect("a workspace");
        let report = workspace.path().join("pid");
        let mut parent = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "guarded::tests::a_child_dies_with_a_killed_test_process",
            ])
            .env(REPORT, &report)
            .stdout(Stdio::null())
            .spawn()
            .expect("spawning");
        let eventually = |what: &str, condition: &dyn Fn() -> bool| {
            let started = Instant::now();
            while !condition() {
                assert!(started.elapsed() < Duration::from_secs(20), "{what}");
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        eventually("the child starts", &|| read_lossy(&report).ends_with('\n'));
        let pid: u32 = read_lossy(&report).trim().parse().expect("a process id");
        assert!(is_alive(pid));
        parent.kill().expect("killing");
        parent.wait().expect("waiting");
        eventually("the child is gone", &|| !is_alive(pid));
    }
}
