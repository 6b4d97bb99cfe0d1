//! Where libnode lies in a place of its own, its programs are to find it there.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DEP_NODE_RPATH");
    if let Ok(directory) = env::var("DEP_NODE_RPATH") {
        println!("cargo::rustc-link-arg-bins=-Wl,--disable-new-dtags,-rpath,{directory}");
    }
    // These functions stand before the library's own of the same name.
    for symbol in [
        "_ZN4node12ReadFileSync*",
        "_ZN4node8builtins13BuiltinLoaderC1Ev",
        "chmod",
        "fchmod",
        "futimens",
        "utimensat",
        "sendfile64",
        "uv_resident_set_memory",
    ] {
        println!("cargo::rustc-link-arg-bins=-Wl,--export-dynamic-symbol={symbol}");
    }
}
