//! Real programs: libraries that Debian ships, some wheels from PyPI, and modules of Python's own, worked hard under
//! the plain interpreter and under its host. The output is the same, and so is what they leave in the directory that is
//! granted.

use casebook::Result;
use casebook::binaries::Binaries;
use casebook::expect;
use casebook::fixture::{self, Fixture, Scratch};
use casebook::harness;
use casebook::host::Host;
use casebook::identity::Identity;
use casebook::job::{Job, Ran};
use libtest_mimic::{Completion, Failed, Trial};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

/// A program that works a library.
struct Program {
    name: &'static str,
    host: Host,
    /// The sandbox's flags.
    flags: &'static [&'static str],
    /// What is run, between the interpreter's options and the end of the line. `{here}` is the directory of the
    /// programs, `{fennel}` the compiler, `{hello}` the sources of GNU hello, `{venv}` the virtual environment with the
    /// wheels; `{work}` is a fresh directory, and `{port}` a free one.
    line: &'static [&'static str],
    /// What starts the interpreter, if not we: a program for the real Python.
    driver: Option<&'static [&'static str]>,
    /// The package, and the file by which it is known.
    package: (&'static str, &'static str),
    /// How it ends.
    status: i32,
    /// Less than this many lines of output would mean that hardly anything was tried.
    lines: usize,
}

const FENNEL: (&str, &str) = ("fennel", "{fennel}");
const PYTHON: (&str, &str) = ("python3", "/usr/bin/python3");
const BASH: (&str, &str) = ("bash", "/bin/bash");
const HELLO: (&str, &str) = ("hello (source)", "{hello}");
const WHEELS: (&str, &str) = ("wheels", "{venv}/pyvenv.cfg");
const PACKAGES: (&str, &str) = ("npm packages", "{here}/node/node_modules/lodash/package.json");

/// What most programs in Lua have in common.
const LUA: Program = Program {
    name: "",
    host: Host::Hlua,
    flags: &[],
    line: &[],
    driver: None,
    package: FENNEL,
    status: 0,
    lines: 40,
};

/// What most programs in Python have in common.
const OF_PYTHON: Program = Program { host: Host::Hpython, package: PYTHON, lines: 20, ..LUA };

/// What most scripts of the shell have in common.
const OF_BASH: Program = Program { host: Host::Hsh, package: BASH, lines: 1, ..LUA };
/// What most programs in JavaScript have in common.
const OF_NODE: Program =
    Program { host: Host::Hnode, package: PACKAGES, flags: &["--allow-read={here}/node"], lines: 20, ..LUA };

const WORK: [&str; 2] = ["--allow-read={work}", "--allow-write={work}"];

const PROGRAMS: &[Program] = &[
    Program {
        name: "fennel compiles",
        line: &["{fennel}", "--add-macro-path", "{here}/fennel/?.fnl", "--compile", "{here}/fennel/main.fnl"],
        flags: &["--allow-read={here}/fennel"],
        lines: 250,
        ..LUA
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
        flags: &["--allow-read={here}/fennel"],
        ..LUA
    },
    Program {
        name: "penlight",
        line: &["{here}/penlight.lua"],
        package: ("lua-penlight", "/usr/share/lua/5.4/pl/List.lua"),
        ..LUA
    },
    Program {
        name: "inspect",
        line: &["{here}/inspect.lua"],
        flags: &["--allow-read=/usr/share/lua/5.1"],
        package: ("lua-inspect", "/usr/share/lua/5.1/inspect.lua"),
        lines: 50,
        ..LUA
    },
    Program {
        name: "json",
        line: &["{here}/json.lua"],
        package: ("lua-dkjson", "/usr/share/lua/5.4/dkjson.lua"),
        ..LUA
    },
    Program {
        name: "messagepack",
        line: &["{here}/messagepack.lua"],
        flags: &["--allow-read=/usr/share/lua/5.3"],
        package: ("lua-messagepack", "/usr/share/lua/5.3/MessagePack.lua"),
        ..LUA
    },
    Program {
        name: "jinja2",
        line: &["{here}/python/report.py"],
        flags: &["--allow-read={here}/python/templates"],
        package: ("python3-jinja2", "/usr/lib/python3/dist-packages/jinja2/__init__.py"),
        lines: 60,
        ..OF_PYTHON
    },
    Program {
        name: "sqlite3",
        line: &["{here}/python/ledger.py", "{work}"],
        flags: &WORK,
        lines: 14,
        ..OF_PYTHON
    },
    Program {
        name: "asyncio echo",
        line: &["{here}/python/echo.py", "{port}"],
        flags: &["--allow-net={port}"],
        ..OF_PYTHON
    },
    Program {
        name: "http.server",
        line: &["-m", "http.server", "--bind", "127.0.0.1", "--directory", "{here}/python/site", "{port}"],
        flags: &["--allow-net={port}", "--allow-read={here}/python/site"],
        driver: Some(&["{here}/python/fetch.py", "{port}"]),
        lines: 100,
        ..OF_PYTHON
    },
    Program {
        name: "json.tool",
        line: &["-m", "json.tool", "--sort-keys", "{here}/python/data.json"],
        flags: &["--allow-read={here}/python/data.json"],
        ..OF_PYTHON
    },
    Program {
        name: "unittest",
        line: &["-m", "unittest", "discover", "-v", "-t", "{here}/python", "-s", "{here}/python/parcels"],
        flags: &["--allow-read={here}/python", WORK[0], WORK[1]],
        status: 1,
        lines: 70,
        ..OF_PYTHON
    },
    Program {
        name: "numpy and pandas",
        line: &["{here}/python/tables.py", "{work}"],
        flags: &["--allow-read={venv}", WORK[0], WORK[1]],
        package: WHEELS,
        lines: 70,
        ..OF_PYTHON
    },
    Program {
        name: "matplotlib",
        line: &["{here}/python/plot.py", "{work}"],
        flags: &["--allow-read={venv}", WORK[0], WORK[1]],
        package: WHEELS,
        lines: 2,
        ..OF_PYTHON
    },
    Program {
        name: "features of bash",
        line: &["{here}/shell/features.sh"],
        flags: &["--private-tmp"],
        status: 4,
        lines: 85,
        ..OF_BASH
    },
    Program {
        name: "configure and make",
        line: &["{here}/shell/build.sh", "{hello}", "{work}"],
        // Programs of one's own are started where that is asked for.
        flags: &["--private-tmp", "--allow-read={hello}", "--allow-run=./{work}", WORK[0], WORK[1]],
        package: HELLO,
        lines: 30,
        ..OF_BASH
    },
    Program { name: "which", line: &["/usr/bin/which", "-a", "sh", "env"], lines: 2, ..OF_BASH },
    Program { name: "egrep", line: &["/usr/bin/egrep", "-c", "root|daemon", "/etc/passwd"], ..OF_BASH },
    Program {
        name: "lesspipe",
        line: &["/usr/bin/lesspipe"],
        package: ("less", "/usr/bin/lesspipe"),
        ..OF_BASH
    },
    Program { name: "dpkg-realpath", line: &["/usr/bin/dpkg-realpath", "/bin/sh"], ..OF_BASH },
    Program { name: "tzselect", line: &["/usr/bin/tzselect", "--version"], ..OF_BASH },
    Program {
        name: "ldd, zgrep, gzexe, savelog and others",
        line: &["{here}/shell/debian.sh", "{work}"],
        flags: &["--private-tmp", WORK[0], WORK[1]],
        lines: 25,
        ..OF_BASH
    },
    Program {
        name: "lodash, dayjs, acorn, marked, zod, nanoid",
        line: &["{here}/node/libraries.mjs"],
        lines: 40,
        ..OF_NODE
    },
    Program { name: "prettier", line: &["{here}/node/format.mjs"], lines: 50, ..OF_NODE },
    Program {
        name: "typescript",
        line: &["{here}/node/compile.js", "{work}"],
        flags: &["--allow-read={here}/node", WORK[0], WORK[1]],
        status: 2,
        lines: 40,
        ..OF_NODE
    },
    Program {
        name: "express",
        line: &["--no-warnings", "{here}/node/server.js", "{port}"],
        flags: &["--allow-read={here}/node", "--allow-net={port}"],
        lines: 30,
        ..OF_NODE
    },
    Program { name: "workerpool", line: &["{here}/node/pool.js"], lines: 27, ..OF_NODE },
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
    for program in PROGRAMS {
        for identity in Identity::available() {
            let name = format!("programs/{} {}", program.name, identity.suffix());
            let trial = move || compare(program, *identity, binaries, place);
            trials.push(Trial::ignorable_test(name, trial));
        }
    }
    trials
}

/// The program prints the same under both interpreters, and leaves the same behind.
fn compare(
    program: &Program,
    identity: Identity,
    binaries: &Binaries,
    place: &Place,
) -> std::result::Result<Completion, Failed> {
    let (package, file) = program.package;
    if let Some(reason) = place.lacks(file)? {
        return harness::skip(package, &reason);
    }
    // Both runs have the same, because the output names it.
    let port = fixture::free_port()?.to_string();
    let plain = run(program, false, &port, identity, binaries, place)?;
    check_control(program, &plain.ran)?;
    let ours = run(program, true, &port, identity, binaries, place)?;
    if plain.told() == ours.told() && plain.left == ours.left {
        return Ok(Completion::Completed);
    }
    Err(difference(program, &plain, &ours).into())
}

fn check_control(program: &Program, plain: &Ran) -> Result<()> {
    let text = [&plain.stdout[..], &plain.stderr[..]].concat();
    let lines = String::from_utf8_lossy(&text).lines().count();
    if plain.status == Some(program.status) && lines >= program.lines {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&plain.stderr);
    Err(format!("control: {lines} lines of output, {}, {stderr}", expect::end(plain)))
}

/// One run of a program, with what it left in its directory.
struct Run {
    ran: Ran,
    left: BTreeMap<PathBuf, Vec<u8>>,
}

impl Run {
    fn told(&self) -> (Option<i32>, String, String) {
        (self.ran.status, untimed(&self.ran.stdout), untimed(&self.ran.stderr))
    }
}

/// What is written, but for the one line that tells how long it took: `Ran 11 tests in 0.012s`.
fn untimed(text: &[u8]) -> String {
    let whole = String::from_utf8_lossy(text);
    let untimed = |line: &'_ str| match line.split_once(" in ") {
        Some((ran, _)) if line.starts_with("Ran ") => format!("{ran}\n"),
        _ => line.to_owned(),
    };
    whole.split_inclusive('\n').map(untimed).collect()
}

fn run(
    program: &Program,
    inside: bool,
    port: &str,
    identity: Identity,
    binaries: &Binaries,
    place: &Place,
) -> Result<Run> {
    let fixture = Fixture::empty(identity, binaries)?;
    // The same name for both, because it may be told; relative to where they run.
    let fill =
        |word: &&str| OsString::from(place.fill(word).replace("{work}", "work").replace("{port}", port));
    let mut words: Vec<OsString> = program.driver.unwrap_or_default().iter().map(fill).collect();
    let interpreter = match inside {
        true => binaries.host(program.host).to_owned(),
        false => place.interpreter(program, binaries),
    };
    let starter = match program.driver {
        Some(_) => {
            words.push(interpreter.into());
            binaries.python.clone()
        }
        None => interpreter,
    };
    words.extend(program.flags.iter().filter(|_| inside).map(fill));
    words.extend(program.line.iter().map(fill));
    let job = Job {
        program: starter,
        args: words,
        environment: environment(program, place),
        directory: fixture.base(),
        identity: Some(identity),
        ..Job::default()
    };
    let ran = job.run()?;
    let mut left = BTreeMap::new();
    let directory = fixture.directory();
    collect(&directory, &directory, &mut left).map_err(|e| format!("cannot read what is left: {e}"))?;
    Ok(Run { ran, left })
}

fn environment(program: &Program, place: &Place) -> Vec<(OsString, OsString)> {
    let mut environment = vec![
        ("PATH".into(), "/usr/bin:/bin".into()),
        ("HOME".into(), "/nonexistent".into()),
        ("TMPDIR".into(), "work".into()),
    ];
    if program.package == WHEELS {
        environment.push(("VIRTUAL_ENV".into(), place.fill("{venv}").into()));
    }
    environment
}

/// Every file beneath a directory, by its path from there.
fn collect(root: &Path, directory: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, into)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            into.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn difference(program: &Program, plain: &Run, ours: &Run) -> String {
    let ((_, theirs, _), (_, own, errors)) = (plain.told(), ours.told());
    let line = theirs.lines().zip(own.lines()).position(|(a, b)| a != b);
    let line = line.unwrap_or_else(|| theirs.lines().count().min(own.lines().count()));
    let files: Vec<_> = plain.left.keys().chain(ours.left.keys()).collect();
    let differing: Vec<_> =
        files.iter().filter(|file| plain.left.get(**file) != ours.left.get(**file)).collect();
    format!(
        "{} ended with {}, {} with {}\n  line {}: {:?}, not {:?}\n  files that differ: {differing:?}\n  stderr: {errors}",
        program.host.name(),
        expect::end(&ours.ran),
        program.host.interpreter(),
        expect::end(&plain.ran),
        line + 1,
        own.lines().nth(line),
        theirs.lines().nth(line),
    )
}

/// The programs where every account can read them: the checkout may be in root's home.
struct Place {
    copies: Scratch,
    fennel: PathBuf,
    /// Copied when it is asked for: it is large.
    venv: OnceLock<Result<()>>,
    /// Likewise.
    packages: OnceLock<Result<()>>,
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
        if let Some(found) = kept("hello/hello.tar.gz") {
            let archive = copies.path().join("hello.tar.gz");
            fs::copy(&found, &archive).map_err(|e| format!("cannot copy {}: {e}", found.display()))?;
        }
        Ok(Place { copies, fennel, venv: OnceLock::new(), packages: OnceLock::new() })
    }

    fn fill(&self, word: &str) -> String {
        word.replace("{here}", &self.copies.path().to_string_lossy())
            .replace("{hello}", &self.copies.path().join("hello.tar.gz").to_string_lossy())
            .replace("{fennel}", &self.fennel.to_string_lossy())
            .replace("{venv}", &self.copies.path().join("venv").to_string_lossy())
    }

    /// Why there is nothing to work, if the file by which a package is known is missing.
    fn lacks(&self, file: &str) -> Result<Option<String>> {
        if file.starts_with("{venv}") {
            self.venv.get_or_init(|| self.copy_kept("venv", "venv")).clone()?;
        }
        if file == PACKAGES.1 {
            self.packages.get_or_init(|| self.copy_kept("npm/node_modules", "node/node_modules")).clone()?;
        }
        let missing = !Path::new(&self.fill(file)).exists();
        Ok(missing.then(|| "it is not installed: make deps".to_owned()))
    }

    fn copy_kept(&self, name: &str, to: &str) -> Result<()> {
        let Some(from) = kept(name) else { return Ok(()) };
        let to = self.copies.path().join(to);
        fs::create_dir(&to).and_then(|()| copy(&from, &to)).map_err(|e| format!("cannot copy {name}: {e}"))
    }

    /// The real interpreter; that of the virtual environment, if the program needs it.
    fn interpreter(&self, program: &Program, binaries: &Binaries) -> PathBuf {
        if program.package == WHEELS {
            return self.fill("{venv}/bin/python").into();
        }
        binaries.interpreter(program.host).to_owned()
    }

    /// It lives as long as the process, so nobody else does this.
    fn remove(&self) {
        // What is left behind lies in the directory for temporary files.
        let _ = fs::remove_dir_all(self.copies.path());
    }
}

/// What `make deps` keeps beside what cargo builds.
fn kept(name: &str) -> Option<PathBuf> {
    let own = env::current_exe().unwrap_or_default();
    own.ancestors().map(|directory| directory.join(name)).find(|path| path.exists())
}

/// `FENNEL`, the installed one, or the one that `make deps` keeps beside what cargo builds.
fn fennel_compiler() -> Option<PathBuf> {
    let paths = env::var_os("PATH").unwrap_or_default();
    let named = env::var_os("FENNEL").map(PathBuf::from);
    let installed = env::split_paths(&paths).map(|directory| directory.join("fennel"));
    named.into_iter().chain(installed).chain(kept("fennel/usr/bin/fennel")).find(|file| file.is_file())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(entry.path())?, &target)?;
            continue;
        }
        let mode = if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
            0o755
        } else {
            fs::copy(entry.path(), &target)?;
            if entry.metadata()?.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
        };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
