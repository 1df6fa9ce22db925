//! Which cores processes run on.

use std::fs;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

use crate::error::{Error, Result};

/// Disjoint cores for the processes of a copy, so that none takes time from another.
///
/// The target broker has so few that it is what limits every copy. The source broker shares its own with the benchmark,
/// which looks at the target fifty times a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cores {
    pub(crate) target: Vec<usize>,
    pub(crate) engine: Vec<usize>,
    pub(crate) source: Vec<usize>,
}

impl Cores {
    /// How many are needed, whatever the target has.
    pub(crate) const NEEDED: usize = 4;
    /// More would be of no use.
    const FOR_THE_SOURCE: usize = 2;

    /// Shares out the first cores that this thread may use, `target` of them to the target broker; `None` where these
    /// are too few.
    pub(crate) fn share_out(target: u16) -> Result<Option<Self>> {
        let mine = sched_getaffinity(None).map_err(refused("the cores of this process"))?;
        let usable: Vec<usize> = (0..CpuSet::MAX_CPU)
            .filter(|core| mine.is_set(*core))
            .collect();
        Ok(Self::of(&usable, usize::from(target)))
    }

    fn of(usable: &[usize], target: usize) -> Option<Self> {
        let (target, rest) = usable.split_at_checked(target)?;
        let (engine, rest) = rest.split_first()?;
        let source: Vec<usize> = rest.iter().copied().take(Self::FOR_THE_SOURCE).collect();
        let enough = usable.len() >= Self::NEEDED && !source.is_empty();
        enough.then(|| Self {
            target: target.to_vec(),
            engine: vec![*engine],
            source,
        })
    }

    /// In words.
    pub(crate) fn describe(&self) -> String {
        format!(
            "Cores of the target broker: {}; of the engine: {}; of the source broker and the benchmark: {}.",
            list(&self.target),
            list(&self.engine),
            list(&self.source)
        )
    }
}

fn list(cores: &[usize]) -> String {
    let names: Vec<String> = cores.iter().map(usize::to_string).collect();
    names.join(" and ")
}

/// Keeps every thread of a process on these cores, and so those that they start later.
pub(crate) fn pin(process: u32, cores: &[usize]) -> Result<()> {
    let set = set_of(cores);
    let tasks = PathBuf::from(format!("/proc/{process}/task"));
    let mut pinned = Vec::new();
    loop {
        let mut more = false;
        for thread in threads(&tasks)? {
            if pinned.contains(&thread) {
                continue;
            }
            match sched_setaffinity(Some(thread), &set) {
                // it has ended meanwhile
                Ok(()) | Err(Errno::SRCH) => {}
                Err(error) => return Err(refused("the cores of a thread")(error)),
            }
            pinned.push(thread);
            // a thread that was not pinned yet may have started another that was not listed yet
            more = true;
        }
        if !more {
            return Ok(());
        }
    }
}

fn threads(tasks: &PathBuf) -> Result<Vec<Pid>> {
    let failed = |source| Error::Process {
        path: tasks.clone(),
        source,
    };
    let mut threads = Vec::new();
    for entry in fs::read_dir(tasks).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let id = name.to_str().and_then(|name| name.parse().ok());
        threads.extend(id.and_then(Pid::from_raw));
    }
    Ok(threads)
}

/// Keeps this thread on these cores while `work` is done, and with it the threads and processes that it starts.
pub(crate) fn on<T>(cores: &[usize], work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = sched_getaffinity(None).map_err(refused("the cores of this thread"))?;
    sched_setaffinity(None, &set_of(cores)).map_err(refused("the cores of this thread"))?;
    let done = work();
    sched_setaffinity(None, &before).map_err(refused("the cores of this thread"))?;
    done
}

fn set_of(cores: &[usize]) -> CpuSet {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    set
}

fn refused(what: &'static str) -> impl FnOnce(Errno) -> Error {
    move |source| Error::System {
        what,
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nobody_shares_a_core_and_three_are_too_few() {
        let shared_out = |usable: &[usize], target| {
            Cores::of(usable, target).map(|it| (it.target, it.engine, it.source))
        };
        assert_eq!(
            shared_out(&[2, 3, 5, 7, 11], 1),
            Some((vec![2], vec![3], vec![5, 7]))
        );
        assert_eq!(
            shared_out(&[0, 1, 2, 3], 2),
            Some((vec![0, 1], vec![2], vec![3]))
        );
        assert_eq!(shared_out(&[0, 1, 2, 3], 3), None, "none for the source");
        assert_eq!(shared_out(&[0, 1, 2, 3], 5), None);
        assert_eq!(shared_out(&[0, 1, 2], 1), None);
    }

    #[test]
    fn all_threads_of_a_process_are_pinned() {
        const PARKED: &str = "MIRRORCTL_BENCH_PARKED";
        if std::env::var_os(PARKED).is_some() {
            // the process to pin: the thread of this test beside the first one
            std::thread::sleep(Duration::from_mins(1));
            return;
        }
        let first = (0..CpuSet::MAX_CPU)
            .find(|core| sched_getaffinity(None).expect("cores").is_set(*core))
            .expect("a core");
        let mut parked = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "cores::tests::all_threads_of_a_process_are_pinned",
            ])
            .env(PARKED, "1")
            .stdout(Stdio::null())
            .spawn()
            .expect("a child");
        let tasks = PathBuf::from(format!("/proc/{}/task", parked.id()));
        let started = Instant::now();
        while threads(&tasks).expect("threads").len() < 2 {
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "no second thread"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        pin(parked.id(), &[first]).expect("pinning");
        let cores: Vec<CpuSet> = threads(&tasks)
            .expect("threads")
            .into_iter()
            .map(|thread| sched_getaffinity(Some(thread)).expect("its cores"))
            .collect();
        parked.kill().expect("killing");
        parked.wait().expect("waiting");
        assert!(
            cores.len() > 1 && cores.iter().all(|set| *set == set_of(&[first])),
            "{cores:?}"
        );
    }

    #[test]
    fn what_is_started_meanwhile_inherits_the_cores_and_they_are_given_back() {
        let before = sched_getaffinity(None).expect("cores");
        let last = (0..CpuSet::MAX_CPU)
            .rfind(|core| before.is_set(*core))
            .expect("a core");
        let inherited = on(&[last], || {
            let thread = std::thread::spawn(|| sched_getaffinity(None).expect("cores"));
            Ok(thread.join().expect("a thread"))
        });
        assert_eq!(inherited.expect("cores"), set_of(&[last]));
        assert_eq!(sched_getaffinity(None).expect("cores"), before);
    }
}
