//! Which files bash begins with: none that the policy keeps from it, or it would complain of each.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use sandbox_core::{Invocation, Policy};

/// Options of bash's that name its first files, or none.
const NAMED: [&str; 3] = ["--norc", "--rcfile", "--init-file"];

/// The options to put before the user's.
pub fn words(invocation: &Invocation, policy: &Policy) -> Vec<OsString> {
    if NAMED.iter().any(|name| invocation.has(name)) {
        return Vec::new();
    }
    // Without a dialogue bash reads ~/.bashrc only if it takes its standard input for a network's.
    if !policy.interactive {
        return vec!["--norc".into()];
    }
    let home = env::var_os("HOME").unwrap_or_default();
    if policy.reads(&Path::new(&home).join(".bashrc")) {
        return Vec::new();
    }
    // The system's own file comes first all the same.
    vec!["--rcfile".into(), "/dev/null".into()]
}
