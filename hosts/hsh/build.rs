//! Links hsh as a shared library with an entry point: see `sandbox_core::launch`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=-Wl,-e,hsh_start");
}
