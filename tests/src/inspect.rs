//! Looking at a running process from outside, where it cannot lie.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

/// What was seen, as `name: value` lines.
pub type Inspection = Vec<String>;

/// Everything worth knowing about the process.
pub fn process(pid: u32) -> Inspection {
    let mut lines = Vec::new();
    let root = format!("/proc/{pid}");
    if let Ok(meta) = fs::metadata(format!("{root}/limits")) {
        lines.push(format!("owner: {}", meta.uid()));
    }
    for file in ["status", "limits"] {
        let text = fs::read_to_string(format!("{root}/{file}")).unwrap_or_default();
        lines.extend(text.lines().map(|line| squeezed(line, file)));
    }
    lines.extend(tasks(&root));
    lines.extend(descriptors(&root));
    lines
}

/// The end of the chain of first children that starts at `pid`: a monitor may stand between us and the script.
pub fn last_child(mut pid: u32) -> u32 {
    loop {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        match children.split_whitespace().next().map(str::parse) {
            Some(Ok(child)) => pid = child,
            _ => return pid,
        }
    }
}

/// Wait until the process has come to where it stays: it sleeps, or it has computed for a while since. Both are seen
/// from its account of time, so that a busy machine changes nothing.
pub fn settle(pid: u32, most: Duration) {
    const WHILE: u64 = 5;
    let deadline = Instant::now() + most;
    let Some((_, start)) = state(pid) else {
        return;
    };
    let mut asleep = 0;
    while asleep < 4 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
        match state(pid) {
            None | Some((b'Z', _)) => return,
            Some((_, ticks)) if ticks >= start + WHILE => return,
            Some((b'S', _)) => asleep += 1,
            Some(_) => asleep = 0,
        }
    }
}

/// The process's state letter, and the clock ticks that it has used.
fn state(pid: u32) -> Option<(u8, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((*fields.first()?.as_bytes().first()?, ticks(11)? + ticks(12)?))
}

/// Runs of blanks become one; in `limits` a colon separates the name from the rest.
fn squeezed(line: &str, file: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    if file == "limits" && line.len() > 26 && line.is_char_boundary(26) {
        let (name, values) = line.split_at(26);
        let values: Vec<&str> = values.split_whitespace().collect();
        return format!("{}: {}", name.trim(), values.join(" "));
    }
    words.join(" ")
}

/// What must hold for each thread by itself.
fn tasks(root: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("{root}/task")) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut count = 0;
    for entry in entries.flatten() {
        count += 1;
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let of_each = ["Seccomp:", "NoNewPrivs:", "CapEff:", "CapBnd:"];
        for line in status.lines() {
            if of_each.iter().any(|name| line.starts_with(name)) {
                lines.push(format!("task {count} {}", squeezed(line, "status")));
            }
        }
    }
    lines.push(format!("tasks: {count}"));
    lines
}

/// All in one line, and each in its own.
fn descriptors(root: &str) -> Vec<String> {
    let entries = match fs::read_dir(format!("{root}/fd")) {
        Err(error) => return vec![format!("descriptors: {}", error.kind())],
        Ok(entries) => entries,
    };
    let mut numbers: Vec<u32> =
        entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    let mut lines = vec![format!("descriptors: {numbers:?}")];
    lines.extend(numbers.iter().map(|n| format!("descriptor {n}")));
    lines
}
