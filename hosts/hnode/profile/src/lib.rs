//! What hnode asks of the sandbox, as data: the same for the program `hnode` and for the tests that enter its
//! sandbox without Node.

mod switches;

use sandbox_core::{Grammar, Lift, Neutered, Profile};

pub use switches::{REFUSED, REFUSED_VARIABLES};

/// hnode's declaration.
pub static PROFILE: Profile = Profile {
    name: "hnode",
    synopsis: "[options] [script.js | -e script | -] [arguments]",
    version: "Node.js 18",
    switches: switches::SWITCHES,
    grammar: GRAMMAR,
    environment: &[],
    library: &LIBRARY,
    launchers: &["/bin/sh"],
    sockets: true,
    messages: true,
    extras: &[],
    neutered: &NEUTERED,
    filters: &FILTERS,
    threads: true,
    counts_memory: false,
    memory: 2 << 30,
    jit: Some("--jitless"),
    // V8 reserves addresses by the gigabyte, ten for each memory of WebAssembly: what counts is what it uses.
    memory_overhead: 1 << 44,
    least_memory: 128 << 20,
    launches: false,
};

static FILTERS: [&[u8]; 128] = include!(concat!(env!("OUT_DIR"), "/filters.rs"));

/// As Node reads them; it words its own mistakes.
const GRAMMAR: Grammar = Grammar {
    scriptless: &["-e", "--eval", "-p", "--print", "-pe"],
    long: true,
    explains_itself: true,
    ..Grammar::PLAIN
};

/// What Node, its libraries and OpenSSL read late: their own files, the system's modules, certificates.
static LIBRARY: [&str; 8] = [
    "/usr/share/nodejs",
    "/usr/lib/nodejs",
    "/usr/lib/x86_64-linux-gnu/nodejs",
    "/usr/share/node_modules",
    "/usr/lib/node_modules",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/usr/share/ca-certificates",
];

const fn program(what: &'static str) -> Neutered {
    Neutered { what, lift: Lift::Run }
}

const fn never(what: &'static str, why: &'static str) -> Neutered {
    Neutered { what, lift: Lift::Nothing(why) }
}

/// By the names that scripts know.
pub static NEUTERED: [Neutered; 12] = [
    program("child_process.spawn"),
    program("child_process.spawnSync"),
    program("cluster.fork"),
    Neutered { what: "the network", lift: Lift::Net },
    never("native code", "hnode loads no native code"),
    never("inspector", "a debugger reaches every part of the process"),
    never("process.report", "a report tells of the process and the machine"),
    never("setuid", "the process has no privileges to change"),
    never("kill", "a script signals no process but its own"),
    never("v8.setFlagsFromString", "V8's flags could take its own checks away"),
    never("process.binding", "it hands out Node's own insides"),
    never("links", "a link could name what is not granted"),
];
