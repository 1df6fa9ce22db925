//! Who runs this command, for the lock and the audit record.

use plan::Applicant;

/// The user as the system names it, at this host, with this process.
pub(crate) fn applicant() -> Applicant {
    let user = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    Applicant {
        who: format!("{user}@{host}"),
        pid: std::process::id(),
        processes: processes().unwrap_or_default(),
    }
}

/// Names the table that process ids are of: this boot of this machine, and the namespace (containers have their own).
fn processes() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}
