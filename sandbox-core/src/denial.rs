//! What the user is told when something is refused: one place for the words.

use std::path::{Path, PathBuf};

use crate::limits::{Budget, Limits};
use crate::policy::Policy;

/// The error of a builtin that a flag would bring back.
#[must_use]
pub fn refused(what: &str, flag: &str) -> String {
    format!("{what} is refused by the sandbox; {flag} would allow it")
}

/// The error of a builtin that no flag brings back.
#[must_use]
pub fn never(what: &str, why: &str) -> String {
    format!("{what} is refused by the sandbox: {why}")
}

/// Advice for errors that nobody caught.
#[derive(Debug, Clone)]
pub struct Hints {
    limits: Limits,
    directory: Option<PathBuf>,
}

impl Hints {
    /// Remembers what the advice will need.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Hints { limits: policy.limits, directory: std::env::current_dir().ok() }
    }

    /// One line of advice for the text of an error, without the word `hint:`; `path` is what was
    /// refused last, if that is known.
    #[must_use]
    pub fn for_message(&self, message: &[u8], path: Option<&Path>) -> Option<String> {
        let says = |text: &str| message.windows(text.len()).any(|window| window == text.as_bytes());
        if says("not enough memory") || says("Cannot allocate memory") {
            return Some(self.limit(Budget::Memory));
        }
        if says("File too large") {
            return Some(self.limit(Budget::FileSize));
        }
        if says("Too many open files") {
            return Some(self.limit(Budget::Files));
        }
        // The error may speak of another file, or be the script's own.
        let path = path.filter(|path| path.to_str().is_some_and(says))?;
        says("Permission denied").then(|| self.grant(path))
    }

    /// One line of advice for a library that was looked for and not found, while this directory was closed.
    #[must_use]
    pub fn for_closed_directory(&self, path: &Path) -> String {
        format!("--allow-read={} would let libraries be found there", self.shown(path))
    }

    fn limit(&self, budget: Budget) -> String {
        limit_reached(&self.limits, budget)
    }

    fn grant(&self, path: &Path) -> String {
        let path = self.shown(path);
        format!("--allow-read={path} or --allow-write={path} would allow it, as far as you may yourself")
    }

    fn shown(&self, path: &Path) -> String {
        let base = self.directory.as_deref().unwrap_or(Path::new(""));
        one_line(&base.join(path).to_string_lossy())
    }
}

/// Says that a virtual environment of another release is left out.
#[must_use]
pub fn other_release(name: &str, environment: &Path, theirs: &str, ours: &str) -> String {
    let environment = one_line(&environment.to_string_lossy());
    format!(
        "{name}: warning: {environment} is for release {}, not {ours}: it is left out\n",
        one_line(theirs)
    )
}

/// Keeps a text on its line: what a path or an argument holds is no part of our layout, and a
/// terminal is not to act on it.
#[must_use]
pub fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    text.chars().map(shown).collect()
}

/// What is said, in two lines, when a budget ends the run.
#[must_use]
pub(crate) fn ended(name: &str, limits: &Limits, budget: Budget) -> String {
    let what = match budget {
        Budget::Cpu => "used up its CPU time",
        _ => "ran out of time",
    };
    format!("{name}: the script {what}\nhint: {}\n", limit_reached(limits, budget))
}

/// The sentence for a budget that is used up.
#[must_use]
pub fn limit_reached(limits: &Limits, budget: Budget) -> String {
    let (key, amount) = (budget.key(), limits.show(budget));
    format!("the limit is --limit-{key}={amount}; a larger one, or --limit-{key}=none, would allow more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_limit_value_and_flag() {
        let hints = Hints { limits: Limits::default(), directory: Some("/home/u".into()) };
        let memory = hints.for_message(b"x.lua:1: not enough memory", None).unwrap();
        assert!(memory.contains("--limit-memory=1G"), "{memory}");
        let path = hints.for_message(b"d: Permission denied", Some(Path::new("d"))).unwrap();
        assert!(path.contains("--allow-read=/home/u/d"), "{path}");
        assert_eq!(hints.for_message(b"d: Permission denied", None), None);
        assert_eq!(hints.for_message(b"boom", Some(Path::new("d"))), None);
        assert_eq!(hints.for_message(b"e: Permission denied", Some(Path::new("/x"))), None);
    }
}
