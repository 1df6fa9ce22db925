//! A machine with a systemd of its own: a container of systemd-nspawn that has this machine's `/usr`, an `/etc` of its own, and
//! nothing else of this machine but its network.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use e2e::{Guarded, Workspace};

use crate::rendered::{run, succeed};

const LIMIT: Duration = Duration::from_mins(2);
/// What it boots into: nothing that `/usr` of this machine would start besides.
const TARGET: &str = "[Unit]\nDescription=A machine of a test\nRequires=sysinit.target\nAfter=sysinit.target\nAllowIsolate=yes\n";
/// Where no systemd is in charge of this machine, the container gets control groups of its own here: below those of this process
/// it would find them all. `$1` is the name of the groups. The first process of the container ends with the one that is started
/// here, however that ends.
const START: &str = r#"
groups=$1; shift
if [ ! -d /run/systemd/system ]; then
  set -- --keep-unit "$@"
  for procs in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs); do
    group=$(dirname "$procs")/$groups
    mkdir "$group" || exit 1
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$group/$file" ] || cat "$group/../$file" >"$group/$file"
    done
    echo $$ >"$group/cgroup.procs" || exit 1
  done
fi
exec unshare --fork --pid --kill-child --mount-proc systemd-nspawn "$@"
"#;

/// A container that has booted; it ends when this value is dropped.
pub(crate) struct Machine {
    container: Guarded,
    first_process: u32,
    groups: String,
}

impl Machine {
    /// Boots one that sees `shared` as `/srv`, read-only, like what else it is to see, and has an empty `/usr/local/bin`.
    pub(crate) fn boot(workspace: &Workspace, shared: &Path, seen: &[PathBuf]) -> Self {
        let (etc, programs) = (etc(workspace), workspace.path().join("programs"));
        fs::create_dir(&programs).expect("a folder");
        // several may run at a time
        let groups = workspace.path().file_name().expect("a name");
        let groups = groups.to_string_lossy().into_owned();
        let mut arguments: Vec<OsString> = ["-c", START, "sh", &groups].map(Into::into).into();
        arguments.extend(
            [
                "--quiet",
                "--register=no",
                "--directory=/",
                "--volatile=yes",
                "--console=pipe",
                "--resolv-conf=off",
                "--timezone=off",
            ]
            .map(Into::into),
        );
        let own = [
            ("--bind=", etc.as_path(), Path::new("/etc")),
            ("--bind=", &programs, Path::new("/usr/local/bin")),
            ("--bind-ro=", shared, Path::new("/srv")),
        ];
        let seen = seen
            .iter()
            .map(|it| ("--bind-ro=", it.as_path(), it.as_path()));
        arguments.push(format!("--machine={groups}").into());
        for (kind, from, to) in own.into_iter().chain(seen) {
            let mut argument = OsString::from(kind);
            argument.push(from);
            argument.push(":");
            argument.push(to);
            arguments.push(argument);
        }
        arguments.extend(["--boot", "systemd.unit=e2e.target"].map(Into::into));
        let container = Guarded::spawn(
            "machine",
            OsStr::new("sh"),
            &arguments,
            &[],
            workspace.path(),
        )
        .expect("sh");
        let mut machine = Self {
            container,
            first_process: 0,
            groups,
        };
        machine.wait_until_booted();
        machine
    }

    fn wait_until_booted(&mut self) {
        let started = Instant::now();
        loop {
            let ended = self.container.try_wait().expect("a child");
            assert!(
                ended.is_none() && started.elapsed() < LIMIT,
                "{ended:?}\n{}\n{}",
                self.container.stdout(),
                self.container.stderr()
            );
            if let Some(process) = systemd_below(self.container.pid()) {
                self.first_process = process;
                let state = self.run("systemctl is-active e2e.target");
                if state.stdout == b"active\n" {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Runs a line of shell in it, as root.
    pub(crate) fn run(&self, line: &str) -> Output {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.first_process))
            .args(["--mount", "--uts", "--ipc", "--pid", "--cgroup"])
            .args(["--", "env", "--ignore-environment"])
            .arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
            .args(["sh", "-c", line]);
        run(&mut command)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.container.kill());
        // its control groups, from the innermost on, as soon as the last process in them has gone
        for _ in 0..50 {
            let left = Command::new("sh")
                .args([
                    "-c",
                    "find /sys/fs/cgroup/*/\"$1\" /sys/fs/cgroup/\"$1\" -depth -type d -exec rmdir {} + 2>/dev/null; \
                     find /sys/fs/cgroup -maxdepth 2 -name \"$1\"",
                    "sh",
                    &self.groups,
                ])
                .output();
            if left.is_ok_and(|it| it.stdout.is_empty()) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The folders of this machine that Ansible needs, whose programs are in `bin`: the virtual environment around it, and the Python
/// that this is made from.
pub(crate) fn folders_of(bin: &Path) -> Vec<PathBuf> {
    let python = bin.join("python3").canonicalize().expect("a Python");
    let mut folders = vec![bin.parent().expect("a folder").to_owned()];
    folders.extend(python.ancestors().nth(2).map(Path::to_owned));
    folders.retain(|it| !it.starts_with("/usr"));
    folders
}

/// What a machine's `/etc` needs so that it boots, and accounts can be made.
fn etc(workspace: &Workspace) -> PathBuf {
    let etc = workspace.path().join("etc");
    fs::create_dir_all(etc.join("systemd/system")).expect("a folder");
    for (name, text) in [
        ("systemd/system/e2e.target", TARGET),
        ("machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("hostname", "mirrorctl-e2e\n"),
        ("hosts", "127.0.0.1 localhost\n"),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
        ),
        (
            "passwd",
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        ),
        ("group", "root:x:0:\nnogroup:x:65534:\n"),
        ("shadow", "root:*:19000:0:99999:7:::\n"),
    ] {
        fs::write(etc.join(name), text).expect("a file");
    }
    // what programs of this machine's distribution are found by, and what Java is told
    let ours = fs::read_dir("/etc").expect("a folder");
    for from in ours.map(|entry| entry.expect("an entry").path()) {
        let name = from.file_name().expect("a name").to_string_lossy();
        let needed = ["alternatives", "ld.so.cache", "login.defs", "default"];
        if needed.contains(&&*name) || name.starts_with("java") {
            succeed(Command::new("cp").arg("-a").arg(&from).arg(&etc));
        }
    }
    symlink("/usr/lib/os-release", etc.join("os-release")).expect("a link");
    etc
}

/// The systemd that a process has started, or one of those that it has started.
fn systemd_below(ancestor: u32) -> Option<u32> {
    let is_below = |process: u32| {
        let mut at = process;
        while at > 1 {
            at = field(at, "PPid:")?.parse().ok()?;
            if at == ancestor {
                return Some(());
            }
        }
        None
    };
    let processes = fs::read_dir("/proc").ok()?;
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .find(|process| {
            field(*process, "Name:").as_deref() == Some("systemd") && is_below(*process).is_some()
        })
}

/// What `/proc` says about a process.
fn field(process: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}
