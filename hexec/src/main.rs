//! hexec: runs a command beneath which scripts run by their interpreters also where nothing may be executed.
//!
//! `flags` is the table of options, `options` what was typed, `securebits` what the kernel is told about scripts, `preload`
//! and `supervisor` the two ways to evaluate shebangs, `launch` the start of the command, `failure` every sentence for
//! users and every status.

// Rust's own start would change SIGPIPE, which the command inherits.
#![cfg_attr(not(test), no_main)]

mod failure;
mod launch;
mod options;
mod preload;
mod securebits;
#[cfg(target_arch = "x86_64")]
mod supervisor;

use std::io::{self, Write};

use failure::Failure;
use hexec_flags::By;
use options::{Action, Options};

/// Where the C library starts us.
#[allow(unsafe_code, reason = "the name is the C library's, and nobody else defines it")]
#[cfg_attr(not(test), unsafe(export_name = "main"))]
#[cfg_attr(test, allow(dead_code, reason = "tests have a main function of their own"))]
extern "C" fn start() -> std::ffi::c_int {
    match run() {
        Ok(status) => status,
        Err(failure) => {
            // Where standard error cannot be written there is nobody to tell.
            let _ = io::stderr().write_all(format!("hexec: {failure}\n").as_bytes());
            failure.status()
        }
    }
}

fn run() -> Result<i32, Failure> {
    let options = match Options::parse(std::env::args_os())? {
        Action::Run(options) => options,
        Action::Print(text) => {
            return io::stdout().write_all(text.as_bytes()).map(|()| 0).map_err(Failure::Output);
        }
    };
    securebits::set(options.securebits)?;
    match options.by {
        By::Preload => Err(launch::start(&options.command, preload::environment(&options)?)),
        By::Supervisor => supervise(options),
    }
}

#[cfg(target_arch = "x86_64")]
fn supervise(options: Options) -> Result<i32, Failure> {
    supervisor::run(options)
}

#[cfg(not(target_arch = "x86_64"))]
fn supervise(_options: Options) -> Result<i32, Failure> {
    Err(Failure::Machine)
}
