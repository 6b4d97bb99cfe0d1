//! What hlua asks of the sandbox, as data: the same for the program `hlua` and for the tests that
//! enter its sandbox without Lua.

use std::ffi::CStr;

use sandbox_core::{Extra, Grammar, Lift, Neutered, Profile, Switch};

/// Lua's release, as `lua -v` names it; a test compares it with what is linked.
pub const RELEASE: &str = "Lua 5.4.8";

/// hlua's declaration.
pub static PROFILE: Profile = Profile {
    name: "hlua",
    synopsis: "[-e stat] [-l mod] [-l g=mod] [-i] [-v] [-E] [-W] [--] [-] [script [args]]",
    version: RELEASE,
    switches: &SWITCHES,
    grammar: Grammar::PLAIN,
    environment: &[],
    library: &LIBRARY,
    launchers: &["/bin/sh"],
    sockets: false,
    messages: false,
    extras: &EXTRAS,
    neutered: &[EXECUTE, POPEN, LOADLIB, C_LIBRARY, CHUNK, REGISTRY],
    filters: &FILTERS,
    threads: false,
    counts_memory: true,
    memory: 1 << 30,
    jit: None,
    // Generous, so that Lua's count ends a script with an error it can catch before the kernel does.
    memory_overhead: 256 << 20,
    least_memory: 1 << 20,
    launches: false,
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

/// `os.execute`
pub const EXECUTE: Neutered = Neutered { what: "os.execute", lift: Lift::Run };
/// `io.popen`
pub const POPEN: Neutered = Neutered { what: "io.popen", lift: Lift::Run };
/// `package.loadlib`
pub const LOADLIB: Neutered = Neutered { what: "package.loadlib", lift: NOTHING };
/// The searchers of `require` that look for C libraries.
pub const C_LIBRARY: Neutered = Neutered { what: "a C library for require", lift: NOTHING };
/// What `load` and its like would take for a chunk that was compiled before.
pub const CHUNK: Neutered = Neutered { what: "a precompiled chunk", lift: Lift::Extra(BYTECODE) };
/// `debug.getregistry`
pub const REGISTRY: Neutered = Neutered { what: "debug.getregistry", lift: Lift::Plain };

const NOTHING: Lift = Lift::Nothing(match NO_NATIVE_CODE.to_str() {
    Ok(reason) => reason,
    Err(_) => panic!("the reason is text"),
});

/// Why C libraries are not loaded.
pub const NO_NATIVE_CODE: &CStr = c"hlua loads no native code";

/// The name of the grant of precompiled chunks.
const BYTECODE: &str = "bytecode";

static EXTRAS: [Extra; 1] =
    [Extra { name: BYTECODE, help: "let load, dofile and require take precompiled chunks" }];

/// Where `require` looks. All versions' directories: Debian's 5.4 holds links into those of others.
static LIBRARY: [&str; 3] = ["/usr/share/lua", "/usr/local/share/lua", "/usr/local/lib/lua"];
