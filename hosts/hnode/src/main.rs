//! hnode: Node.js inside a sandbox, around the distribution's own libnode.
//!
//! `host` is the flow's five steps, `node` the interpreter behind them, `manners` what refuses by name, in JavaScript:
//! `preload.js`; `stand_in` has functions that stand before libuv's. All C++ is in the crate `hnode-sys`.

// Rust's own start would change SIGPIPE and install a SIGSEGV handler, which `node` does not.
#![cfg_attr(not(test), no_main)]

mod host;
mod manners;
mod node;
mod stand_in;

/// Where the C library starts us.
#[allow(unsafe_code, reason = "the name is the C library's, and nobody else defines it")]
#[cfg_attr(not(test), unsafe(export_name = "main"))]
#[cfg_attr(test, allow(dead_code, reason = "tests have a main function of their own"))]
extern "C" fn start(argc: std::ffi::c_int, argv: *mut *mut std::ffi::c_char) -> std::ffi::c_int {
    node::keep_title(argc, argv);
    node::leave(sandbox_core::main::<host::Hnode>())
}
