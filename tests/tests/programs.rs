//! Real programs: libraries that Debian ships, worked hard under the plain interpreter and under hlua. The output is the same,
//! with the default policy and at most one grant.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::expect;
use casebook::fixture::Scratch;
use casebook::harness;
use casebook::identity::Identity;
use casebook::job::{Job, Ran};
use libtest_mimic::{Completion, Failed, Trial};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A program that works a library.
struct Program {
    name: &'static str,
    /// What is run, between the interpreter's options and the end of the line; `{here}` is the
    /// directory of the programs, `{fennel}` the compiler.
    line: &'static [&'static str],
    /// The one grant, if the library is not where Lua 5.4 looks for it.
    grant: Option<&'static str>,
    /// The Debian package, and the file by which it is known.
    package: (&'static str, &'static str),
    /// Less than this many lines of output would mean that hardly anything was tried.
    lines: usize,
}

const FENNEL: (&str, &str) = ("fennel", "{fennel}");

const PROGRAMS: [Program; 6] = [
    Program {
        name: "fennel compiles",
        line: &["{fennel}", "--add-macro-path", "{here}/fennel/?.fnl", "--compile", "{here}/fennel/main.fnl"],
        grant: Some("{here}/fennel"),
        package: FENNEL,
        lines: 250,
    },
    Program {
        name: "fennel runs a program",
        line: &[
            "{fennel}",
            "--add-macro-path",
            "{here}/fennel/?.fnl",
            "--add-fennel-path",
            "{here}/fennel/?.fnl",
            "{here}/fennel/main.fnl",
        ],
        grant: Some("{here}/fennel"),
        package: FENNEL,
        lines: 40,
    },
    Program {
        name: "penlight",
        line: &["{here}/penlight.lua"],
        grant: None,
        package: ("lua-penlight", "/usr/share/lua/5.4/pl/List.lua"),
        lines: 40,
    },
    Program {
        name: "inspect",
        line: &["{here}/inspect.lua"],
        grant: Some("/usr/share/lua/5.1"),
        package: ("lua-inspect", "/usr/share/lua/5.1/inspect.lua"),
        lines: 50,
    },
    Program {
        name: "json",
        line: &["{here}/json.lua"],
        grant: None,
        package: ("lua-dkjson", "/usr/share/lua/5.4/dkjson.lua"),
        lines: 40,
    },
    Program {
        name: "messagepack",
        line: &["{here}/messagepack.lua"],
        grant: Some("/usr/share/lua/5.3"),
        package: ("lua-messagepack", "/usr/share/lua/5.3/MessagePack.lua"),
        lines: 40,
    },
];

fn main() -> ExitCode {
    let mut copies = None;
    let code = harness::main(|binaries| {
        let place: &'static Place = harness::shared(Place::new()?);
        copies = Some(place);
        Ok(trials(binaries, place))
    });
    if let Some(place) = copies {
        place.remove();
    }
    code
}

fn trials(binaries: &'static Binaries, place: &'static Place) -> Vec<Trial> {
    let mut trials = Vec::new();
    for program in &PROGRAMS {
        for identity in Identity::available() {
            let name = format!("programs/{} {}", program.name, identity.suffix());
            let trial = move || compare(program, *identity, binaries, place);
            trials.push(Trial::ignorable_test(name, trial));
        }
    }
    trials
}

/// Without the library there is nothing to compare, unless this machine was said to have everything.
fn skip(package: &str) -> std::result::Result<Completion, Failed> {
    let expected = env::var("SANDBOX_TEST_EXPECT").unwrap_or_default();
    if expected == "all" || expected.split(',').any(|need| need.trim() == package) {
        return Err(format!("{package} is not installed: make deps").into());
    }
    Ok(Completion::ignored_with(format!("needs {package}: it is not installed")))
}

/// The program prints the same under both interpreters.
fn compare(
    program: &Program,
    identity: Identity,
    binaries: &Binaries,
    place: &Place,
) -> std::result::Result<Completion, Failed> {
    let (package, file) = program.package;
    if !Path::new(&place.fill(file)).exists() {
        return skip(package);
    }
    let words: Vec<_> = program.line.iter().map(|word| place.fill(word)).collect();
    let grant = program.grant.map(|path| format!("--allow-read={}", place.fill(path)));
    let flagged: Vec<_> = grant.into_iter().chain(words.iter().cloned()).collect();
    let plain = run(&binaries.lua, &words, identity, place)?;
    check_control(program, &plain)?;
    let ours = run(&binaries.hlua, &flagged, identity, place)?;
    if (ours.status, &ours.stdout, &ours.stderr) == (plain.status, &plain.stdout, &plain.stderr) {
        return Ok(Completion::Completed);
    }
    Err(difference(&plain, &ours).into())
}

fn check_control(program: &Program, plain: &Ran) -> Result<()> {
    let lines = String::from_utf8_lossy(&plain.stdout).lines().count();
    if plain.status == Some(0) && plain.stderr.is_empty() && lines >= program.lines {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&plain.stderr);
    Err(format!("control: {lines} lines of output, {}, {stderr}", expect::end(plain)))
}

fn run(interpreter: &Path, words: &[String], identity: Identity, place: &Place) -> Result<Ran> {
    Job {
        program: interpreter.to_owned(),
        args: words.iter().map(OsString::from).collect(),
        environment: vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), "/nonexistent".into())],
        directory: place.copies.path().to_owned(),
        identity: Some(identity),
        ..Job::default()
    }
    .run()
}

fn difference(plain: &Ran, ours: &Ran) -> String {
    let (theirs, own) = (String::from_utf8_lossy(&plain.stdout), String::from_utf8_lossy(&ours.stdout));
    let line = theirs.lines().zip(own.lines()).position(|(a, b)| a != b);
    let line = line.unwrap_or_else(|| theirs.lines().count().min(own.lines().count()));
    format!(
        "hlua ended with {}, lua5.4 with {}\n  line {}: {:?}, not {:?}\n  stderr: {}",
        expect::end(ours),
        expect::end(plain),
        line + 1,
        own.lines().nth(line),
        theirs.lines().nth(line),
        String::from_utf8_lossy(&ours.stderr)
    )
}

/// The programs where every account can read them: the checkout may be in root's home.
struct Place {
    copies: Scratch,
    fennel: PathBuf,
}

impl Place {
    fn new() -> Result<Place> {
        let copies = Scratch::new("programs")?;
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("programs"), copies.path())
            .map_err(|e| format!("cannot copy the programs: {e}"))?;
        let fennel = copies.path().join("fennel.lua");
        if let Some(found) = fennel_compiler() {
            fs::copy(&found, &fennel).map_err(|e| format!("cannot copy {}: {e}", found.display()))?;
        }
        Ok(Place { copies, fennel })
    }

    fn fill(&self, word: &str) -> String {
        word.replace("{here}", &self.copies.path().to_string_lossy())
            .replace("{fennel}", &self.fennel.to_string_lossy())
    }

    /// It lives as long as the process, so nobody else does this.
    fn remove(&self) {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(self.copies.path());
    }
}

/// `FENNEL`, the installed one, or the one that `make deps` keeps beside what cargo builds.
fn fennel_compiler() -> Option<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_default();
    let own = env::current_exe().unwrap_or_default();
    let named = env::var_os("FENNEL").map(PathBuf::from);
    let installed = env::split_paths(&paths).map(|directory| directory.join("fennel"));
    let kept = own.ancestors().map(|directory| directory.join("fennel/usr/bin/fennel"));
    named.into_iter().chain(installed).chain(kept).find(|file| file.is_file())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let mode = if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
            0o755
        } else {
            fs::copy(entry.path(), &target)?;
            0o644
        };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
