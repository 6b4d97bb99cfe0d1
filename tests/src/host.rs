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
    /// JavaScript.
    Hnode,
}

impl Host {
    /// All of them.
    pub const ALL: [Host; 3] = [Host::Hlua, Host::Hpython, Host::Hnode];

    /// The program's name.
    pub fn name(self) -> &'static str {
        match self {
            Host::Hlua => "hlua",
            Host::Hpython => "hpython",
            Host::Hnode => "hnode",
        }
    }

    /// What the tables call the real interpreter.
    pub fn interpreter(self) -> &'static str {
        match self {
            Host::Hlua => "lua5.4",
            Host::Hpython => "python3",
            Host::Hnode => "node",
        }
    }

    /// The name of the file that a row's script is written to.
    pub fn script(self) -> &'static str {
        match self {
            Host::Hlua => "script.lua",
            Host::Hpython => "script.py",
            Host::Hnode => "script.js",
        }
    }
}
