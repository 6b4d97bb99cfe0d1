//! The processes beneath this one, as `/proc` shows them (proc_pid_stat(5)).
#![allow(unsafe_code, reason = "getrusage(2) and sysconf(3) have no safe form")]

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One process.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    /// CPU time of the process and of the children that it has waited for, in clock ticks.
    ticks: u64,
}

/// The ids of this process's children.
pub(crate) fn children() -> impl Iterator<Item = libc::pid_t> {
    let parent = std::process::id();
    processes()
        .filter(move |process| process.parent == parent)
        .filter_map(|process| process.id.try_into().ok())
}

/// The CPU time of all processes beneath this one, living or waited for.
pub(crate) fn cpu_time() -> Duration {
    let all: HashMap<u32, Process> = processes().map(|process| (process.id, process)).collect();
    let living: u64 =
        all.values().filter(|process| is_beneath(process, &all)).map(|process| process.ticks).sum();
    // SAFETY: sysconf(3) takes no pointer.
    let hertz = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1);
    Duration::from_millis(living * 1000 / hertz) + waited_for()
}

/// Whether a process descends from this one. A walk longer than there are processes would be one
/// through numbers used twice.
fn is_beneath(process: &Process, all: &HashMap<u32, Process>) -> bool {
    let mut parent = process.parent;
    for _ in 0..all.len() {
        if parent == std::process::id() {
            return true;
        }
        match all.get(&parent) {
            Some(above) => parent = above.parent,
            None => return false,
        }
    }
    false
}

/// The CPU time of the children that we have waited for, and of theirs.
fn waited_for() -> Duration {
    // SAFETY: all zero is a valid rusage, and the kernel fills it while it lives.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// All processes that can be seen. One may end while we look.
fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        // A name need not be text.
        let stat = fs::read(entry.path().join("stat")).ok()?;
        parse(id, &String::from_utf8_lossy(&stat))
    })
}

fn parse(id: u32, stat: &str) -> Option<Process> {
    // The name in parentheses may hold anything; the state comes first after it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // utime, stime, cutime, cstime: fields 14 to 17 where the state is field 3.
    let ticks = (11..15).map(number).sum::<Option<u64>>()?;
    Some(Process { id, parent: fields.get(1)?.parse().ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let stat = "7 (a) S 9 (b) S 3 0 0 0 0 0 0 0 0 0 10 20 30 40 0";
        assert_eq!(parse(7, stat), Some(Process { id: 7, parent: 3, ticks: 100 }));
        assert_eq!(parse(7, "7 (a) S"), None);
    }

    #[test]
    fn descent_is_told_through_generations() {
        let me = std::process::id();
        let process = |id, parent| (id, Process { id, parent, ticks: 1 });
        let (child, grandchild, stranger) = (me + 1, me + 2, me + 3);
        let all =
            HashMap::from([process(child, me), process(grandchild, child), process(stranger, stranger)]);
        let beneath = |id| is_beneath(&all[&id], &all);
        assert!(beneath(child) && beneath(grandchild) && !beneath(stranger));
    }
}
