//! CPython's own tests under both interpreters: what each test came to, and the differences that are known with their
//! reasons. One that is not listed fails, and so does a listed one that does not occur.

use crate::Result;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `cpython.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The version of CPython whose tests these are.
    pub python: String,
    /// The modules.
    pub module: Vec<Module>,
}

/// One module of tests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its name in the package `test`.
    pub name: String,
    /// The sandbox's flags, beside a directory for temporary files.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Tests that come to something else inside the sandbox.
    #[serde(default)]
    pub differs: Vec<Difference>,
}

/// Some tests that come to the same inside the sandbox, and not to that outside.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Why.
    pub reason: String,
    /// What they come to: `error`, `fail`, `skip`, `ok`.
    pub inside: String,
    /// Their names, without the module's; one that ends in `*` stands for all that begin so.
    pub tests: Vec<String>,
}

/// What came of each test; a name can stand for several.
type Outcomes = BTreeMap<String, Vec<String>>;

/// What `outcomes.py` can say of a test.
const WORDS: [&str; 6] = ["ok", "fail", "error", "skip", "expected failure", "unexpected success"];

/// Less would mean that hardly anything was tried.
const LEAST: usize = 5;

/// Reads a table.
///
/// # Errors
/// What is wrong with it.
pub fn load(text: &str) -> Result<Table> {
    let table: Table = toml::from_str(text).map_err(|error| format!("cpython.toml: {error}"))?;
    let mut names = BTreeSet::new();
    for module in &table.module {
        if !names.insert(&module.name) {
            return Err(format!("cpython.toml: {} is listed twice", module.name));
        }
        if module.differs.iter().any(|difference| difference.reason.trim().is_empty()) {
            return Err(format!("cpython.toml: {}: a difference without a reason", module.name));
        }
    }
    Ok(table)
}

/// What `outcomes.py` wrote.
///
/// # Errors
/// If it was interrupted, or is not what it writes.
pub fn read(text: &str) -> Result<Outcomes> {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.pop() != Some("end") {
        let last = text.lines().next_back().unwrap_or("the start");
        return Err(format!("broke off after {last}"));
    }
    let mut outcomes = Outcomes::new();
    for line in lines {
        let known = WORDS.iter().find_map(|word| Some((*word, line.strip_prefix(word)?.strip_prefix(' ')?)));
        let (word, name) = known.ok_or_else(|| format!("not an outcome: {line}"))?;
        outcomes.entry(name.to_owned()).or_default().push(word.to_owned());
    }
    outcomes.values_mut().for_each(|several| several.sort());
    Ok(outcomes)
}

impl Module {
    /// What is wrong: nothing if the two interpreters differ as this module says, and only so.
    #[must_use]
    pub fn complaints(&self, theirs: &Outcomes, ours: &Outcomes) -> Vec<String> {
        let passed = theirs.values().flatten().filter(|word| *word == "ok").count();
        if passed < LEAST {
            return vec![format!("control: only {passed} tests pass under python3")];
        }
        let mut complaints = Vec::new();
        let mut unseen: BTreeSet<(&str, usize)> = BTreeSet::new();
        for (index, difference) in self.differs.iter().enumerate() {
            unseen.extend(difference.tests.iter().map(|test| (test.as_str(), index)));
        }
        for name in theirs.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            let (outside, inside) = (told(theirs, name), told(ours, name));
            let listed = self.listed(name);
            if let Some((pattern, index)) = listed {
                unseen.remove(&(pattern, index));
            }
            let meant = listed.map_or(outside.as_str(), |(_, index)| self.differs[index].inside.as_str());
            if inside != meant {
                complaints.push(format!("{name}: {inside}, not {meant}; {outside} under python3"));
            } else if listed.is_some() && inside == outside {
                complaints.push(format!("{name}: listed as a difference, but {outside} under both"));
            }
        }
        complaints
            .extend(unseen.iter().map(|(test, _)| format!("{test}: listed, but there is no such test")));
        complaints
    }

    /// The entry that a test belongs to, and whose it is.
    fn listed(&self, name: &str) -> Option<(&str, usize)> {
        self.differs.iter().enumerate().find_map(|(index, difference)| {
            let pattern = difference.tests.iter().find(|pattern| self.matches(pattern, name))?;
            Some((pattern.as_str(), index))
        })
    }

    fn matches(&self, pattern: &str, name: &str) -> bool {
        let prefix = format!("test.{}.", self.name);
        let short = name.strip_prefix(&prefix).unwrap_or(name);
        match pattern.strip_suffix('*') {
            Some(beginning) => short.starts_with(beginning),
            None => short == pattern,
        }
    }
}

fn told(outcomes: &Outcomes, name: &str) -> String {
    outcomes.get(name).map_or_else(|| "missing".to_owned(), |words| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(differs: &str) -> Module {
        let text = format!("python = '3.11'\n[[module]]\nname = 'test_x'\n{differs}");
        load(&text).expect("a table").module.remove(0)
    }

    /// Enough tests that pass, and one of interest.
    fn outcomes(last: &str) -> Outcomes {
        let passed: String = (0..LEAST).map(|n| format!("ok test.test_x.T.test_{n}\n")).collect();
        read(&format!("{passed}{last}end\n")).expect("outcomes")
    }

    const LISTED: &str = "differs = [{ reason = 'no', inside = 'error', tests = ['T.test_y'] }]";
    const WHOLE: &str = "differs = [{ reason = 'no', inside = 'error', tests = ['T.test_y*'] }]";

    #[test]
    fn equal_outcomes_are_no_complaint() {
        let same = outcomes("skip test.test_x.T.test_y\n");
        assert_eq!(module("").complaints(&same, &same), [""; 0]);
    }

    #[test]
    fn a_difference_must_be_listed() {
        let (ok, error) = (outcomes("ok test.test_x.T.test_y\n"), outcomes("error test.test_x.T.test_y\n"));
        assert_eq!(module("").complaints(&ok, &error).len(), 1);
        assert_eq!(module(LISTED).complaints(&ok, &error), [""; 0]);
        assert_eq!(module(WHOLE).complaints(&ok, &error), [""; 0]);
    }

    #[test]
    fn a_test_that_is_missing_differs() {
        let ok = outcomes("ok test.test_x.T.test_y\n");
        assert_eq!(module("").complaints(&ok, &outcomes("")).len(), 1);
        assert_eq!(module("").complaints(&outcomes(""), &ok).len(), 1);
    }

    #[test]
    fn a_listed_difference_must_occur() {
        let ok = outcomes("ok test.test_x.T.test_y\n");
        assert_eq!(module(LISTED).complaints(&ok, &ok).len(), 1);
        assert_eq!(module(LISTED).complaints(&outcomes(""), &outcomes("")).len(), 1);
        let error = outcomes("error test.test_x.T.test_y\n");
        assert_eq!(module(LISTED).complaints(&error, &error).len(), 1);
    }

    #[test]
    fn another_outcome_than_the_listed_one_is_a_complaint() {
        let (ok, fail) = (outcomes("ok test.test_x.T.test_y\n"), outcomes("fail test.test_x.T.test_y\n"));
        assert_eq!(module(LISTED).complaints(&ok, &fail).len(), 1);
    }

    #[test]
    fn what_breaks_off_is_no_result() {
        assert!(read("ok test.test_x.T.test_y\n").is_err());
        assert!(read("perhaps test.test_x.T.test_y\nend\n").is_err());
        let nothing = read("end\n").expect("an empty run");
        assert_eq!(module("").complaints(&nothing, &nothing).len(), 1);
    }

    #[test]
    fn a_difference_needs_a_reason() {
        let differs = "differs = [{ reason = ' ', inside = 'error', tests = ['T.test_y'] }]";
        assert!(load(&format!("python = '3.11'\n[[module]]\nname = 'test_x'\n{differs}")).is_err());
    }
}
