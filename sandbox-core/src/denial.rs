//! What the user is told when something is refused: one place for the words.

use std::path::{Path, PathBuf};

use rlimit::Resource;

use crate::bounds::{Bound, Bounds, Setter};
use crate::limits::{Budget, Limits};
use crate::policy::Policy;
use crate::profile::{Lift, Neutered};
use crate::sandbox::Confined;
use crate::units::Limit;

/// The error of a library that is loaded where only files that may be executed are to be run.
pub const UNCHECKED: &str =
    "refused: securebits ask that only files that may be executed are run, and this cannot be checked";

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

/// The error of a socket that no grant could cover.
#[must_use]
pub fn socket() -> String {
    never("this kind of socket", "only TCP can be allowed, by --allow-net=PORT")
}

/// The error of native code beneath a directory that the script may write; without one, of code in a file without a name.
#[must_use]
pub fn native_code(root: Option<&Path>) -> String {
    let why = match root {
        Some(root) => {
            let root = one_line(&root.to_string_lossy());
            format!("it lies beneath --allow-write={root}, where the script may have put it")
        }
        None => "it lies nowhere that could be looked at".to_owned(),
    };
    never("native code", &why)
}

/// The last line of a run that an error ended which nobody caught.
#[must_use]
pub fn hint(advice: &str) -> String {
    format!("hint: {advice}\n")
}

/// The error of what a host has neutered.
#[must_use]
pub fn neutered(neutered: &Neutered) -> String {
    match (neutered.lift, neutered.lift.flag()) {
        (Lift::Nothing(why), _) => never(neutered.what, why),
        (_, flag) => refused(neutered.what, &flag.unwrap_or_default()),
    }
}

/// Advice for errors that nobody caught.
#[derive(Debug, Clone)]
pub struct Hints {
    bounds: Bounds,
    memory: Option<Bound>,
    directory: Option<PathBuf>,
    /// Whether the working directory is outside the grants.
    closed: bool,
    /// Whether the script may start programs.
    programs: bool,
}

impl Hints {
    /// Remembers what the advice will need.
    #[must_use]
    pub fn of(policy: &Policy, confined: &Confined) -> Self {
        let (bounds, memory) = (confined.bounds.clone(), confined.memory.bound);
        let directory = std::env::current_dir().ok();
        let closed = !directory.as_deref().is_some_and(|directory| policy.reads(directory));
        Hints { bounds, memory, directory, closed, programs: policy.runs_programs() }
    }

    /// Advice for a module that was looked for in the working directory and not found. Whether it is
    /// there is not told: the advice depends on the grants alone.
    #[must_use]
    pub fn for_missing_module(&self) -> Option<String> {
        self.closed.then(|| "modules beside the script need --allow-read=DIR".into())
    }

    /// One line of advice for the text of an error, without the word `hint:`; `path` is what was
    /// refused last, if that is known.
    #[must_use]
    pub fn for_message(&self, message: &[u8], path: Option<&Path>) -> Option<String> {
        let says = |text: &str| message.windows(text.len()).any(|window| window == text.as_bytes());
        if says("not enough memory") {
            return self.memory();
        }
        if says("Cannot allocate memory") {
            // The C library's popen says so whatever kept it from starting a process.
            let processes = self.limit(Resource::NPROC).filter(|_| self.programs);
            let hints: Vec<_> = processes.into_iter().chain(self.memory()).collect();
            return (!hints.is_empty()).then(|| hints.join("; or "));
        }
        if self.programs && says("Resource temporarily unavailable") {
            return self.limit(Resource::NPROC);
        }
        if says("File too large") {
            return self.limit(Resource::FSIZE);
        }
        if says("Too many open files") {
            return self.limit(Resource::NOFILE);
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

    fn memory(&self) -> Option<String> {
        let limits = self.bounds.limits();
        match &self.memory {
            Some(bound) => Some(bound_reached(limits, bound)),
            None if limits.get(Budget::Memory) == Limit::None => None,
            None => Some(limit_reached(limits, Budget::Memory)),
        }
    }

    fn limit(&self, resource: Resource) -> Option<String> {
        let bound = self.bounds.get(resource)?;
        bound.is_finite().then(|| bound_reached(self.bounds.limits(), bound))
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
    let acts = |c: char| c.is_control() || turns(c);
    let shown = |c: char| if acts(c) { c.escape_default().collect() } else { String::from(c) };
    text.chars().map(shown).collect()
}

/// Whether a character changes the direction of others, and so their order on a terminal (Unicode, annex 9).
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is said, in two lines, when a budget of the whole run ends it.
#[must_use]
pub(crate) fn ended(name: &str, limits: &Limits, budget: Budget) -> String {
    let what = match budget {
        Budget::Cpu => CPU_ENDED,
        Budget::Memory => "and its programs used up their memory",
        Budget::Processes => "and its programs became too many processes",
        _ => "ran out of time",
    };
    format!("{name}: the script {what}\nhint: {}\n", limit_reached(limits, budget))
}

/// What is said, in two lines, when the CPU limit of a process ends it.
#[must_use]
pub(crate) fn cpu_ended(name: &str, bounds: &Bounds) -> String {
    let hint = bounds.get(Resource::CPU).map(|bound| bound_reached(bounds.limits(), bound));
    format!("{name}: the script {CPU_ENDED}\nhint: {}\n", hint.unwrap_or_default())
}

const CPU_ENDED: &str = "used up its CPU time";

/// The sentence for a budget that is used up.
fn limit_reached(limits: &Limits, budget: Budget) -> String {
    let (key, amount) = (budget.key(), limits.show(budget));
    format!("the limit is --limit-{key}={amount}; a larger one, or --limit-{key}=none, would allow more")
}

/// The sentence for a resource limit that is used up.
fn bound_reached(limits: &Limits, bound: &Bound) -> String {
    let limit = limit_of(bound);
    match bound.setter {
        Setter::Budget(budget) => limit_reached(limits, budget),
        Setter::Rlimit => format!("the limit is {limit}; a larger one would allow more"),
        Setter::Sandbox => format!("the limit is {limit}"),
        Setter::Caller => format!("the limit is {limit}; only the caller can give more"),
    }
}

/// A resource limit and whose it is.
pub(crate) fn limit_of(bound: &Bound) -> String {
    let (name, amount) = (bound.resource.as_name(), bound.amount);
    let short = || name.trim_start_matches("RLIMIT_").to_ascii_lowercase();
    match bound.setter {
        Setter::Rlimit => format!("--rlimit={}={amount}", short()),
        Setter::Caller => format!("{name}={amount}, inherited from the caller,"),
        Setter::Budget(_) | Setter::Sandbox => format!("{name}={amount}, the sandbox's own,"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_on_its_line_and_in_its_order() {
        assert_eq!(one_line("a\n\u{1b}[2K\u{202e}b\u{e4}"), "a\\n\\u{1b}[2K\\u{202e}b\u{e4}");
    }

    #[test]
    fn hints_name_limit_value_and_flag() {
        let hints = Hints {
            bounds: Bounds::new(Limits::default(), Vec::new()),
            memory: None,
            directory: Some("/home/u".into()),
            closed: true,
            programs: false,
        };
        let memory = hints.for_message(b"x.lua:1: not enough memory", None).unwrap();
        assert!(memory.contains("--limit-memory=1G"), "{memory}");
        let path = hints.for_message(b"d: Permission denied", Some(Path::new("d"))).unwrap();
        assert!(path.contains("--allow-read=/home/u/d"), "{path}");
        assert_eq!(hints.for_message(b"d: Permission denied", None), None);
        assert_eq!(hints.for_message(b"boom", Some(Path::new("d"))), None);
        assert_eq!(hints.for_message(b"e: Permission denied", Some(Path::new("/x"))), None);
    }
}
