//! The sandbox's own options: one table for the parser, `--help` and whoever documents them.

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// One, after `=` or as the next argument.
    Value(&'static str),
    /// One after `=`, or none.
    Optional(&'static str),
}

/// Which option it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `--allow-read`
    Read,
    /// `--allow-write`
    Write,
    /// `--allow-run`
    Run,
    /// `--allow-net`
    Net,
    /// `--allow-env`
    Env,
    /// `--limit-...`
    Limit(crate::limits::Budget),
    /// `--rlimit`
    Rlimit,
    /// `--policy`
    Policy,
    /// `--private-tmp`
    PrivateTmp,
    /// `--without`
    Without,
    /// `--explain`
    Explain,
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
    /// Its value.
    pub takes: Takes,
    /// What it means to the parser.
    pub meaning: Meaning,
    /// One line for `--help`.
    pub help: &'static str,
}

use crate::limits::Budget;
use Meaning as M;
use Takes::{Nothing, Optional, Value};

const fn flag(name: &'static str, takes: Takes, meaning: Meaning, help: &'static str) -> Flag {
    Flag { name, takes, meaning, help }
}

/// Every option that all hosts have, in the order of `--help`.
pub const FLAGS: &[Flag] = &[
    flag(
        "allow-read",
        Value("PATH"),
        M::Read,
        "let the script read a file, or everything beneath a directory",
    ),
    flag(
        "allow-write",
        Value("PATH"),
        M::Write,
        "let it write, create and remove there; reading is not implied",
    ),
    flag(
        "allow-run",
        Optional("PROGRAM"),
        M::Run,
        "let it start this program, or those of the system; they stay in the sandbox",
    ),
    flag(
        "allow-net",
        Value("PORT"),
        M::Net,
        "let it use a TCP port; connect:PORT or listen:PORT for one direction",
    ),
    flag("allow-env", Value("NAME"), M::Env, "let one environment variable in"),
    flag("limit-memory", Value("SIZE"), M::Limit(Budget::Memory), "memory for the script"),
    flag("limit-cpu", Value("TIME"), M::Limit(Budget::Cpu), "CPU time, whole seconds [60s]"),
    flag(
        "limit-time",
        Value("TIME"),
        M::Limit(Budget::Time),
        "time by the clock; status 124 when it is over [none]",
    ),
    flag("limit-files", Value("N"), M::Limit(Budget::Files), "open files [256]"),
    flag(
        "limit-file-size",
        Value("SIZE"),
        M::Limit(Budget::FileSize),
        "size of a file that is written [256M]",
    ),
    flag("limit-processes", Value("N"), M::Limit(Budget::Processes), "processes and threads [64]"),
    flag("rlimit", Value("NAME=N"), M::Rlimit, "one of the kernel's resource limits by its name"),
    flag(
        "private-tmp",
        Nothing,
        M::PrivateTmp,
        "give it an empty directory as TMPDIR, which is removed at the end",
    ),
    flag("policy", Value("FILE"), M::Policy, "read grants and limits from a TOML file"),
    flag(
        "without",
        Value("NAME"),
        M::Without,
        "go without landlock, seccomp, scopes or neutering: weaker, and said so",
    ),
    flag("explain", Nothing, M::Explain, "print the policy and what enforces it; run nothing"),
    flag("help", Nothing, M::Help, "print this and leave"),
    flag("version", Nothing, M::Version, "print the version and leave"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (i, flag) in FLAGS.iter().enumerate() {
            assert!(flag.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(FLAGS[..i].iter().all(|other| other.name != flag.name));
            assert!(!flag.help.ends_with('.') && flag.help.len() <= 80, "{}", flag.name);
        }
        for budget in Budget::ALL {
            let name = format!("limit-{}", budget.key());
            assert!(FLAGS.iter().any(|flag| flag.name == name && flag.meaning == M::Limit(budget)));
        }
    }
}
