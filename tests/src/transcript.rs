//! Documents whose examples are run: what stands in them as a dialogue with a shell must come out as it stands there.
//!
//! A line that begins with `$ ` is a command, lines with `> ` go on with it, what follows is what it prints. In that, `[..]`
//! stands for any text and a line `...` for any lines. All commands of a document run in one shell and one directory.

use crate::Result;
use crate::binaries::Binaries;
use crate::fixture::Fixture;
use crate::identity::Identity;
use crate::job::Job;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One command and what it prints.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    command: String,
    prints: Vec<String>,
}

/// The dialogues of a document: of a manual page the literal displays, of Markdown what is fenced as `console`.
pub fn steps(file: &Path, text: &str) -> Vec<Step> {
    let page = file.extension().is_some_and(|ending| ending != "md");
    let (begin, end) = if page { (".Bd -literal", ".Ed") } else { ("```console", "```") };
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match inside {
            false => inside = line.starts_with(begin),
            true if line == end => inside = false,
            true => add(&mut steps, &if page { plain(line) } else { line.to_owned() }),
        }
    }
    steps.iter_mut().for_each(Step::trim);
    steps
}

fn add(steps: &mut Vec<Step>, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        steps.push(Step { command: command.to_owned(), prints: Vec::new() });
        return;
    }
    // A display without a command is no dialogue.
    let Some(step) = steps.last_mut() else { return };
    match line.strip_prefix('>').filter(|_| step.prints.is_empty()) {
        Some(rest) => step.command.push_str(&format!("\n{}", rest.strip_prefix(' ').unwrap_or(rest))),
        None => step.prints.push(line.to_owned()),
    }
}

/// A line of roff as it is shown.
fn plain(line: &str) -> String {
    line.replace(r"\(dq", "\"").replace(r"\&", "").replace(r"\e", "\\")
}

impl Step {
    fn trim(&mut self) {
        while self.prints.last().is_some_and(String::is_empty) {
            self.prints.pop();
        }
    }

    fn check(&self, printed: &str) -> Result<()> {
        let printed: Vec<_> = printed.trim_end_matches('\n').split('\n').collect();
        let printed = if printed == [""] { &[] } else { &printed[..] };
        if lines_match(&self.prints, printed) {
            return Ok(());
        }
        Err(format!(
            "$ {}\nis said to print\n{}\nand prints\n{}",
            self.command,
            self.prints.join("\n"),
            printed.join("\n")
        ))
    }
}

fn lines_match(expected: &[String], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, others)| fits(first, line) && lines_match(rest, others))
        }
    }
}

/// Whether a line is as expected, with `[..]` for any text.
fn fits(expected: &str, line: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, &rest[at..]))
        }),
    }
}

/// Run all dialogues of `file`, with the hosts in `PATH`.
///
/// # Errors
/// The first command that prints something else.
pub fn run(file: &Path, identity: Identity, binaries: &Binaries) -> Result<()> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let steps = steps(file, &text);
    if steps.is_empty() {
        return Err(format!("{} holds no dialogue", file.display()));
    }
    let fixture = Fixture::empty(identity, binaries)?;
    let ran = job(&steps, &fixture, identity, binaries).run()?;
    let printed =
        fixture.anonymous(&String::from_utf8_lossy(&ran.stdout)).replace("{base}/work", "/home/you");
    let mut parts = printed.split(MARK).skip(1);
    for step in &steps {
        step.check(parts.next().ok_or_else(|| format!("$ {}\nwas not reached:\n{printed}", step.command))?)?;
    }
    Ok(())
}

/// Printed before each command.
const MARK: &str = "\u{1}\n";

fn job(steps: &[Step], fixture: &Fixture, identity: Identity, binaries: &Binaries) -> Job {
    let mut script = "exec 2>&1\nmark() { local status=$?; printf '\\1\\n'; return $status; }\n".to_owned();
    for step in steps {
        script.push_str(&format!("mark\n{}\n", step.command));
    }
    let directory = fixture.directory();
    let hosts = binaries.hlua.parent().unwrap_or(Path::new("/"));
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", hosts.display());
    let variables =
        [("PATH", path), ("HOME", directory.display().to_string()), ("LC_ALL", "C.UTF-8".to_owned())];
    Job {
        program: PathBuf::from("/bin/bash"),
        args: vec!["-c".into(), script.into()],
        environment: variables.map(|(name, value)| (OsString::from(name), OsString::from(value))).to_vec(),
        directory,
        identity: Some(identity),
        ..Job::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialogues_are_found() {
        let page = ".Bd -literal\nno dialogue\n$ a\n> b\n\\(dqx\n.Ed\n$ not inside\n";
        let expected = Step { command: "a\nb".to_owned(), prints: vec!["\"x".to_owned()] };
        assert_eq!(steps(Path::new("x.1"), page), [expected]);
        assert_eq!(steps(Path::new("x.md"), "```sh\n$ a\n```\n```console\n$ b\n```\n").len(), 1);
    }

    #[test]
    fn what_is_printed_must_fit() {
        let step = Step {
            command: String::new(),
            prints: vec!["a [..]c".to_owned(), "...".to_owned(), "z".to_owned()],
        };
        assert!(step.check("a bc\nz\n").is_ok());
        assert!(step.check("a bc\n1\n2\nz\n").is_ok());
        assert!(step.check("a bd\nz\n").is_err());
        assert!(step.check("a bc\n").is_err());
        assert!(Step::default().check("").is_ok());
        assert!(Step::default().check("x").is_err());
    }
}
