//! The probe's filters: hlua's, and with a grant of the network what they would be if Lua had sockets.

fn main() {
    filter_compiler::embed_with_sockets("hlua");
    println!("cargo::rerun-if-changed=build.rs");
}
