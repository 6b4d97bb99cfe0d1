//! The options of hexec: the parser, `--help`, the manual page and the completions all follow this table.

/// An option.
#[derive(Debug)]
pub struct Flag {
    /// Its name without dashes.
    pub name: &'static str,
    /// What its value is called, if it takes one.
    pub value: Option<&'static str>,
    /// What it does, in half a sentence.
    pub help: &'static str,
    /// What it means.
    pub meaning: Meaning,
}

/// What an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Who evaluates shebangs.
    By,
    /// A program that is left alone.
    Skip,
    /// A securebit: see `Documentation/userspace-api/check_exec.rst` of the kernel.
    RestrictFile,
    /// Another.
    DenyInteractive,
    /// Their locks.
    Lock,
    /// The text below.
    Help,
    /// The version.
    Version,
}

/// The front ends, the default first.
pub const FRONT_ENDS: [&str; 2] = ["supervisor", "preload"];

/// How it is called.
pub const SYNOPSIS: &str = "[option] ... [--] COMMAND [ARGUMENT] ...";

/// In the order of `--help`.
pub static FLAGS: [Flag; 7] = [
    Flag {
        name: "by",
        value: Some("FRONTEND"),
        help: "who evaluates #! lines: supervisor or preload [supervisor]",
        meaning: Meaning::By,
    },
    Flag {
        name: "skip",
        value: Some("PROGRAM"),
        help: "leave alone what this program starts; a name or a path, may be repeated",
        meaning: Meaning::Skip,
    },
    Flag {
        name: "restrict-file",
        value: None,
        help: "tell interpreters to run only files that may be executed (Linux 6.14)",
        meaning: Meaning::RestrictFile,
    },
    Flag {
        name: "deny-interactive",
        value: None,
        help: "tell them to run no code that stands in no file",
        meaning: Meaning::DenyInteractive,
    },
    Flag { name: "lock", value: None, help: "nobody beneath can take that back", meaning: Meaning::Lock },
    Flag { name: "help", value: None, help: "print this and leave", meaning: Meaning::Help },
    Flag { name: "version", value: None, help: "print the version and leave", meaning: Meaning::Version },
];
