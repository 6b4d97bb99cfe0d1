//! hpython is a shared library that can be run: it starts the distribution's python3 with itself loaded first.
//!
//! The library for embedding that distributions ship beside it is slower: it is not optimised as a whole.
#![allow(unsafe_code, reason = "the entry point and a function of the C library have fixed names")]

use std::ffi::{CStr, c_int};

use sandbox_core::launch::Library;

use crate::host::Hpython;

impl Library for Hpython {
    /// The file behind `/usr/bin/python3`, of the release that this program was built for.
    const PROGRAM: &'static str = hpython_profile::PROGRAM;
    const NAME: &'static str = hpython_profile::NAME;
    const GUARD: &'static CStr = c"--hpython-was-not-loaded-and-nothing-was-run";

    fn main() -> c_int {
        crate::memory::take_pages();
        sandbox_core::main::<Hpython>()
    }
}

sandbox_core::runs_as_library!(Hpython, "hpython_start");
