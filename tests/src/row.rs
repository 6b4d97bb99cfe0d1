//! The rows of the tables, as they are written down.

use crate::Result;
use crate::expect::{Expect, REFUSALS, signal_number};
use crate::fixture;
use crate::host::Host;
use crate::identity::Identity;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// What the table is about.
    #[serde(default, rename = "about")]
    _about: String,
    case: Vec<Row>,
}

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Unique within its table.
    pub name: String,
    /// Why the case exists, where the name does not say it.
    #[serde(default, rename = "about")]
    _about: String,
    /// The script that hlua runs.
    pub lua: Option<String>,
    /// The same for hpython: a row may have one for each host, and then both must come to the same.
    pub python: Option<String>,
    /// The same for hsh.
    pub shell: Option<String>,
    /// The same for hnode.
    pub javascript: Option<String>,
    /// Or: the action that the probe performs, in the sandbox of each host.
    pub probe: Option<String>,
    /// The hosts whose sandbox the probe enters, if not all: what one of them opens is no denial there.
    #[serde(default)]
    pub hosts: Vec<Host>,
    /// The hosts that open by default what the probe tries: there it is no denial.
    #[serde(default)]
    pub opened_by: Vec<Host>,
    /// Or: a whole command line; `hlua`, `hpython`, `hsh`, `hnode`, `probe`, `lua5.4`, `python3`, `bash` and `node`
    /// stand for the programs.
    pub run: Option<Vec<String>>,
    /// The sandbox's flags.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The script's arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Standard input; empty unless given.
    pub stdin: Option<String>,
    /// Standard input is a terminal, the controlling one, on which `stdin` is typed.
    #[serde(default)]
    pub tty: bool,
    /// Standard input is this file.
    pub stdin_file: Option<String>,
    /// Standard output goes to this file or device.
    pub stdout_file: Option<String>,
    /// Standard error goes to this file or device.
    pub stderr_file: Option<String>,
    /// These standard descriptors are closed.
    #[serde(default)]
    pub closed: Vec<i32>,
    /// Files found open, by descriptor number (use high numbers).
    #[serde(default)]
    pub inherit: BTreeMap<String, String>,
    /// Fixture files, and what they hold.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Fixture directories.
    #[serde(default)]
    pub dirs: Vec<String>,
    /// Fixture symbolic links, and where they lead.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Permission bits of fixtures, in octal.
    #[serde(default)]
    pub modes: BTreeMap<String, String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Once it has said `ready`: look at it from outside.
    #[serde(default)]
    pub inspect: bool,
    /// Once it has said `ready`: send this signal.
    pub send: Option<String>,
    /// What the machine must have for the case to mean anything.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Who runs it, if not everybody.
    #[serde(rename = "as")]
    pub only: Option<Identity>,
    /// Nothing else runs beside it: it counts what the whole account does.
    #[serde(default)]
    pub alone: bool,
    /// Does the row show a denial? Then it has a control, and the secret must stay one.
    #[serde(default = "yes")]
    pub denies: bool,
    /// What must be seen inside.
    #[serde(default)]
    pub expect: Expect,
    /// What must be seen with the neutering switched off, when the kernel stands alone.
    pub wall: Option<Expect>,
    /// The same, granted by its flags, or else in the bare interpreter or outside the sandbox.
    pub control: Option<Expect>,
}

fn yes() -> bool {
    true
}

/// What is run.
#[derive(Clone, Debug)]
pub enum Body {
    /// A script, by this host.
    Script(Host, String),
    /// An action of the probe, in this host's sandbox.
    Probe(Host, String),
    /// A command line.
    Run(Vec<String>),
}

impl Body {
    /// The host, where the row itself does not name one.
    pub fn host(&self) -> Option<Host> {
        match self {
            Body::Script(host, _) | Body::Probe(host, _) => Some(*host),
            Body::Run(_) => None,
        }
    }

    /// Whether Python must be there; the probe enters hpython's sandbox without.
    pub fn runs_python(&self) -> bool {
        match self {
            Body::Script(host, _) => *host == Host::Hpython,
            Body::Probe(..) => false,
            Body::Run(words) => words.iter().any(|word| word.contains("python")),
        }
    }
}

impl Row {
    /// Each is run by itself, and the row holds for all of them.
    pub fn bodies(&self) -> Vec<Body> {
        let script = |host, text: &Option<String>| text.clone().map(|text| Body::Script(host, text));
        let scripts = [
            script(Host::Hlua, &self.lua),
            script(Host::Hpython, &self.python),
            script(Host::Hsh, &self.shell),
            script(Host::Hnode, &self.javascript),
        ];
        let hosts = if self.hosts.is_empty() { &Host::ALL[..] } else { &self.hosts };
        let hosts = hosts.iter().filter(|host| !self.opened_by.contains(host));
        let probe = |action: &String| hosts.map(|host| Body::Probe(*host, action.clone())).collect();
        let probes: Vec<Body> = self.probe.as_ref().map_or_else(Vec::new, probe);
        scripts.into_iter().flatten().chain(probes).chain(self.run.clone().map(Body::Run)).collect()
    }

    fn check(&self) -> Result<()> {
        let scripts = [&self.lua, &self.python, &self.shell, &self.javascript];
        let script = scripts.iter().any(|script| script.is_some());
        let bodies = [script, self.probe.is_some(), self.run.is_some()];
        if bodies.iter().filter(|b| **b).count() != 1 {
            return Err("needs exactly one of scripts, probe and run".to_owned());
        }
        if !(self.hosts.is_empty() && self.opened_by.is_empty()) && self.probe.is_none() {
            return Err("hosts are for the probe; a script says by its language who runs it".to_owned());
        }
        if let Some(line) = self.python.iter().flat_map(|p| p.lines()).find(|l| formats_placeholder(l)) {
            return Err(format!("a placeholder within an f-string: {line}"));
        }
        if let Some(line) = self.javascript.iter().flat_map(|j| j.lines()).find(|l| in_template(l)) {
            return Err(format!("a placeholder within a template: {line}"));
        }
        if self.denies && self.control.is_none() {
            return Err("a denial without a control: nothing shows that it could fail".to_owned());
        }
        for expect in [Some(&self.expect), self.wall.as_ref(), self.control.as_ref()] {
            check_expect(expect)?;
        }
        self.check_distinct()
    }

    /// A control that the denial would satisfy as well shows nothing.
    fn check_distinct(&self) -> Result<()> {
        let (Some(control), true) = (&self.control, self.probe.is_some() && self.denies) else {
            return Ok(());
        };
        let inside = outcomes(&self.expect, REFUSALS);
        let outside = outcomes(control, &["ok"]);
        let inspected = |e: &Expect| !e.inspected.is_empty() || !e.not_inspected.is_empty();
        if inside.iter().any(|o| outside.contains(o)) && !inspected(&self.expect) {
            return Err("the control and the denial may come to the same".to_owned());
        }
        Ok(())
    }

    /// The name of what is refused may say more than one way of refusing.
    fn complete(&mut self) {
        let control = self.control.iter().flat_map(|control| control.flags.iter().flatten());
        let mut words = self.flags.iter().chain(self.run.iter().flatten()).chain(control);
        if self.flags.iter().any(|flag| flag.starts_with("--allow-net")) {
            self.needs.push("landlock-abi>=4".to_owned());
        }
        // Without scoped signals the sandbox refuses to let programs run.
        if words.any(|word| word.starts_with("--allow-run")) {
            self.needs.push("landlock-abi>=6".to_owned());
        }
        if self.probe.is_none() {
            return;
        }
        let default = if self.denies { REFUSALS } else { &["ok"] };
        let all = |names: &[&str]| names.iter().map(|s| (*s).to_owned()).collect();
        if self.expect.outcome.is_empty() {
            self.expect.outcome = all(default);
        }
        if let Some(control) = self.control.as_mut() {
            if control.outcome.is_empty() {
                control.outcome = all(&["ok"]);
            }
        }
    }
}

/// In an f-string `{name}` could be meant for either reader. Python's own is written `{ name }`.
fn formats_placeholder(line: &str) -> bool {
    const LITERALS: [&str; 4] = ["f\"", "f'", "F\"", "F'"];
    let literal = LITERALS.iter().filter_map(|start| line.find(start)).min();
    literal.is_some_and(|start| fixture::PLACEHOLDERS.iter().any(|name| line[start..].contains(name)))
}

/// In JavaScript's templates `${name}` could be meant for either reader. JavaScript's own is written `${ name }`.
fn in_template(line: &str) -> bool {
    fixture::PLACEHOLDERS.iter().any(|name| line.contains(&format!("${name}")))
}

fn outcomes(expect: &Expect, default: &[&str]) -> Vec<String> {
    if expect.outcome.is_empty() {
        return default.iter().map(|s| (*s).to_owned()).collect();
    }
    expect.outcome.clone()
}

fn check_expect(expect: Option<&Expect>) -> Result<()> {
    match expect.and_then(|e| e.signal.as_deref()) {
        Some(name) if signal_number(name).is_none() => Err(format!("unknown signal {name}")),
        _ => Ok(()),
    }
}

/// Read one table. Every mistake in it is an error with the row's name.
pub fn load(path: &Path) -> Result<Vec<Row>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let mut table: Table = toml::from_str(&text).map_err(|e| format!("{shown}: {e}"))?;
    let mut names = Vec::new();
    for row in &mut table.case {
        row.check().map_err(|e| format!("{shown}: {}: {e}", row.name))?;
        row.complete();
        if names.contains(&row.name) {
            return Err(format!("{shown}: two rows are called {}", row.name));
        }
        names.push(row.name.clone());
    }
    Ok(table.case)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Result<Vec<Row>> {
        let path =
            std::env::temp_dir().join(format!("casebook-table-{}-{:p}.toml", std::process::id(), text));
        fs::write(&path, text).expect("the directory for temporary files");
        let rows = load(&path);
        fs::remove_file(&path).expect("the file just written");
        rows
    }

    fn refused(text: &str) -> String {
        loaded(text).expect_err("the table is wrong")
    }

    #[test]
    fn a_denial_needs_a_control() {
        let error = refused("[[case]]\nname = 'x'\nlua = 'print(1)'\n");
        assert!(error.contains("x: a denial without a control"), "{error}");
    }

    #[test]
    fn a_control_must_differ_from_the_denial() {
        let error = refused("[[case]]\nname = 'x'\nprobe = 'fork'\ncontrol.outcome = ['EPERM']\n");
        assert!(error.contains("may come to the same"), "{error}");
    }

    #[test]
    fn what_is_misspelt_does_not_load() {
        let error = refused("[[case]]\nname = 'x'\nprobe = 'fork'\ncontrol = {}\nflag = []\n");
        assert!(error.contains("flag"), "{error}");
    }

    #[test]
    fn a_row_has_one_body() {
        let error = refused("[[case]]\nname = 'x'\nprobe = 'fork'\nlua = ''\ncontrol = {}\n");
        assert!(error.contains("exactly one"), "{error}");
        refused("[[case]]\nname = 'x'\ncontrol = {}\n");
    }

    #[test]
    fn a_row_may_have_a_script_for_each_host() {
        let rows = loaded("[[case]]\nname = 'x'\ndenies = false\nlua = ''\npython = ''\n");
        let hosts: Vec<_> = rows.expect("a good table")[0].bodies().iter().map(Body::host).collect();
        assert_eq!(hosts, [Some(Host::Hlua), Some(Host::Hpython)]);
        let error = refused("[[case]]\nname = 'x'\ndenies = false\npython = ''\nprobe = 'fork'\n");
        assert!(error.contains("exactly one"), "{error}");
    }

    #[test]
    fn the_probe_enters_every_sandbox_or_those_named() {
        let all = loaded("[[case]]\nname = 'x'\nprobe = 'fork'\ncontrol = {}\n").expect("a good table");
        assert_eq!(all[0].bodies().len(), Host::ALL.len());
        let one = loaded("[[case]]\nname = 'x'\nprobe = 'fork'\nhosts = ['hlua']\ncontrol = {}\n");
        assert_eq!(one.expect("a good table")[0].bodies().len(), 1);
        let error = refused("[[case]]\nname = 'x'\nlua = ''\nhosts = ['hlua']\ncontrol = {}\n");
        assert!(error.contains("hosts are for the probe"), "{error}");
    }

    #[test]
    fn f_strings_hold_no_placeholder() {
        let row = |line| format!("[[case]]\nname = 'x'\ndenies = false\npython = '{line}'\n");
        let error = refused(&row("print(f\"{name}\")"));
        assert!(error.contains("within an f-string: print"), "{error}");
        loaded(&row("print(\"{name}\", f\"{ name }\")")).expect("a good table");
    }

    #[test]
    fn names_are_unique() {
        let row = "[[case]]\nname = 'x'\nprobe = 'fork'\ncontrol = {}\n";
        assert!(refused(&[row, row].concat()).contains("two rows"));
    }

    #[test]
    fn a_denial_of_the_probe_is_any_refusal() {
        let rows = loaded("[[case]]\nname = 'x'\nprobe = 'fork'\ncontrol = {}\n").expect("a good table");
        assert_eq!(rows[0].expect.outcome, REFUSALS);
        assert_eq!(rows[0].control.as_ref().expect("a control").outcome, ["ok"]);
    }
}
