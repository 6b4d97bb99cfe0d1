//! hlua: the stand-alone Lua interpreter inside a sandbox.
//!
//! `host` is the flow's five steps; `program` does what `lua` does with its command line, `dialogue`
//! its interactive mode, `report` its messages. The modules with `unsafe` code are few: `state` (the
//! Lua API), `account` (memory), `interrupt` (SIGINT), `stdio` (C's streams), and those that stand
//! before a C function: `chunks`, `files`, `loading`, `native`, `descriptors`.

// Rust's own start would change SIGPIPE and install a SIGSEGV handler, which `lua` does not.
#![cfg_attr(not(test), no_main)]

mod account;
mod chunks;
mod clock;
mod descriptors;
mod dialogue;
mod environment;
mod files;
mod host;
mod interrupt;
mod line_source;
mod loading;
mod manners;
mod native;
mod program;
mod report;
mod script;
mod state;
mod stdio;
mod usage;

/// Where the C library starts us.
#[allow(unsafe_code, reason = "the name is the C library's, and nobody else defines it")]
#[cfg_attr(not(test), unsafe(export_name = "main"))]
#[cfg_attr(test, allow(dead_code, reason = "tests have a main function of their own"))]
extern "C" fn start() -> std::ffi::c_int {
    // The libraries are most of it.
    sandbox_core::pages::take_heap(44 << 10);
    sandbox_core::main::<host::Hlua>()
}
