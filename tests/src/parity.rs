//! Drop-in means: the same command line gives the same output and status under the real interpreter and under its host.

use crate::Result;
use crate::binaries::Binaries;
use crate::expect::{self, signal_number};
use crate::fixture::Fixture;
use crate::host::Host;
use crate::identity::Identity;
use crate::job::{Event, Input, Job, Output};
use crate::runner::without_process_limit;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default, rename = "about")]
    _about: String,
    /// Who runs the table's command lines.
    #[serde(default)]
    host: Host,
    case: Vec<Row>,
}

/// One command line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The table's.
    #[serde(skip)]
    pub host: Host,
    /// Unique within its table.
    pub name: String,
    #[serde(default, rename = "about")]
    _about: String,
    /// The arguments. `\xNN` stands for a byte.
    #[serde(default)]
    args: Vec<String>,
    /// Or: a line for the shell, in which `hlua` or `python3` is the interpreter.
    sh: Option<String>,
    /// A script, written to `{dir}/script.lua` or `script.py` and run with `args` after it.
    script: Option<String>,
    /// Arguments before the script.
    #[serde(default)]
    options: Vec<String>,
    /// The sandbox's flags: given to the host only.
    #[serde(default)]
    flags: Vec<String>,
    stdin: Option<String>,
    /// How many times `stdin` is given.
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    stdout_file: Option<String>,
    #[serde(default)]
    closed: Vec<i32>,
    /// Once it has said `ready`: send this signal.
    send: Option<String>,
    /// What is meant to differ, and why.
    differs: Option<Differs>,
}

fn once() -> usize {
    1
}

/// A difference that is meant. What is not given must be equal all the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differs {
    /// For the reader of the table.
    reason: String,
    /// The host's standard output contains this.
    stdout: Option<String>,
    /// The host's standard error contains this.
    stderr: Option<String>,
    /// The host ends with this status.
    status: Option<i32>,
}

/// Read a table of command lines.
pub fn load(path: &Path) -> Result<Vec<Row>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let mut table: Table = toml::from_str(&text).map_err(|e| format!("{shown}: {e}"))?;
    let mut names = Vec::new();
    for row in &mut table.case {
        row.host = table.host;
        if row.differs.as_ref().is_some_and(|d| d.reason.is_empty()) {
            return Err(format!("{shown}: {}: a difference without a reason", row.name));
        }
        if names.contains(&row.name) {
            return Err(format!("{shown}: two rows are called {}", row.name));
        }
        names.push(row.name.clone());
    }
    Ok(table.case)
}

/// What is compared.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    end: String,
    stdout: String,
    stderr: String,
}

/// The name that both are called by, so that nothing needs to be rewritten in their messages.
fn called(row: &Row, binaries: &Binaries) -> OsString {
    match row.host {
        Host::Hlua => Host::Hlua.name().into(),
        // Python finds its library by its own name.
        Host::Hpython => binaries.interpreter(row.host).into(),
        Host::Hsh | Host::Hnode => row.host.interpreter().into(),
    }
}

/// Run `row` under both.
pub fn run(row: &Row, identity: Identity, binaries: &Binaries) -> Result<()> {
    let real = seen(row, identity, binaries, binaries.interpreter(row.host), &[])?;
    let mut flags = row.flags.clone();
    if identity == Identity::Root {
        without_process_limit(&mut flags);
    }
    let ours = seen(row, identity, binaries, binaries.host(row.host), &flags)?;
    let mut complaints = Vec::new();
    let meant = row.differs.as_ref();
    compare(
        "the end",
        &real.end,
        &ours.end,
        meant.and_then(|d| d.status.map(|s| format!("status {s}"))),
        &mut complaints,
    );
    compare("stdout", &real.stdout, &ours.stdout, meant.and_then(|d| d.stdout.clone()), &mut complaints);
    compare("stderr", &real.stderr, &ours.stderr, meant.and_then(|d| d.stderr.clone()), &mut complaints);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(complaints.join("\n"))
}

fn compare(what: &str, real: &str, ours: &str, meant: Option<String>, complaints: &mut Vec<String>) {
    match meant {
        Some(part) if !ours.contains(&part) => {
            complaints.push(format!("{what} lacks {part:?}: {:?}", short(ours)));
        }
        Some(_) if real == ours => {
            complaints.push(format!("{what} is meant to differ, but is equal: {:?}", short(ours)));
        }
        None if real != ours => {
            complaints.push(format!("{what} differs:\n  real: {:?}\n  ours: {:?}", short(real), short(ours)))
        }
        _ => {}
    }
}

fn short(text: &str) -> String {
    text.chars().take(2000).collect()
}

fn seen(
    row: &Row,
    identity: Identity,
    binaries: &Binaries,
    program: &Path,
    flags: &[String],
) -> Result<Seen> {
    let fixture = Fixture::empty(identity, binaries)?;
    for (name, text) in &row.files {
        fixture.write(&fixture.path(name), &bytes(&fixture.fill(text)))?;
    }
    let mut job = job(row, identity, program, flags, &fixture)?;
    match &row.sh {
        Some(line) => in_shell(&mut job, line, row, &fixture)?,
        None => job.argv0 = Some(called(row, binaries)),
    }
    let ran = job.run()?;
    Ok(Seen {
        end: expect::end(&ran),
        stdout: normal(&ran.stdout, &fixture),
        stderr: normal(&ran.stderr, &fixture),
    })
}

fn job(row: &Row, identity: Identity, program: &Path, flags: &[String], fixture: &Fixture) -> Result<Job> {
    let mut args: Vec<OsString> = flags.iter().map(|f| fixture.fill(f).into()).collect();
    args.extend((row.options.iter()).map(|a| OsString::from_vec(bytes(&fixture.fill(a)))));
    if let Some(script) = &row.script {
        let path = fixture.path(row.host.script());
        fixture.write(&path, &bytes(&fixture.fill(script)))?;
        args.push(path.into());
    }
    args.extend((row.args.iter()).map(|a| OsString::from_vec(bytes(&fixture.fill(a)))));
    let mut job = Job {
        program: program.to_owned(),
        args,
        environment: environment(row, "/usr/local/bin:/usr/bin:/bin".into(), fixture),
        directory: fixture.directory(),
        input: input(row, fixture),
        output: output(row),
        identity: Some(identity),
        event: event(row)?,
        ..Job::default()
    };
    if row.closed.contains(&2) {
        job.errors = Output::Closed;
    }
    Ok(job)
}

/// The shell finds whichever interpreter it is under the one name.
fn in_shell(job: &mut Job, line: &str, row: &Row, fixture: &Fixture) -> Result<()> {
    let directory = fixture.path("{base}/bin");
    fs::create_dir(&directory).map_err(|e| format!("cannot make {}: {e}", directory.display()))?;
    let name = match row.host {
        Host::Hlua => "hlua",
        Host::Hpython | Host::Hsh | Host::Hnode => row.host.interpreter(),
    };
    let link = directory.join(name);
    symlink(&job.program, &link).map_err(|e| format!("cannot link {}: {e}", link.display()))?;
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", directory.display());
    job.environment = environment(row, path.into(), fixture);
    job.program = PathBuf::from("/bin/sh");
    let mut args = vec!["-c".into(), fixture.fill(line).into(), "sh".into()];
    args.append(&mut job.args);
    job.args = args;
    Ok(())
}

fn environment(row: &Row, path: OsString, fixture: &Fixture) -> Vec<(OsString, OsString)> {
    let mut all = vec![("PATH".into(), path)];
    all.extend((row.env.iter()).map(|(n, v)| (n.into(), fixture.fill(v).into())));
    all
}

fn input(row: &Row, fixture: &Fixture) -> Input {
    match &row.stdin {
        _ if row.closed.contains(&0) => Input::Closed,
        None => Input::Null,
        Some(text) => Input::Bytes(bytes(&fixture.fill(text)).repeat(row.times)),
    }
}

fn output(row: &Row) -> Output {
    match &row.stdout_file {
        _ if row.closed.contains(&1) => Output::Closed,
        None => Output::Captured,
        Some(path) => Output::File(path.into()),
    }
}

fn event(row: &Row) -> Result<Option<Event>> {
    match &row.send {
        None => Ok(None),
        Some(name) => signal_number(name)
            .map(|n| Some(Event::Signal(n)))
            .ok_or_else(|| format!("unknown signal {name}")),
    }
}

/// `\xNN` becomes that byte: TOML has no bytes.
fn bytes(text: &str) -> Vec<u8> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        all.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                all.push(byte);
                rest = &after[2..];
            }
            None => {
                all.extend_from_slice(b"\\x");
                rest = after;
            }
        }
    }
    all.extend_from_slice(rest.as_bytes());
    all
}

/// Addresses, this fixture's place and the last digit of the version may differ.
fn normal(output: &[u8], fixture: &Fixture) -> String {
    let text: String = String::from_utf8(output.to_vec())
        .unwrap_or_else(|_| output.iter().map(|b| char::from(*b)).collect());
    let text = fixture.anonymous(&text);
    without_version(&without_addresses(&text))
}

fn without_addresses(text: &str) -> String {
    let mut parts = text.split("0x");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        // Short numbers are numbers.
        if part.len() - rest.len() >= 6 {
            all += "0xADDRESS";
            all += rest;
        } else {
            all += "0x";
            all += part;
        }
    }
    all
}

fn without_version(text: &str) -> String {
    let mut all = String::new();
    for line in text.split_inclusive('\n') {
        match (line.find("Lua 5.4."), line.find("Lua.org, PUC-Rio")) {
            (Some(start), Some(end)) if start < end => {
                all += &line[..start];
                all += "Lua 5.4.N  Copyright (C) 1994-YEAR ";
                all += &line[end..];
            }
            _ => all += line,
        }
    }
    all
}
