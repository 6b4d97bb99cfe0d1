//! The options of a program as a reader or a shell sees them: of a host the shared table and its own grants.

use sandbox_core::flags::{FLAGS, Flag, Meaning, Takes};
use sandbox_core::limits::Budget;
use sandbox_core::options::Without;
use sandbox_core::units::Limit;
use sandbox_core::{Profile, Switch};

/// A program that has a page and completions.
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// What follows the name on the usage line, but for the sandbox's options.
    pub synopsis: &'static str,
    /// Its options; of a host those of the sandbox.
    pub options: Vec<Shown>,
    /// The host that it is; else what follows the options is a command.
    pub host: Option<&'static Profile>,
}

impl Command {
    /// A host.
    pub fn host(host: &'static Profile) -> Command {
        Command { name: host.name, synopsis: host.synopsis, options: options(host), host: Some(host) }
    }

    /// hexec, which is none.
    pub fn hexec() -> Command {
        let options = hexec_flags::FLAGS.iter().map(|flag| Shown {
            name: flag.name.to_owned(),
            takes: flag.value.map_or(Takes::Nothing, Takes::Value),
            value: match flag.meaning {
                hexec_flags::Meaning::By => {
                    Value::Words(hexec_flags::By::ALL.map(hexec_flags::By::name).to_vec())
                }
                hexec_flags::Meaning::Skip => Value::Program,
                _ => Value::Unknown,
            },
            help: flag.help.to_owned(),
        });
        Command { name: "hexec", synopsis: hexec_flags::SYNOPSIS, options: options.collect(), host: None }
    }

    /// The interpreter's own options.
    pub fn switches(&self) -> &'static [Switch] {
        self.host.map_or(&[], |host| host.switches)
    }

    /// Those whose value is the program.
    pub fn programs(&self) -> &'static [&'static str] {
        self.host.map_or(&[], |host| host.grammar.programs)
    }

    /// Its other options that take a value.
    pub fn valued_switches(&self) -> impl Iterator<Item = &'static Switch> {
        let programs = self.programs();
        self.switches().iter().filter(move |switch| switch.value && !programs.contains(&switch.name))
    }
}

/// One option.
pub struct Shown {
    /// The name without dashes.
    pub name: String,
    /// Its value.
    pub takes: Takes,
    /// What a value can be.
    pub value: Value,
    /// The line of `--help`.
    pub help: String,
}

/// What a shell can offer for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing that it knows.
    Unknown,
    /// Paths.
    File,
    /// Programs.
    Program,
    /// Names of environment variables.
    Variable,
    /// One of these beginnings; those that end in `:` or `=` go on.
    Words(Vec<&'static str>),
}

/// The kernel's resource limits, by the names of prlimit(1).
const RESOURCES: [&str; 15] = [
    "as=",
    "core=",
    "cpu=",
    "data=",
    "fsize=",
    "locks=",
    "memlock=",
    "msgqueue=",
    "nice=",
    "nofile=",
    "nproc=",
    "rss=",
    "rtprio=",
    "sigpending=",
    "stack=",
];

/// Those of the sandbox, in the order of `--help`.
fn options(host: &Profile) -> Vec<Shown> {
    let shared = FLAGS.iter().filter(|flag| host.sockets || flag.meaning != Meaning::Net).map(|flag| Shown {
        name: flag.name.to_owned(),
        takes: flag.takes,
        value: value(flag.meaning),
        help: help(host, flag),
    });
    let own = host.extras.iter().map(|extra| Shown {
        name: format!("allow-{}", extra.name),
        takes: Takes::Nothing,
        value: Value::Unknown,
        help: extra.help.to_owned(),
    });
    shared.chain(own).collect()
}

/// As `--help` words it: how much memory a script has where nobody says it depends on the host.
fn help(host: &Profile, flag: &Flag) -> String {
    match flag.meaning {
        Meaning::Limit(Budget::Memory) => {
            format!("{} [{}]", flag.help, Budget::Memory.unit().show(Limit::At(host.memory)))
        }
        _ => flag.help.to_owned(),
    }
}

fn value(meaning: Meaning) -> Value {
    match meaning {
        Meaning::Read | Meaning::Write | Meaning::Policy => Value::File,
        Meaning::Run => Value::Program,
        Meaning::Env => Value::Variable,
        Meaning::Net => Value::Words(vec!["connect:", "listen:"]),
        Meaning::Without => Value::Words(Without::ALL.map(Without::name).to_vec()),
        Meaning::Rlimit => Value::Words(RESOURCES.to_vec()),
        Meaning::Limit(_) => Value::Words(vec!["none"]),
        Meaning::PrivateTmp | Meaning::Explain | Meaning::Help | Meaning::Version => Value::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_knows_every_resource() {
        for name in RESOURCES {
            let known = sandbox_core::limits::resource(name.trim_end_matches('='));
            assert!(known.is_some(), "{name}");
        }
    }
}
