//! What hlua asks of the sandbox, as data: the same for the program `hlua` and for the tests that
//! enter its sandbox without Lua.

use sandbox_core::{Extra, Grammar, Profile, Script, Switch};

/// Lua's release, as `lua -v` names it.
pub const RELEASE: &str = "Lua 5.4.8";

/// hlua's declaration.
pub static PROFILE: Profile = Profile {
    name: "hlua",
    synopsis: "[-e stat] [-l mod] [-l g=mod] [-i] [-v] [-E] [-W] [--] [-] [script [args]]",
    version: RELEASE,
    switches: &SWITCHES,
    grammar: Grammar::PLAIN,
    script: Script::Text,
    environment: &[],
    library: &LIBRARY,
    launchers: &["/bin/sh"],
    extras: &EXTRAS,
    filters: &FILTERS,
    threads: false,
    counts_memory: true,
    // Generous, so that Lua's count ends a script with an error it can catch before the kernel does.
    memory_overhead: 256 << 20,
    least_memory: 1 << 20,
};

static FILTERS: [&[u8]; 16] = include!(concat!(env!("OUT_DIR"), "/filters.rs"));

static SWITCHES: [Switch; 6] = [
    Switch { name: "-e", value: true, help: "execute string 'stat'" },
    Switch { name: "-i", value: false, help: "enter interactive mode after executing 'script'" },
    Switch { name: "-l", value: true, help: "require library 'mod' into global 'mod' or 'g'" },
    Switch { name: "-v", value: false, help: "show version information" },
    Switch { name: "-E", value: false, help: "ignore environment variables" },
    Switch { name: "-W", value: false, help: "turn warnings on" },
];

static EXTRAS: [Extra; 1] =
    [Extra { name: "bytecode", help: "let load, dofile and require take precompiled chunks" }];

/// Where `require` looks. All versions' directories: Debian's 5.4 holds links into those of others.
static LIBRARY: [&str; 3] = ["/usr/share/lua", "/usr/local/share/lua", "/usr/local/lib/lua"];
