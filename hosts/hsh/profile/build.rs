//! Compiles hsh's system call filters, and asks the distribution's bash for its release.

use std::process::Command;

/// The shell that hsh takes the place of.
const BASH: &str = "/bin/bash";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={BASH}");
    filter_compiler::embed_with_sockets("hsh");
    let script = "printf %s.%s.%s \"${BASH_VERSINFO[@]:0:3}\"";
    let output = Command::new(BASH)
        .args(["--norc", "-c", script])
        .output()
        .unwrap_or_else(|error| panic!("{BASH}: {error}"));
    assert!(output.status.success(), "{BASH}: {}", String::from_utf8_lossy(&output.stderr));
    println!("cargo::rustc-env=BASH_RELEASE={}", String::from_utf8_lossy(&output.stdout));
}
