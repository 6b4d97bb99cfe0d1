//! What hsh asks of the sandbox, as data: the same for the program `hsh` and for the tests that enter its sandbox without a
//! shell.

use sandbox_core::{Grammar, Profile, Switch};

/// The shell's file, with a zero byte for C.
pub const PROGRAM: &str = "/bin/bash\0";

/// The option that names another shell: ours, not bash's.
pub const SHELL: &str = "--shell";

/// hsh's declaration.
pub static PROFILE: Profile = Profile {
    name: "hsh",
    synopsis: "[option] ... [file | -c command [name] | -s] [arg] ...",
    version: concat!("bash ", env!("BASH_RELEASE")),
    switches: &SWITCHES,
    grammar: GRAMMAR,
    environment: &["LOGNAME", "SHELL", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES"],
    library: &LIBRARY,
    launchers: &[],
    sockets: true,
    messages: false,
    extras: &[],
    neutered: &[],
    filters: &FILTERS,
    threads: false,
    counts_memory: false,
    memory: 1 << 30,
    jit: None,
    // Libraries, and what programs reserve and never use.
    memory_overhead: 512 << 20,
    least_memory: 8 << 20,
    launches: true,
};

static FILTERS: [&[u8]; 64] = include!(concat!(env!("OUT_DIR"), "/filters.rs"));

/// As bash reads them; it words its own mistakes.
const GRAMMAR: Grammar = Grammar {
    dashed_values: true,
    clusters: true,
    explains_itself: true,
    plus: true,
    detached: true,
    dash_ends: true,
    scriptless: &["-c", "-s"],
    ..Grammar::PLAIN
};

/// What bash reads when it starts, also where no programs may be started.
static LIBRARY: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/lib/x86_64-linux-gnu",
    "/etc/ld.so.cache",
    "/etc/inputrc",
    "/etc/bash.bashrc",
    "/lib/terminfo",
];

const fn flag(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: false, help }
}

const fn with_value(name: &'static str, help: &'static str) -> Switch {
    Switch { name, value: true, help }
}

static SWITCHES: [Switch; 41] = [
    flag("-c", "the first argument is the program"),
    flag("-s", "read the program from standard input; all arguments are its own"),
    flag("-i", "a dialogue, whatever standard input is"),
    flag("-l", "a login shell: reads /etc/profile and ~/.profile as far as they may be read"),
    flag("-r", "a restricted shell"),
    flag("-D", "print the strings to translate"),
    with_value("-o", "an option of set by its name"),
    with_value("-O", "an option of shopt by its name"),
    flag("-a", "export what is assigned"),
    flag("-b", "tell of jobs at once"),
    flag("-e", "leave when a command fails"),
    flag("-f", "no patterns in file names"),
    flag("-h", "remember where commands are"),
    flag("-k", "assignments anywhere in a command"),
    flag("-m", "job control"),
    flag("-n", "read only, run nothing"),
    flag("-p", "privileged: ignore ENV and BASH_ENV"),
    flag("-t", "leave after one command"),
    flag("-u", "an unset variable is an error"),
    flag("-v", "print lines as they are read"),
    flag("-x", "print commands as they are run"),
    flag("-B", "brace expansion"),
    flag("-C", "redirections overwrite no file"),
    flag("-E", "functions inherit the ERR trap"),
    flag("-H", "history expansion"),
    flag("-P", "cd follows no links by name"),
    flag("-T", "functions inherit DEBUG and RETURN traps"),
    flag("--debugger", "bash's debugging mode"),
    flag("--dump-po-strings", "as -D, in the format of gettext"),
    flag("--dump-strings", "as -D"),
    with_value("--init-file", "as --rcfile"),
    flag("--login", "as -l"),
    flag("--noediting", "no line editing in a dialogue"),
    flag("--noprofile", "a login shell without its profiles"),
    flag("--norc", "a dialogue without ~/.bashrc"),
    flag("--posix", "POSIX mode"),
    flag("--pretty-print", "print the program, formatted"),
    with_value("--rcfile", "read this file instead of ~/.bashrc in a dialogue"),
    flag("--restricted", "as -r"),
    with_value(SHELL, "another shell, such as dash, instead of bash; started behind the doors"),
    flag("--verbose", "as -v"),
];
