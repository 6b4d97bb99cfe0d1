//! hsh: bash's command line inside a sandbox, around the distribution's own bash.
//!
//! `launch` is how it gets there, `host` the flow's five steps, `startup` says which files bash is to begin with,
//! `other` starts another shell, `limits` stands before a C function.
#![cfg_attr(test, allow(dead_code, reason = "tests are not launched"))]

mod host;
#[cfg(not(test))]
mod launch;
mod limits;
mod other;
mod startup;
