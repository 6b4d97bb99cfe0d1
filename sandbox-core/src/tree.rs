//! The processes beneath this one, as `/proc` shows them (proc_pid_stat(5)).
#![allow(unsafe_code, reason = "getrusage(2) and sysconf(3) have no safe form")]

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    /// CPU time of the process and of the children that it has waited for, in clock ticks.
    ticks: u64,
    threads: u64,
    /// Pages in memory.
    pages: u64,
}

/// The ids of this process's children.
pub(crate) fn children() -> impl Iterator<Item = libc::pid_t> {
    let parent = std::process::id();
    processes()
        .filter(move |process| process.parent == parent)
        .filter_map(|process| process.id.try_into().ok())
}

/// The processes beneath this one. What they use is added up when it is asked for: memory takes more than a look.
#[derive(Debug)]
pub(crate) struct Tree(Vec<Process>);

impl Tree {
    pub(crate) fn look() -> Self {
        let all: HashMap<u32, Process> = processes().map(|process| (process.id, process)).collect();
        Tree(all.values().filter(|process| is_beneath(process, &all)).copied().collect())
    }

    /// CPU time of the living, of those that were waited for, and of this process, which works for them.
    pub(crate) fn cpu(&self) -> Duration {
        let ticks: u64 = self.0.iter().map(|process| process.ticks).sum();
        Duration::from_millis(ticks * 1000 / of_system(libc::_SC_CLK_TCK))
            + used_by(libc::RUSAGE_CHILDREN)
            + used_by(libc::RUSAGE_SELF)
    }

    /// Memory in bytes, without what files hold as well.
    pub(crate) fn memory(&self) -> u64 {
        let page = of_system(libc::_SC_PAGESIZE);
        self.0.iter().map(|process| memory(process, process.pages * page)).sum()
    }

    /// Processes and threads.
    pub(crate) fn tasks(&self) -> u64 {
        self.0.iter().map(|process| process.threads).sum()
    }
}

/// A size of the system's, of which none is 0.
fn of_system(name: libc::c_int) -> u64 {
    // SAFETY: sysconf(3) takes no pointer.
    u64::try_from(unsafe { libc::sysconf(name) }).unwrap_or(0).max(1)
}

/// The memory in bytes that is no file's, of a process with so many bytes in memory, as far as it is worth asking: small
/// processes cannot fill the memory, because there cannot be many. What several share is divided among them.
fn memory(process: &Process, present: u64) -> u64 {
    const SMALL: u64 = 4 << 20;
    // Where the first thread has ended the process seems to have none.
    let headless = present == 0 && process.threads > 1;
    if present < SMALL && !headless {
        return present;
    }
    let place = format!("/proc/{}", process.id);
    let read = |name| fs::read_to_string(format!("{place}/{name}")).unwrap_or_default();
    let status = if headless { of_a_living_thread(&place) } else { read("status") };
    let (Some(own), Some(shared)) = (size(&status, "RssAnon:"), size(&status, "RssShmem:")) else {
        return present;
    };
    let swapped = size(&status, "VmSwap:").unwrap_or(0);
    // The share takes the kernel a walk through all pages; and who hides from us gets the whole.
    let part = (shared >= SMALL).then(|| size(&read("smaps_rollup"), "Pss_Shmem:")).flatten();
    own + swapped + part.unwrap_or(shared)
}

/// What a thread that has memory says of it, which is the process's.
fn of_a_living_thread(place: &str) -> String {
    let threads = fs::read_dir(format!("{place}/task")).into_iter().flatten().flatten();
    let mut said = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    said.find(|status| status.contains("RssAnon:")).unwrap_or_default()
}

/// A line of `/proc/PID/status` or `smaps_rollup` in bytes (proc_pid_status(5)).
fn size(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
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

/// Our own CPU time, or that of the children that we have waited for, and of theirs.
fn used_by(whom: libc::c_int) -> Duration {
    // SAFETY: all zero is a valid rusage, and the kernel fills it while it lives.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(whom, &raw mut usage);
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
    // num_threads and rss: fields 20 and 24.
    Some(Process {
        id,
        parent: fields.get(1)?.parse().ok()?,
        ticks,
        threads: number(17)?,
        pages: number(21)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let stat = "7 (a) S 9 (b) S 3 0 0 0 0 0 0 0 0 0 10 20 30 40 20 0 2 0 5 4096 6";
        let parsed = Process { id: 7, parent: 3, ticks: 100, threads: 2, pages: 6 };
        assert_eq!(parse(7, stat), Some(parsed));
        assert_eq!(parse(7, "7 (a) S"), None);
    }

    #[test]
    fn sizes_are_in_kilobytes() {
        let text = "VmRSS:\t    3000 kB\nRssAnon:\t     12 kB\nThreads:\t1\n";
        assert_eq!(size(text, "RssAnon:"), Some(12 << 10));
        assert_eq!(size(text, "Threads:"), None);
        assert_eq!(size(text, "RssShmem:"), None);
    }

    #[test]
    fn descent_is_told_through_generations() {
        let me = std::process::id();
        let process = |id, parent| (id, Process { id, parent, ticks: 1, threads: 1, pages: 1 });
        let (child, grandchild, stranger) = (me + 1, me + 2, me + 3);
        let all =
            HashMap::from([process(child, me), process(grandchild, child), process(stranger, stranger)]);
        let beneath = |id| is_beneath(&all[&id], &all);
        assert!(beneath(child) && beneath(grandchild) && !beneath(stranger));
    }
}
