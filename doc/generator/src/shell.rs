//! The options of a host as a reader or a shell sees them: the shared table and the host's own grants.

use sandbox_core::Profile;
use sandbox_core::flags::{FLAGS, Meaning, Takes};
use sandbox_core::options::Without;

/// One option.
pub struct Shown {
    /// The name without dashes.
    pub name: String,
    /// Its value.
    pub takes: Takes,
    /// What a value can be.
    pub value: Value,
    /// The line of `--help`.
    pub help: &'static str,
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
pub fn options(host: &Profile) -> Vec<Shown> {
    let shared = FLAGS.iter().filter(|flag| host.sockets || flag.meaning != Meaning::Net).map(|flag| Shown {
        name: flag.name.to_owned(),
        takes: flag.takes,
        value: value(flag.meaning),
        help: flag.help,
    });
    let own = host.extras.iter().map(|extra| Shown {
        name: format!("allow-{}", extra.name),
        takes: Takes::Nothing,
        value: Value::Unknown,
        help: extra.help,
    });
    shared.chain(own).collect()
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
