//! hpython: CPython's command line inside a sandbox.
//!
//! `host` is the flow's five steps. The modules with `unsafe` code are few: `interpreter` (CPython's start and end),
//! `script` (stands before a C function).

// Rust's own start would change SIGPIPE and install a SIGSEGV handler, which `python3` does not.
#![cfg_attr(not(test), no_main)]

mod host;
mod interpreter;
mod script;

/// Where the C library starts us.
#[allow(unsafe_code, reason = "the name is the C library's, and nobody else defines it")]
#[cfg_attr(not(test), unsafe(export_name = "main"))]
#[cfg_attr(test, allow(dead_code, reason = "tests have a main function of their own"))]
extern "C" fn start() -> std::ffi::c_int {
    sandbox_core::main::<host::Hpython>()
}
