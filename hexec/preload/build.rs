//! Compiles what Rust cannot say: variable argument lists and room on the stack.

fn main() {
    println!("cargo:rerun-if-changed=src/stack.c");
    let mut build = cc::Build::new();
    build.file("src/stack.c").opt_level(2).pic(true).warnings_into_errors(true);
    // The compiler knows the exec family by heart, null arguments excluded.
    build.flag("-fno-builtin").compile("hexec-stack");
}
