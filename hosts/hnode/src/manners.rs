//! What can only fail behind the doors answers with an error that names the flag. These are manners, not the wall:
//! whoever gets around them meets the kernel.

use std::fmt::Write as _;

use hnode_profile::NEUTERED;
use sandbox_core::{Policy, denial};

/// The module that Node runs before anything of the user's, in every realm and thread.
const PRELOAD: &str = include_str!("preload.js");

/// The module's source: what this policy refuses, as data, and the functions that see to it.
pub fn preload(policy: &Policy) -> String {
    let mut source = String::from("'use strict';const REFUSED={__proto__:null,");
    for neutered in NEUTERED.iter().filter(|neutered| !policy.lifts(neutered.lift)) {
        let _ = write!(source, "{:?}:{:?},", neutered.what, denial::neutered(neutered));
    }
    let _ = writeln!(source, "}};const NEUTERING={};", policy.neutering());
    source.push_str(PRELOAD);
    source
}

/// What a script is told that wants a debugger for a worker; empty, if the policy refuses none by name.
pub fn no_debugger(policy: &Policy) -> String {
    let inspector =
        NEUTERED.iter().find(|neutered| neutered.what == "inspector" && !policy.lifts(neutered.lift));
    inspector.filter(|_| policy.neutering()).map_or_else(String::new, denial::neutered)
}
