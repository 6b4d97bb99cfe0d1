//! hexec's options: one table for the parser, `--help`, the manual page and the completions.

/// What follows the name on the usage line.
pub const SYNOPSIS: &str = "[option] ... [--] command [argument] ...";

/// Who evaluates shebangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A process that the kernel asks about every `exec` beneath it.
    Supervisor,
    /// A library that is loaded into every program that is linked dynamically.
    Preload,
}

impl By {
    /// Both, the default first.
    pub const ALL: [By; 2] = [By::Supervisor, By::Preload];

    /// As it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            By::Supervisor => "supervisor",
            By::Preload => "preload",
        }
    }
}

/// Which option it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `--by`
    By,
    /// `--skip`
    Skip,
    /// `--restrict-file`
    RestrictFile,
    /// `--deny-interactive`
    DenyInteractive,
    /// `--lock`
    Lock,
    /// `--help`
    Help,
    /// `--version`
    Version,
}

/// One option.
#[derive(Debug)]
pub struct Flag {
    /// The name without dashes.
    pub name: &'static str,
    /// The name of its value, if it takes one.
    pub value: Option<&'static str>,
    /// What it means to the parser.
    pub meaning: Meaning,
    /// One line for `--help`.
    pub help: &'static str,
}

const fn flag(name: &'static str, value: Option<&'static str>, meaning: Meaning, help: &'static str) -> Flag {
    Flag { name, value, meaning, help }
}

/// Every option, in the order of `--help`.
pub const FLAGS: [Flag; 7] = [
    flag(
        "by",
        Some("WHO"),
        Meaning::By,
        "who reads #! lines: supervisor, asked about every exec, or preload, a library [supervisor]",
    ),
    flag(
        "skip",
        Some("PROGRAM"),
        Meaning::Skip,
        "leave alone what this program starts; a name or a path, may be repeated",
    ),
    flag(
        "restrict-file",
        None,
        Meaning::RestrictFile,
        "tell interpreters to run only files that may be executed (Linux 6.14)",
    ),
    flag(
        "deny-interactive",
        None,
        Meaning::DenyInteractive,
        "tell them to run no code that stands in no file",
    ),
    flag("lock", None, Meaning::Lock, "nobody beneath can take that back"),
    flag("help", None, Meaning::Help, "print this and leave"),
    flag("version", None, Meaning::Version, "print the version and leave"),
];

/// The option of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Flag> {
    const { &FLAGS }.iter().find(|flag| flag.name == name)
}

/// What `--help` prints.
#[must_use]
pub fn help() -> String {
    let lines = FLAGS.iter().map(|flag| {
        let value = flag.value.map(|value| format!("={value}")).unwrap_or_default();
        format!("  --{:<19}{}\n", format!("{}{value}", flag.name), flag.help)
    });
    format!(
        "\
Usage: hexec {SYNOPSIS}

Runs a command. Beneath it scripts run by the interpreters that their #! lines name, also on mounts with
noexec; programs there stay refused, by the kernel.

{}
The supervisor reaches static programs and raw system calls too; the library is faster, and reaches programs
that are linked dynamically.

The status is the command's; 125 when hexec itself fails, 126 when the command cannot be run, 127 when there
is none.
",
        lines.collect::<String>()
    )
}
