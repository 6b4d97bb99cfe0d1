//! Rows become trials; what this machine lacks is said, never silent.

use crate::Result;
use crate::binaries::Binaries;
use crate::host::Host;
use crate::identity::Identity;
use crate::machine::Machine;
use crate::row::{self, Body, Row};
use crate::runner;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::RwLock;

/// Set to `all`, or to a comma list of what this machine must have: then a skip for lack of it is a failure.
const EXPECTED: &str = "SANDBOX_TEST_EXPECT";

/// What a case needs that only root can run.
const ROOT: &str = "root";

/// Where the tables are.
pub fn tables() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Run what `trials` gives, or say why there is nothing to run.
pub fn main(trials: impl FnOnce(&'static Binaries) -> Result<Vec<Trial>>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of a run is waiting for processes.
    arguments.test_threads.get_or_insert(threads());
    let ended = Binaries::find().and_then(|found| {
        let binaries: &'static Binaries = shared(found);
        let code = trials(binaries).map(|t| libtest_mimic::run(&arguments, t).exit_code());
        binaries.remove();
        code
    });
    ended.unwrap_or_else(|error| {
        eprintln!("casebook: {error}");
        ExitCode::FAILURE
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(4, |n| n.get() * 2)
}

/// Keep a value until the process ends: every trial refers to it.
pub fn shared<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The trials of all tables in one directory beneath [`tables`].
pub fn of_topic(topic: &str, binaries: &'static Binaries) -> Result<Vec<Trial>> {
    let machine = shared(Machine::new(binaries));
    let mut trials = Vec::new();
    for file in table_files(&tables().join(topic))? {
        trials.extend(of_table(&file, binaries, machine)?);
    }
    Ok(trials)
}

/// The trials of one table.
pub fn of_table(
    file: &Path,
    binaries: &'static Binaries,
    machine: &'static Machine<'static>,
) -> Result<Vec<Trial>> {
    let topic = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let mut trials = Vec::new();
    for row in row::load(file)? {
        trials.extend(of_row(&topic, row, binaries, machine));
    }
    Ok(trials)
}

fn of_row(
    topic: &str,
    row: Row,
    binaries: &'static Binaries,
    machine: &'static Machine<'static>,
) -> Vec<Trial> {
    let runners = match row.only {
        None => Identity::available().to_vec(),
        Some(identity) => vec![identity],
    };
    let mut trials = Vec::new();
    for body in row.bodies() {
        for identity in &runners {
            let (row, body, identity) = (row.clone(), body.clone(), *identity);
            trials.push(Trial::ignorable_test(name(topic, &row, &body, identity), move || {
                if let Some((need, reason)) = lacking(&row, &body, identity, binaries, machine) {
                    return skip(&need, &reason);
                }
                beside_others(row.alone, || runner::run(&row, &body, identity, binaries))?;
                Ok(Completion::Completed)
            }));
        }
    }
    trials
}

fn name(topic: &str, row: &Row, body: &Body, identity: Identity) -> String {
    let host = body.host().map_or_else(String::new, |host| format!("{} ", host.name()));
    format!("{topic}/{} {host}{}", row.name, identity.suffix())
}

/// The kernel counts the tasks of an account, not of a sandbox: who fills that up must be alone.
fn beside_others(alone: bool, run: impl FnOnce() -> Result<()>) -> Result<()> {
    static RUNNING: RwLock<()> = RwLock::new(());
    let poisoned = "another case broke down";
    if alone {
        let _guard = RUNNING.write().map_err(|_| poisoned)?;
        return run();
    }
    let _guard = RUNNING.read().map_err(|_| poisoned)?;
    run()
}

fn lacking(
    row: &Row,
    body: &Body,
    identity: Identity,
    binaries: &Binaries,
    machine: &Machine,
) -> Option<(String, String)> {
    if body.runs_python() {
        if let Some((need, reason)) = binaries.lack(Host::Hpython) {
            return Some((need.to_owned(), reason));
        }
    }
    if !Identity::available().contains(&identity) {
        return Some((ROOT.to_owned(), "run by an ordinary user".to_owned()));
    }
    let lack = |need: &String| Some((need.clone(), machine.lacks(need, identity)?));
    row.needs.iter().find_map(lack)
}

/// A skip with its reason, or a failure if this machine was said to have what is missing.
///
/// # Errors
/// The reason.
pub fn skip(need: &str, reason: &str) -> std::result::Result<Completion, Failed> {
    let expected = env::var(EXPECTED).unwrap_or_default();
    // Being root is no property of the machine: `all` does not ask it of an ordinary user, `root` does.
    if (expected == "all" && need != ROOT) || expected.split(',').any(|e| e.trim() == need) {
        return Err(format!("{EXPECTED} says that this machine has {need}, but {reason}").into());
    }
    Ok(Completion::ignored_with(format!("needs {need}: {reason}")))
}

/// Every `.toml` beneath `directory` itself, in order.
pub fn table_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let shown = directory.display();
    let entries = std::fs::read_dir(directory).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    Ok(files)
}
