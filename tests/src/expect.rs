//! What must be seen of a run, and whether it was.

use crate::job::Ran;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How the kernel or a filter says no. `SIGSYS` stands for dying of it.
pub const REFUSALS: &[&str] = &["EPERM", "EACCES", "ENOSYS", "SIGSYS"];

/// The words that stand for a file that must not exist after a run.
pub const ABSENT: &str = "<absent>";

/// What must be seen of a run. Everything that is given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The exit status; 0 unless given, where the row runs a script.
    pub status: Option<i32>,
    /// The signal that it dies of, by name.
    pub signal: Option<String>,
    /// What the probe's action comes to: `ok`, an errno by name, or a signal by name. Any of these.
    pub outcome: Vec<String>,
    /// Standard output contains each of these.
    pub stdout: Vec<String>,
    /// Standard output is this.
    pub stdout_is: Option<String>,
    /// Standard error contains each of these.
    pub stderr: Vec<String>,
    /// Standard error is this.
    pub stderr_is: Option<String>,
    /// Neither output contains any of these.
    pub lacks: Vec<String>,
    /// Each of these was seen from outside, as a whole line.
    pub inspected: Vec<String>,
    /// None of these was.
    pub not_inspected: Vec<String>,
    /// What these files hold afterwards; `<absent>` if they must not exist.
    pub after: BTreeMap<String, String>,
    /// Flags for this run instead of the row's; only a control has them.
    pub flags: Option<Vec<String>>,
}

impl Expect {
    /// Replace every placeholder.
    pub fn filled(&self, fill: &dyn Fn(&str) -> String) -> Expect {
        let all = |list: &[String]| list.iter().map(|s| fill(s)).collect::<Vec<_>>();
        Expect {
            stdout: all(&self.stdout),
            stdout_is: self.stdout_is.as_deref().map(fill),
            stderr: all(&self.stderr),
            stderr_is: self.stderr_is.as_deref().map(fill),
            lacks: all(&self.lacks),
            inspected: all(&self.inspected),
            not_inspected: all(&self.not_inspected),
            after: (self.after.iter()).map(|(k, v)| (fill(k), fill(v))).collect(),
            flags: self.flags.as_deref().map(all),
            ..self.clone()
        }
    }

    /// Everything about `ran` that is not as it should be.
    pub fn complaints(&self, ran: &Ran) -> Vec<String> {
        let mut found = Vec::new();
        self.check_end(ran, &mut found);
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let stderr = String::from_utf8_lossy(&ran.stderr);
        contains("stdout", &stdout, &self.stdout, &mut found);
        contains("stderr", &stderr, &self.stderr, &mut found);
        equals("stdout", &stdout, self.stdout_is.as_deref(), &mut found);
        equals("stderr", &stderr, self.stderr_is.as_deref(), &mut found);
        for word in &self.lacks {
            if stdout.contains(word.as_str()) || stderr.contains(word.as_str()) {
                found.push(format!("the output contains {word:?}"));
            }
        }
        self.check_inspected(ran, &mut found);
        self.check_files(&mut found);
        found
    }

    fn check_end(&self, ran: &Ran, found: &mut Vec<String>) {
        if !self.outcome.is_empty() {
            let outcome = outcome(ran);
            if !self.outcome.contains(&outcome) {
                found.push(format!("outcome {outcome}, not {}", self.outcome.join(" or ")));
            }
            return;
        }
        let wanted = match (&self.signal, self.status) {
            (Some(signal), _) => format!("died of {signal}"),
            (None, status) => format!("status {}", status.unwrap_or(0)),
        };
        let was = end(ran);
        if was != wanted {
            found.push(format!("{was}, not {wanted}"));
        }
    }

    fn check_inspected(&self, ran: &Ran, found: &mut Vec<String>) {
        let seen = |line: &String| ran.inspected.contains(line);
        for line in self.inspected.iter().filter(|l| !seen(l)) {
            found.push(format!("not seen from outside: {line:?}"));
        }
        for line in self.not_inspected.iter().filter(|l| seen(l)) {
            found.push(format!("seen from outside: {line:?}"));
        }
    }

    fn check_files(&self, found: &mut Vec<String>) {
        for (path, wanted) in &self.after {
            let holds = match std::fs::read(path) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(_) if std::fs::symlink_metadata(path).is_ok() => "<unreadable>".to_owned(),
                Err(_) => ABSENT.to_owned(),
            };
            if holds != *wanted {
                found.push(format!("afterwards {path} holds {holds:?}, not {wanted:?}"));
            }
        }
    }
}

/// How it ended, in words.
pub fn end(ran: &Ran) -> String {
    match (ran.signal, ran.status) {
        (Some(signal), _) => format!("died of {}", signal_name(signal)),
        (None, Some(status)) => format!("status {status}"),
        (None, None) => "no end".to_owned(),
    }
}

/// What the probe's action came to: the signal it died of, else the last line that it printed.
pub fn outcome(ran: &Ran) -> String {
    if let Some(signal) = ran.signal {
        return signal_name(signal);
    }
    let stdout = String::from_utf8_lossy(&ran.stdout);
    match stdout.lines().next_back() {
        Some(line) if ran.status == Some(0) => line.trim().to_owned(),
        _ => end(ran),
    }
}

fn contains(name: &str, text: &str, words: &[String], found: &mut Vec<String>) {
    for word in words.iter().filter(|w| !text.contains(w.as_str())) {
        found.push(format!("{name} lacks {word:?}"));
    }
}

fn equals(name: &str, text: &str, wanted: Option<&str>, found: &mut Vec<String>) {
    match wanted {
        Some(wanted) if wanted != text => found.push(format!("{name} is not {wanted:?}")),
        _ => {}
    }
}

const SIGNALS: &[(&str, i32)] = &[
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGILL", libc::SIGILL),
    ("SIGTRAP", libc::SIGTRAP),
    ("SIGABRT", libc::SIGABRT),
    ("SIGBUS", libc::SIGBUS),
    ("SIGFPE", libc::SIGFPE),
    ("SIGKILL", libc::SIGKILL),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGPIPE", libc::SIGPIPE),
    ("SIGALRM", libc::SIGALRM),
    ("SIGTTIN", libc::SIGTTIN),
    ("SIGTTOU", libc::SIGTTOU),
    ("SIGTERM", libc::SIGTERM),
    ("SIGSYS", libc::SIGSYS),
    ("SIGXCPU", libc::SIGXCPU),
    ("SIGXFSZ", libc::SIGXFSZ),
];

/// A signal's name.
pub fn signal_name(number: i32) -> String {
    let known = SIGNALS.iter().find(|(_, n)| *n == number);
    known.map_or_else(|| format!("signal {number}"), |(name, _)| (*name).to_owned())
}

/// A signal's number.
pub fn signal_number(name: &str) -> Option<i32> {
    let known = SIGNALS.iter().find(|(n, _)| *n == name);
    known.map(|(_, number)| *number)
}
