//! hsh is a shared library that can be run: it starts the distribution's bash with itself loaded first.
#![allow(unsafe_code, reason = "the entry point and a function of the C library have fixed names")]

use std::ffi::{CStr, c_int};

use sandbox_core::launch::Library;

use crate::host::Hsh;

impl Library for Hsh {
    const PROGRAM: &'static str = hsh_profile::PROGRAM;
    const NAME: &'static str = hsh_profile::PROFILE.name;
    const GUARD: &'static CStr = c"--hsh-was-not-loaded-and-nothing-was-run";

    fn main() -> c_int {
        sandbox_core::main::<Hsh>()
    }
}

sandbox_core::runs_as_library!(Hsh, "hsh_start");
