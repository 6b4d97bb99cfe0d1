//! Looking at a running process from outside, where it cannot lie.

use std::fs;
use std::os::unix::fs::MetadataExt;

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
    let mut numbers: Vec<u32> = entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let mut lines = vec![format!("descriptors: {numbers:?}")];
    lines.extend(numbers.iter().map(|n| format!("descriptor {n}")));
    lines
}
