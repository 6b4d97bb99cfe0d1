//! `libhexec.so`: loaded first (`LD_PRELOAD`), it stands before the functions of the C library that start programs, and
//! before those that ask whether a file may be started. On a mount with `noexec` scripts run by their interpreter
//! then; programs stay refused, because the kernel is asked about the interpreter as about any program.
//!
//! The kernel is asked first, and only what it answers `EACCES` is looked at: elsewhere nothing changes and little is
//! lost. All but `posix_spawn` may be called between `vfork` and `exec`, where memory is the parent's: nothing allocates.
//!
//! - `exec`: the `exec` family; `search`: `PATH`; `spawn`: `posix_spawn`; `access`: `access` and its like
//! - `environment`: what children must get so that this library is loaded there too
//! - `strings`, `stack.c`: C's arrays of strings, and room on the stack for new ones
#![allow(unsafe_code, reason = "these functions are the C library's, with its pointers")]

mod access;
mod environment;
mod exec;
mod next;
mod search;
mod spawn;
mod strings;
