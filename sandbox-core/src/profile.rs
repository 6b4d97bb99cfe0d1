//! What a host declares about itself, as data.

use crate::options::Without;

/// Everything the core needs to know about one host: it never asks which language that is.
#[derive(Debug)]
pub struct Profile {
    /// The command's name, for example `hlua`; it begins every message.
    pub name: &'static str,
    /// What follows the sandbox's own options on the usage line.
    pub synopsis: &'static str,
    /// The interpreter and its version, for example `Lua 5.4.8`.
    pub version: &'static str,
    /// The interpreter's own options.
    pub switches: &'static [Switch],
    /// How the interpreter reads them.
    pub grammar: Grammar,
    /// Environment variables of the language's that reach the script without being named.
    pub environment: &'static [&'static str],
    /// Files and directories that are readable by default, as far as they exist.
    pub library: &'static [&'static str],
    /// Programs that the language's own functions start others with (`/bin/sh` for `os.execute`):
    /// they come along when a single program is granted.
    pub launchers: &'static [&'static str],
    /// Whether the language has sockets, which `--allow-net` opens.
    pub sockets: bool,
    /// Whether it sends messages to the programs that it starts, which could be sent through a standard stream as well.
    pub messages: bool,
    /// The host's own on/off grants.
    pub extras: &'static [Extra],
    /// What is replaced by functions that answer with an error of their own.
    pub neutered: &'static [Neutered],
    /// The compiled filters, one for each set of [`crate::calls::Grants`], indexed by its bits.
    pub filters: &'static [&'static [u8]],
    /// Whether the language has threads.
    pub threads: bool,
    /// Whether the interpreter itself counts what a script allocates; if not, the kernel does (`RLIMIT_DATA`).
    pub counts_memory: bool,
    /// What `--limit-memory` is in bytes where nobody says it.
    pub memory: u64,
    /// The switch that keeps an interpreter with a compiler from using it, so that no memory becomes executable. None is
    /// one without a compiler.
    pub jit: Option<&'static str>,
    /// Address space in bytes that the process needs beyond what `--limit-memory` leaves to the script.
    pub memory_overhead: u64,
    /// The smallest `--limit-memory` in bytes with which the interpreter comes up.
    pub least_memory: u64,
    /// Whether starting programs is what the language is for: those of the system may be started unless it is said
    /// otherwise, and the interpreter treats signals and descriptors as its programs do.
    pub launches: bool,
}

/// How an interpreter reads its own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grammar {
    /// Whether an option's value may begin with a dash when it is an argument of its own.
    pub dashed_values: bool,
    /// Whether options share an argument: `-Bs` for `-B -s`.
    pub clusters: bool,
    /// Options whose value is the program: all after it are its arguments.
    pub programs: &'static [&'static str],
    /// Whether a long option may have its value after `=`, `_` for `-`, and `no-` before it: `--stack_size=9`.
    pub long: bool,
    /// Whether the interpreter itself says what is wrong with its options.
    pub explains_itself: bool,
    /// Whether options may begin with a plus sign as well.
    pub plus: bool,
    /// Whether an option's value is always an argument of its own: `-eo name` for `-e -o name`.
    pub detached: bool,
    /// Whether a dash alone ends the options, as `--` does; else it is standard input.
    pub dash_ends: bool,
    /// Options with which no argument is a script: all after the options are arguments.
    pub scriptless: &'static [&'static str],
}

impl Grammar {
    /// One option an argument, values without a dash, mistakes explained by the host.
    pub const PLAIN: Grammar = Grammar {
        dashed_values: false,
        clusters: false,
        programs: &[],
        long: false,
        explains_itself: false,
        plus: false,
        detached: false,
        dash_ends: false,
        scriptless: &[],
    };
}

/// An option of the plain interpreter, such as `-e`.
#[derive(Debug, PartialEq, Eq)]
pub struct Switch {
    /// The option with its dash.
    pub name: &'static str,
    /// Whether it takes a value, attached or as the next argument.
    pub value: bool,
    /// One line for `--help`.
    pub help: &'static str,
}

/// An on/off grant that only one host has: `bytecode` becomes `--allow-bytecode`.
#[derive(Debug, PartialEq, Eq)]
pub struct Extra {
    /// The name without `--allow-`.
    pub name: &'static str,
    /// One line for `--help`.
    pub help: &'static str,
}

/// Something of the language that answers with an error, because it can only fail behind the doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neutered {
    /// Its name in the language, as messages show it.
    pub what: &'static str,
    /// What brings it back.
    pub lift: Lift,
}

/// What brings back something neutered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lift {
    /// The grant of programs.
    Run,
    /// A grant of the network.
    Net,
    /// The host's own grant of this name.
    Extra(&'static str),
    /// Nothing but to go without neutering.
    Plain,
    /// Nothing at all, for this reason.
    Nothing(&'static str),
}

impl Lift {
    /// The flag, if there is one.
    #[must_use]
    pub fn flag(self) -> Option<String> {
        match self {
            Lift::Run => Some("--allow-run".into()),
            Lift::Net => Some("--allow-net=PORT".into()),
            Lift::Extra(name) => Some(format!("--allow-{name}")),
            Lift::Plain => Some(format!("--without={}", Without::Neutering.name())),
            Lift::Nothing(_) => None,
        }
    }
}
