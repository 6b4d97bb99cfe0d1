//! Budgets: what a run may use, and how the kernel is told.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;

use rlimit::Resource;

use crate::bounds::Setter;
use crate::profile::Profile;
use crate::units::{Limit, Unit};

/// What can be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Budget {
    /// Memory that the script may allocate, in bytes.
    Memory,
    /// CPU time of each process, in milliseconds but whole seconds.
    Cpu,
    /// Time by the clock on the wall, in milliseconds.
    Time,
    /// Open descriptors of each process.
    Files,
    /// Size of each file that is written, in bytes.
    FileSize,
    /// Processes and threads beside those that the user has already.
    Processes,
}

impl Budget {
    /// Every budget, in the order in which they are shown.
    pub const ALL: [Budget; 6] =
        [Budget::Memory, Budget::Cpu, Budget::Time, Budget::Files, Budget::FileSize, Budget::Processes];

    /// The name in a policy file; with `limit-` before it the flag's name.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Budget::Memory => "memory",
            Budget::Cpu => "cpu",
            Budget::Time => "time",
            Budget::Files => "files",
            Budget::FileSize => "file-size",
            Budget::Processes => "processes",
        }
    }

    /// What it counts.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Budget::Memory | Budget::FileSize => Unit::Bytes,
            Budget::Cpu => Unit::Seconds,
            Budget::Time => Unit::Milliseconds,
            Budget::Files | Budget::Processes => Unit::Count,
        }
    }

    fn default(self) -> Limit {
        match self {
            Budget::Memory => Limit::At(1 << 30),
            Budget::Cpu => Limit::At(60_000),
            Budget::Time => Limit::None,
            Budget::Files => Limit::At(256),
            Budget::FileSize => Limit::At(256 << 20),
            Budget::Processes => Limit::At(64),
        }
    }
}

/// One size for each [`Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits([Limit; 6]);

impl Default for Limits {
    fn default() -> Self {
        Limits(Budget::ALL.map(Budget::default))
    }
}

impl Limits {
    /// The budget's size.
    #[must_use]
    pub fn get(&self, budget: Budget) -> Limit {
        self.0[budget as usize]
    }

    /// Gives the budget another size.
    pub fn set(&mut self, budget: Budget, limit: Limit) {
        self.0[budget as usize] = limit;
    }

    /// The budget as a user writes it, for example `512M`.
    #[must_use]
    pub fn show(&self, budget: Budget) -> String {
        budget.unit().show(self.get(budget))
    }
}

/// Looks up a resource by the name that `prlimit(1)` and `getrlimit(2)` use: `nofile`, `RLIMIT_NOFILE`.
#[must_use]
pub fn resource(name: &str) -> Option<Resource> {
    let upper = name.to_ascii_uppercase();
    let full = if upper.starts_with("RLIMIT_") { upper } else { format!("RLIMIT_{upper}") };
    full.parse().ok().filter(|found: &Resource| found.is_supported())
}

/// The resource limits that a run is to have, and on whose word; `tasks` are the user's, present and to come.
///
/// Address space is the outer bound of memory: it counts also what is shared or only reserved, so the profile says how
/// much comes on top. Where the interpreter does not count what it allocates, the private memory that can be written is
/// held to the budget itself.
pub(crate) fn resources(
    limits: &Limits,
    profile: &Profile,
    tasks: Option<u64>,
) -> Vec<(Resource, u64, Setter)> {
    let fixed = |resource, amount| (resource, amount, Setter::Sandbox);
    let mut list = vec![
        // A dump would hold what was granted to the script, in a place that was not.
        fixed(Resource::CORE, NO_CORE),
        fixed(Resource::MEMLOCK, 0),
        fixed(Resource::MSGQUEUE, 0),
        fixed(Resource::RTPRIO, 0),
        fixed(Resource::STACK, STACK),
    ];
    let mut add = |resource, budget, convert: &dyn Fn(u64) -> u64| {
        if let Limit::At(amount) = limits.get(budget) {
            list.push((resource, convert(amount), Setter::Budget(budget)));
        }
    };
    add(Resource::CPU, Budget::Cpu, &|ms| ms / 1000);
    add(Resource::NOFILE, Budget::Files, &|n| n);
    add(Resource::FSIZE, Budget::FileSize, &|n| n);
    add(Resource::AS, Budget::Memory, &|bytes| bytes.saturating_add(profile.memory_overhead));
    if !profile.counts_memory {
        add(Resource::DATA, Budget::Memory, &|bytes| bytes);
    }
    if let Some(tasks) = tasks {
        list.push((Resource::NPROC, tasks, Setter::Budget(Budget::Processes)));
    }
    list
}

/// The size in bytes of a core that is none, wherever it would go: a limit of 0 keeps the kernel from writing a file, but not
/// from starting the program that `core_pattern` names, with a pipe to it; at 1 it does neither (core(5)).
pub(crate) const NO_CORE: u64 = 1;

/// The size that Linux gives a main thread's stack by default, in bytes.
const STACK: u64 = 8 << 20;

/// Descriptors 0 to 2 and the sink.
pub(crate) const LEAST_FILES: u64 = 4;

/// How many processes and threads the real user `uid` has, from `/proc`.
///
/// # Errors
/// When `/proc` cannot be read.
pub(crate) fn tasks_of(uid: u32) -> io::Result<u64> {
    let mut tasks = 0;
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        // `self` and `thread-self` would count this process again.
        if !entry.file_name().as_bytes().iter().all(u8::is_ascii_digit) {
            continue;
        }
        // A process may end while we look.
        if let Ok(status) = fs::read(entry.path().join("status")) {
            tasks += threads_of(&String::from_utf8_lossy(&status), uid).unwrap_or(0);
        }
    }
    Ok(tasks)
}

/// The `Threads:` of a `/proc/PID/status` (proc_pid_status(5)) whose real user is `uid`.
fn threads_of(status: &str, uid: u32) -> Option<u64> {
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_ascii_whitespace().nth(1)
    };
    let real: u32 = field("Uid:")?.parse().ok()?;
    (real == uid).then(|| field("Threads:")?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_names() {
        assert_eq!(resource("nofile"), Some(Resource::NOFILE));
        assert_eq!(resource("RLIMIT_NOFILE"), Some(Resource::NOFILE));
        assert_eq!(resource("nofiles"), None);
    }

    #[test]
    fn tasks_are_counted_by_real_user() {
        let status = "Name:\tx\nUid:\t1000\t0\t0\t0\nThreads:\t7\n";
        assert_eq!(threads_of(status, 1000), Some(7));
        assert_eq!(threads_of(status, 0), None);
    }
}
