//! A C interface of a few functions to libnode, which speaks C++: see `shim.h`.
#![allow(unsafe_code, reason = "the functions are C")]

use std::ffi::{c_char, c_int, c_uint, c_void};

/// The release of Node that this was built with, such as `18.20.4`.
pub const RELEASE: &str = env!("NODE_RELEASE");

unsafe extern "C" {
    /// Keeps the block of the command line, which the process's title is written into.
    pub fn hnode_keep_title(argc: c_int, argv: *mut *mut c_char);
    /// Calls `each` with the words of `NODE_OPTIONS` as Node splits them.
    pub fn hnode_split_options(
        options: *const c_char,
        each: unsafe extern "C" fn(into: *mut c_void, word: *const c_char),
        into: *mut c_void,
    );
    /// Reads the command line and starts all that needs no thread; 1 when the run is over, with `status`.
    pub fn hnode_initialize(
        argc: c_int,
        argv: *const *const c_char,
        preload: *const c_char,
        status: *mut c_int,
    ) -> c_int;
    /// Starts threads and the environment; 0, or -1 with a sentence in `error`.
    pub fn hnode_start(
        threads: c_uint,
        heap: c_uint,
        source: *const c_char,
        length: usize,
        hint: *const c_char,
        debugger: *const c_char,
        error: *mut c_char,
        size: usize,
    ) -> c_int;
    /// Runs the user's program to its end; the exit status.
    pub fn hnode_run() -> c_int;
    /// Ends the process.
    pub fn hnode_leave(status: c_int) -> !;
}
