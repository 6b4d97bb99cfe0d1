//! hpython: CPython's command line inside a sandbox.
//!
//! `host` is the flow's five steps; `late` and `venv` are paths that wait for the doors, `advice` a line after a
//! traceback. The modules with `unsafe` code call CPython: `interpreter` (its start and end), `manners` (its audit hook),
//! `object` (its objects), `advice`; or stand before a C function: `leaving`, `memory`, `metadata`, `script`, `semaphores`.

// Rust's own start would change SIGPIPE and install a SIGSEGV handler, which `python3` does not.
#![cfg_attr(not(test), no_main)]

mod advice;
mod host;
mod interpreter;
mod late;
#[cfg(static_python)]
mod leaving;
mod manners;
mod memory;
mod metadata;
mod object;
mod script;
mod semaphores;
mod venv;

/// Where the C library starts us.
#[allow(unsafe_code, reason = "the name is the C library's, and nobody else defines it")]
#[cfg_attr(not(test), unsafe(export_name = "main"))]
#[cfg_attr(test, allow(dead_code, reason = "tests have a main function of their own"))]
extern "C" fn start() -> std::ffi::c_int {
    memory::take_pages();
    sandbox_core::main::<host::Hpython>()
}
