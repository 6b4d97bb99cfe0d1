//! CPython's own tests under hpython and under the interpreter that they were written for: each comes to the same, but
//! for the differences that `programs/cpython.toml` lists with their reasons.
//!
//! They are run by an ordinary account: as root many of them step aside.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::fixture::{Fixture, Scratch};
use casebook::harness;
use casebook::identity::Identity;
use casebook::job::{Job, Ran};
use casebook::outcomes::{self, Module};
use libtest_mimic::{Completion, Failed, Trial};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The Debian package, without the version.
const PACKAGE: &str = "libpython-testsuite";

/// What runs one module and tells its tests' outcomes.
const RUNNER: &str = "outcomes.py";

/// As much of the errors as helps.
const TAIL: usize = 4000;

fn main() -> ExitCode {
    let mut copies = None;
    let code = harness::main(|binaries| {
        let place: &'static Scratch = harness::shared(Scratch::new("cpython")?);
        copies = Some(place);
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
        install(&programs.join("python").join(RUNNER), &place.path().join(RUNNER))?;
        let table =
            fs::read_to_string(programs.join("cpython.toml")).map_err(|e| format!("cpython.toml: {e}"))?;
        trials(outcomes::load(&table)?, binaries, place.path())
    });
    if let Some(place) = copies {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(place.path());
    }
    code
}

/// Puts a file where every account can read it: the checkout may be in root's home.
fn install(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .and_then(|_| fs::set_permissions(to, fs::Permissions::from_mode(0o644)))
        .map_err(|e| format!("cannot copy {}: {e}", from.display()))
}

fn trials(table: outcomes::Table, binaries: &'static Binaries, place: &'static Path) -> Result<Vec<Trial>> {
    let lacking = lacking(&table.python, binaries)?;
    let trial = |module: Module| {
        let lacking = lacking.clone();
        Trial::ignorable_test(format!("cpython/{} {}", module.name, Identity::User.suffix()), move || {
            if let Some(reason) = lacking {
                return harness::skip(PACKAGE, &reason);
            }
            compare(&module, binaries, place)
        })
    };
    Ok(table.module.into_iter().map(trial).collect())
}

/// Why there is nothing to compare.
fn lacking(version: &str, binaries: &Binaries) -> Result<Option<String>> {
    let tests = PathBuf::from(format!("/usr/lib/python{version}/test/test_grammar.py"));
    let job = Job {
        program: binaries.python.clone(),
        args: vec!["-V".into()],
        directory: "/".into(),
        ..Job::default()
    };
    let answer = String::from_utf8_lossy(&job.run()?.stdout).trim().to_owned();
    if !answer.starts_with(&format!("Python {version}.")) {
        return Ok(Some(format!("the differences of {answer} are not listed, only those of {version}")));
    }
    Ok((!tests.exists()).then(|| format!("there is no {}", tests.display())))
}

fn compare(module: &Module, binaries: &Binaries, place: &Path) -> std::result::Result<Completion, Failed> {
    let theirs = run(module, &binaries.python, &[], binaries, place)?;
    let ours = run(module, &binaries.hpython, &module.flags, binaries, place)?;
    let control = outcomes::read(&theirs.report).map_err(|e| theirs.told(&format!("control: {e}")))?;
    let inside = outcomes::read(&ours.report).map_err(|e| ours.told(&e))?;
    let complaints = module.complaints(&control, &inside);
    if complaints.is_empty() {
        return Ok(Completion::Completed);
    }
    Err(ours.told(&complaints.join("\n")).into())
}

/// What one interpreter made of a module.
struct Run {
    report: String,
    ran: Ran,
}

impl Run {
    fn told(&self, complaint: &str) -> String {
        let errors = String::from_utf8_lossy(&self.ran.stderr);
        let start = errors.len().saturating_sub(TAIL);
        let start = (start..=errors.len()).find(|at| errors.is_char_boundary(*at)).unwrap_or_default();
        format!("{complaint}\n  it said: ...{}", &errors[start..])
    }
}

/// Each run has a directory of its own, where the tests may write.
fn run(
    module: &Module,
    interpreter: &Path,
    flags: &[String],
    binaries: &Binaries,
    place: &Path,
) -> Result<Run> {
    let fixture = Fixture::empty(Identity::User, binaries)?;
    let directory = fixture.directory();
    let report = directory.join("outcomes");
    let inside = interpreter == binaries.hpython;
    let granted = ["read", "write"].map(|way| format!("--allow-{way}={}", directory.display()));
    let mut words: Vec<OsString> =
        granted.iter().filter(|_| inside).chain(flags).map(OsString::from).collect();
    words.extend([place.join(RUNNER).into(), format!("test.{}", module.name).into(), report.clone().into()]);
    let job = Job {
        program: interpreter.to_owned(),
        args: words,
        environment: vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("HOME".into(), "/nonexistent".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TMPDIR".into(), directory.clone().into()),
        ],
        directory,
        identity: Some(Identity::User),
        ..Job::default()
    };
    let ran = job.run()?;
    // What is not there was not written: it reads as one that broke off.
    Ok(Run { report: fs::read_to_string(report).unwrap_or_default(), ran })
}
