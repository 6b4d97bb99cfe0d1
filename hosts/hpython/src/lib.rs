//! hpython: CPython's command line inside a sandbox, around the distribution's own python3.
//!
//! `launch` is how it gets there, `host` the flow's five steps; `late` and `venv` are paths that wait for the doors, `advice`
//! a line after a traceback. The modules with `unsafe` code call CPython: `interpreter` (its start and end), `manners` (its
//! audit hook), `leaving` (a quicker end), `object` (its objects), `advice`; or stand before the C library: `memory`, `metadata`,
//! `script`, `semaphores`, `shared_memory`, `maps`, `callbacks`.
#![cfg_attr(test, allow(dead_code, reason = "tests are not launched"))]

mod advice;
#[cfg(all(target_arch = "x86_64", not(test)))]
mod callbacks;
mod host;
mod interpreter;
mod late;
#[cfg(not(test))]
mod launch;
mod leaving;
mod manners;
mod maps;
mod memory;
mod metadata;
mod object;
mod script;
mod semaphores;
mod shared_memory;
mod venv;
