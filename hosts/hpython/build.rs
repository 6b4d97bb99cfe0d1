//! Links hpython as a shared library with an entry point: see `src/launch.rs`. CPython's functions it finds in python3.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rustc-link-arg-cdylib=-Wl,-e,hpython_start");
    // The unwinder as part of the file: its library would be one more to load, and asks the processor what it is.
    println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
}
