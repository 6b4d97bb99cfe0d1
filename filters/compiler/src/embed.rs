//! Which files belong together, and what a host's build script does with them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::{Arch, Error, Role, Ruleset, Text};

/// The grants. The position is the bit in the index of an embedded program. Those that not every host can be given come
/// last, so that a host without sockets, or without a compiler, embeds the first part of the array only.
pub const GRANTS: [&str; 7] = ["write", "run", "signal", "terminal", "connect", "listen", "jit"];

/// How many of [`GRANTS`] every host can be given.
const WITHOUT_SOCKETS: usize = 4;

/// How many of [`GRANTS`] a host can be given that has sockets.
const WITHOUT_JIT: usize = 6;

/// Lists that several grants share: the name, and the grants of which each brings it.
const SHARED: [(&str, [&str; 2]); 1] = [("net", ["connect", "listen"])];

/// Where the lists of this workspace are.
pub fn filters_directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Reads the base, a host's list and the lists of `granted`, with what they share. A file `A+B.filter` holds what only
/// both grants together open, or, where A is a host, what a grant opens in that host only.
pub fn load(directory: &Path, host: &str, granted: &[&str]) -> Result<Ruleset, Error> {
    let mut texts = vec![read(directory, "base", Role::Closed)?, read(directory, host, Role::Closed)?];
    let shared = SHARED.iter().filter(|(_, by)| by.iter().any(|grant| granted.contains(grant)));
    for name in granted.iter().chain(shared.map(|(name, _)| name)) {
        texts.push(read(directory, name, Role::Grant)?);
    }
    for name in combinations(directory)? {
        if name.split('+').all(|part| part == host || granted.contains(&part)) {
            texts.push(read(directory, &name, Role::Grant)?);
        }
    }
    Ruleset::parse(&texts)
}

/// The names of the files with a plus, in alphabetical order.
fn combinations(directory: &Path) -> Result<Vec<String>, Error> {
    let unreadable = |error| Error::new(format!("{}: {error}", directory.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.file_name();
        let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".filter")) else {
            continue;
        };
        if name.contains('+') {
            names.push(known_combination(directory, name)?);
        }
    }
    names.sort();
    Ok(names)
}

fn known_combination(directory: &Path, name: &str) -> Result<String, Error> {
    let known = |part: &str| directory.join(format!("{part}.filter")).exists();
    match name.split('+').find(|part| !known(part)) {
        Some(part) => Err(Error::new(format!("{name}.filter: there is no grant or host '{part}'"))),
        None => Ok(name.to_owned()),
    }
}

fn read(directory: &Path, name: &str, role: Role) -> Result<Text, Error> {
    let file = format!("{name}.filter");
    let content =
        fs::read_to_string(directory.join(&file)).map_err(|error| Error::new(format!("{file}: {error}")))?;
    Ok(Text { name: format!("filters/{file}"), role, content })
}

/// Compiles the lists of a host without sockets for the target of the build: one program for every set of grants, and
/// `OUT_DIR/filters.rs`, an expression for `include!`: the array of the 16 programs, indexed by the bits of [`GRANTS`].
///
/// # Panics
///
/// Outside a build script, and on every error in the lists: the message is the build's.
pub fn embed(host: &str) {
    embed_sets(host, WITHOUT_SOCKETS);
}

/// The same for a host that has sockets: an array of 64 programs, of which the first 16 close the network.
///
/// # Panics
///
/// As [`embed`].
pub fn embed_with_sockets(host: &str) {
    embed_sets(host, WITHOUT_JIT);
}

/// The same for a host that has sockets and compiles while it runs: an array of 128 programs, of which the first 64 make no
/// memory executable.
///
/// # Panics
///
/// As [`embed`].
pub fn embed_with_jit(host: &str) {
    embed_sets(host, GRANTS.len());
}

fn embed_sets(host: &str, grants_known: usize) {
    let target = variable("CARGO_CFG_TARGET_ARCH");
    let Some(arch) = Arch::named(&target) else {
        panic!("there are no filters for the architecture {target}");
    };
    let directory = filters_directory();
    println!("cargo::rerun-if-changed={}", directory.display());
    let out = PathBuf::from(variable("OUT_DIR"));
    let mut array = String::from("[\n");
    for set in 0..1 << grants_known {
        let granted = grants(set);
        let rules = load(directory, host, &granted).unwrap_or_else(|error| panic!("{error}"));
        let name = [&[host], granted.as_slice()].concat().join("+") + ".bpf";
        write(&out.join(&name), &rules.compile(arch).to_bytes());
        array += &format!("    include_bytes!({name:?}) as &[u8],\n");
    }
    write(&out.join("filters.rs"), (array + "]\n").as_bytes());
}

/// The grants whose bits are set.
pub fn grants(set: usize) -> Vec<&'static str> {
    GRANTS.into_iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, grant)| grant).collect()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|error| panic!("{name}: {error}; embed() is for build scripts"))
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
