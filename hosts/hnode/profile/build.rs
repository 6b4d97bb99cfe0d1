//! Compiles hnode's system call filters.

fn main() {
    filter_compiler::embed_with_jit("hnode");
    println!("cargo::rerun-if-changed=build.rs");
}
