//! Runs one row: inside, with the kernel alone, and the control.

use crate::Result;
use crate::binaries::Binaries;
use crate::expect::{self, Expect, signal_number};
use crate::fixture::Fixture;
use crate::identity::Identity;
use crate::job::{Event, Input, Job, Output, Ran};
use crate::row::{Body, Row};
use std::path::PathBuf;

/// How a body is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Inside,
    /// Inside, neutering off.
    Wall,
    /// With the flags that grant it.
    Granted,
    /// In the real interpreter, or the probe outside the sandbox.
    Bare,
}

/// Run one body of `row` in all its places. Each has fixtures of its own, so that none sees what another did.
pub fn run(row: &Row, body: &Body, identity: Identity, binaries: &Binaries) -> Result<()> {
    one(row, body, &row.expect, Place::Inside, identity, binaries)?;
    if let Some(wall) = &row.wall {
        one(row, body, wall, Place::Wall, identity, binaries)?;
    }
    if let Some(control) = &row.control {
        let place = match control.flags {
            Some(_) => Place::Granted,
            None => Place::Bare,
        };
        one(row, body, control, place, identity, binaries)?;
    }
    Ok(())
}

fn one(
    row: &Row,
    body: &Body,
    expect: &Expect,
    place: Place,
    identity: Identity,
    binaries: &Binaries,
) -> Result<()> {
    let fixture = Fixture::new(row, identity, binaries)?;
    let mut expect = expect.filled(&|text| fixture.fill(text));
    if row.denies && matches!(place, Place::Inside | Place::Wall) {
        expect.lacks.push(fixture.token().to_owned());
    }
    let words = command_line(row, body, &expect, place, identity, &fixture)?;
    let job = job(row, words, identity, binaries, &fixture)?;
    let ran = job.run().map_err(|e| format!("{place:?}: {e}"))?;
    let complaints = expect.complaints(&ran);
    if complaints.is_empty() {
        return Ok(());
    }
    Err(report(&job, place, &complaints, &ran))
}

fn report(job: &Job, place: Place, complaints: &[String], ran: &Ran) -> String {
    let args: Vec<_> = job.args.iter().map(|a| a.to_string_lossy()).collect();
    let mut text = format!("{place:?}: {} {args:?}\n", job.program.display());
    for complaint in complaints {
        text += &format!("  - {complaint}\n");
    }
    text += &format!("  it ended with {}\n", expect::end(ran));
    for (name, bytes) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let shown = String::from_utf8_lossy(bytes);
        let shown: String = shown.chars().take(1500).collect();
        text += &format!("  {name}: {shown:?}\n");
    }
    for line in &ran.inspected {
        text += &format!("  seen: {line}\n");
    }
    text
}

fn job(
    row: &Row,
    mut words: Vec<String>,
    identity: Identity,
    binaries: &Binaries,
    fixture: &Fixture,
) -> Result<Job> {
    if words.is_empty() {
        return Err("an empty command line".to_owned());
    }
    let program = binaries.named(&words.remove(0));
    Ok(Job {
        program,
        argv0: None,
        args: words.into_iter().map(Into::into).collect(),
        environment: environment(row, fixture),
        directory: fixture.directory(),
        input: input(row, fixture),
        output: output(row, 1, row.stdout_file.as_ref(), fixture),
        errors: output(row, 2, row.stderr_file.as_ref(), fixture),
        inherit: inherit(row, fixture)?,
        identity: Some(identity),
        event: event(row)?,
    })
}

fn command_line(
    row: &Row,
    body: &Body,
    expect: &Expect,
    place: Place,
    identity: Identity,
    fixture: &Fixture,
) -> Result<Vec<String>> {
    let fill = |words: &[String]| words.iter().map(|w| fixture.fill(w)).collect::<Vec<_>>();
    let mut flags = fill(&row.flags);
    match place {
        Place::Inside => {}
        Place::Wall => flags.push("--without=neutering".to_owned()),
        Place::Granted => flags = expect.flags.clone().unwrap_or_default(),
        Place::Bare => flags.clear(),
    }
    if identity == Identity::Root {
        without_process_limit(&mut flags);
    }
    let bare = place == Place::Bare;
    let mut words = match body {
        Body::Script(host, text) => {
            let script = fixture.path("{base}").join(host.script());
            fixture.write(&script, fixture.fill(text).as_bytes())?;
            let program = if bare { host.interpreter() } else { host.name() };
            [vec![program.to_owned()], flags, vec![script.display().to_string()]].concat()
        }
        Body::Probe(_, action) if bare => {
            ["probe", "--bare", &fixture.fill(action)].map(str::to_owned).into()
        }
        Body::Probe(host, action) => {
            let start = ["probe", "-H", host.name()].map(str::to_owned).to_vec();
            [start, flags, vec!["-e".to_owned(), fixture.fill(action)]].concat()
        }
        Body::Run(line) => {
            let mut words = fill(line);
            words.splice(1..1, flags);
            words
        }
    };
    words.extend(fill(&row.args));
    Ok(words)
}

/// The kernel exempts root from the limit on processes, so the sandbox wants to hear that root knows.
pub fn without_process_limit(flags: &mut Vec<String>) {
    let given = |name: &str| flags.iter().any(|f| f.starts_with(name));
    if given("--allow-run") && !given("--limit-processes") {
        flags.push("--limit-processes=none".to_owned());
    }
}

fn environment(row: &Row, fixture: &Fixture) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    let mut all = vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())];
    for (name, value) in &row.env {
        all.push((name.into(), fixture.fill(value).into()));
    }
    all
}

fn input(row: &Row, fixture: &Fixture) -> Input {
    let typed = row.stdin.as_deref().map(|s| fixture.fill(s).into_bytes());
    if row.closed.contains(&0) {
        return Input::Closed;
    }
    if row.tty {
        return Input::Terminal(typed.unwrap_or_default());
    }
    if let Some(file) = &row.stdin_file {
        return Input::File(fixture.path(file));
    }
    match typed {
        Some(bytes) => Input::Bytes(bytes),
        // Kept open until it has been looked at.
        None if row.inspect => Input::Bytes(Vec::new()),
        None => Input::Null,
    }
}

fn output(row: &Row, number: i32, file: Option<&String>, fixture: &Fixture) -> Output {
    if row.tty && row.stdin.is_some() && number == 1 {
        return Output::Terminal;
    }
    if row.closed.contains(&number) {
        return Output::Closed;
    }
    file.map_or(Output::Captured, |f| Output::File(fixture.path(f)))
}

fn inherit(row: &Row, fixture: &Fixture) -> Result<Vec<(i32, PathBuf)>> {
    let number = |n: &String| n.parse().map_err(|_| format!("no descriptor number: {n}"));
    row.inherit.iter().map(|(n, path)| Ok((number(n)?, fixture.path(path)))).collect()
}

fn event(row: &Row) -> Result<Option<Event>> {
    if row.inspect {
        return Ok(Some(Event::Inspect));
    }
    match &row.send {
        None => Ok(None),
        Some(name) => signal_number(name)
            .map(|number| Some(Event::Signal(number)))
            .ok_or_else(|| format!("unknown signal {name}")),
    }
}
