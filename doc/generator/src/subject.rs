//! What is described: a host, by its profile, or hexec, by its own table.

use sandbox_core::flags::Takes;
use sandbox_core::{Neutered, Profile, Switch};

use crate::shell::{self, Shown, Value};

/// A program with a page in section 1, and completions.
pub struct Subject {
    pub name: &'static str,
    /// The usage line of its page.
    pub synopsis: String,
    pub options: Vec<Shown>,
    /// Those of the interpreter.
    pub switches: &'static [Switch],
    /// Those of them whose value is the program.
    pub programs: &'static [&'static str],
    pub neutered: &'static [Neutered],
    pub rest: Rest,
}

/// What stands behind the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// A script and its arguments.
    Script,
    /// A command and its own.
    Command,
}

impl From<&'static Profile> for Subject {
    fn from(host: &'static Profile) -> Self {
        Subject {
            name: host.name,
            synopsis: format!("[\"sandbox_options\"] {}", host.synopsis),
            options: shell::options(host),
            switches: host.switches,
            programs: host.grammar.programs,
            neutered: host.neutered,
            rest: Rest::Script,
        }
    }
}

impl Subject {
    /// The program that is no host.
    pub fn hexec() -> Self {
        let shown = |flag: &'static hexec::Flag| Shown {
            name: flag.name.to_owned(),
            takes: flag.value.map_or(Takes::Nothing, Takes::Value),
            value: match flag.meaning {
                hexec::Meaning::By => Value::Words(hexec::FRONT_ENDS.to_vec()),
                hexec::Meaning::Skip => Value::Program,
                _ => Value::Unknown,
            },
            help: flag.help,
        };
        Subject {
            name: "hexec",
            synopsis: hexec::SYNOPSIS.to_owned(),
            options: hexec::FLAGS.iter().map(shown).collect(),
            switches: &[],
            programs: &[],
            neutered: &[],
            rest: Rest::Command,
        }
    }
}
