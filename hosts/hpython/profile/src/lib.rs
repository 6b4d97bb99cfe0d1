//! What hpython asks of the sandbox, as data: the same for the program `hpython` and for the tests that enter its
//! sandbox without Python.

use sandbox_core::{Grammar, Lift, Neutered, Profile, Switch};

/// The interpreter by the name that scripts see, with a zero byte for C.
pub const EXECUTABLE: &str = concat!(env!("PYTHON_EXECUTABLE"), "\0");
/// The file behind that name, the same way.
pub const PROGRAM: &str = concat!(env!("PYTHON_PROGRAM"), "\0");
/// The directory beneath which it is installed, the same way.
pub const PREFIX: &str = concat!(env!("PYTHON_PREFIX"), "\0");
/// The directory beneath that for libraries, the same way: `lib`.
pub const PLATLIBDIR: &str = concat!(env!("PYTHON_PLATLIBDIR"), "\0");
/// The release as in the names of directories: `3.11`.
pub const VERSION: &str = env!("PYTHON_VERSION");

/// The command's name.
pub const NAME: &str = "hpython";

/// hpython's declaration.
pub static PROFILE: Profile = Profile {
    name: NAME,
    synopsis: "[option] ... [-c cmd | -m mod | file | -] [arg] ...",
    version: concat!("Python ", env!("PYTHON_RELEASE")),
    switches: &SWITCHES,
    grammar: GRAMMAR,
    environment: &["VIRTUAL_ENV"],
    library: &LIBRARY,
    launchers: &["/bin/sh"],
    sockets: true,
    messages: false,
    extras: &[],
    neutered: &NEUTERED,
    filters: &FILTERS,
    threads: true,
    counts_memory: false,
    memory: 1 << 30,
    jit: None,
    // Libraries, and what is reserved and never used, such as the C library's arenas.
    memory_overhead: 512 << 20,
    least_memory: 16 << 20,
    launches: false,
};

static FILTERS: [&[u8]; 64] = include!(concat!(env!("OUT_DIR"), "/filters.rs"));

const fn program(what: &'static str) -> Neutered {
    Neutered { what, lift: Lift::Run }
}

/// What starts a program without telling a hook.
pub const FORK_EXEC: Neutered = program("_posixsubprocess.fork_exec");
/// TCP, as far as no port is granted.
pub const NETWORK: Neutered = Neutered { what: "the network", lift: Lift::Net };

const fn link(what: &'static str) -> Neutered {
    Neutered { what, lift: Lift::Nothing("a link could name what is not granted") }
}

const fn metadata(what: &'static str) -> Neutered {
    let why = "no lock of the kernel's holds them to granted files; beneath --allow-write they are accepted, \
        and change nothing";
    Neutered { what, lift: Lift::Nothing(why) }
}

/// By the names of the events that CPython tells its hooks (PEP 578), but for the last three.
pub static NEUTERED: [Neutered; 13] = [
    program("os.system"),
    program("os.exec"),
    program("os.fork"),
    program("os.forkpty"),
    program("os.posix_spawn"),
    program("subprocess.Popen"),
    program("pty.spawn"),
    program("webbrowser.open"),
    link("os.link"),
    link("os.symlink"),
    FORK_EXEC,
    NETWORK,
    metadata("os.chmod, os.utime"),
];

/// As CPython's `getopt` reads them; it words its own mistakes.
const GRAMMAR: Grammar = Grammar {
    dashed_values: true,
    clusters: true,
    programs: &["-c", "-m"],
    explains_itself: true,
    ..Grammar::PLAIN
};

/// What CPython imports and loads late.
static LIBRARY: [&str; 12] = [
    env!("PYTHON_STDLIB"),
    "/usr/lib/python3",
    concat!("/usr/local/lib/python", env!("PYTHON_VERSION")),
    concat!("/etc/python", env!("PYTHON_VERSION")),
    concat!("/usr", env!("PYTHON_LIBRARIES")),
    env!("PYTHON_LIBRARIES"),
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/usr/share/ca-certificates",
    "/etc/mime.types",
    "/usr/share/python3",
];

const fn flag(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: false, help }
}

const fn with_value(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: true, help }
}

static SWITCHES: [Switch; 27] = [
    flag("-b", "warn about comparing bytes with str; -bb: an error"),
    flag("-B", "write no .pyc files"),
    with_value("-c", "the program, as text; ends the options"),
    flag("-d", "debug output of the parser"),
    flag("-E", "ignore PYTHON* environment variables"),
    flag("-h", "python's own help"),
    flag("-?", "the same"),
    flag("-i", "a dialogue after the script"),
    flag("-I", "isolated: -E, -P and -s"),
    with_value("-m", "the program, as the name of a module; ends the options"),
    flag("-O", "no assertions; -OO: no docstrings either"),
    flag("-P", "do not put the script's directory before sys.path"),
    flag("-q", "no banner in a dialogue"),
    flag("-R", "hash seeds at random, as always"),
    flag("-s", "without the user's site directory"),
    flag("-S", "without site"),
    flag("-t", "ignored, as in python3"),
    flag("-u", "unbuffered standard output and error"),
    flag("-v", "trace imports"),
    flag("-V", "print Python's version; -VV: more of it"),
    with_value("-W", "control of warnings"),
    flag("-x", "skip the first line of the source"),
    with_value("-X", "options of the implementation"),
    with_value("--check-hash-based-pycs", "how hash-based .pyc files are checked"),
    flag("--help-env", "python's help about environment variables"),
    flag("--help-xoptions", "python's help about -X"),
    flag("--help-all", "all of python's help"),
];
