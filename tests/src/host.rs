//! The hosts under test, and the interpreters that they stand in for.

use serde::Deserialize;

/// A host under test.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// Lua.
    #[default]
    Hlua,
    /// Python.
    Hpython,
    /// bash.
    Hsh,
    /// JavaScript.
    Hnode,
}

impl Host {
    /// All of them.
    pub const ALL: [Host; 4] = [Host::Hlua, Host::Hpython, Host::Hsh, Host::Hnode];

    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Host::Hlua => "hlua",
            Host::Hpython => "hpython",
            Host::Hsh => "hsh",
            Host::Hnode => "hnode",
        }
    }

    /// What the tables call the real interpreter.
    pub fn interpreter(self) -> &'static str {
        match self {
            Host::Hlua => "lua5.4",
            Host::Hpython => "python3",
            Host::Hsh => "bash",
            Host::Hnode => "node",
        }
    }

    /// The name of the file that a row's script is written to.
    pub fn script(self) -> &'static str {
        match self {
            Host::Hlua => "script.lua",
            Host::Hpython => "script.py",
            Host::Hsh => "script.sh",
            Host::Hnode => "script.js",
        }
    }
}
