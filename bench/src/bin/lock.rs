//! Closes hlua's doors around itself once, and prints how long that took, in nanoseconds.
//!
//! What is timed is what stands between an interpreter that is up and the first line of a script.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sandbox_core::{Failure, Options, Policy, Sandbox};

fn main() -> ExitCode {
    match lock() {
        Ok(took) => {
            println!("{}", took.as_nanos());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("lock: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The policy of `hlua script`.
fn lock() -> Result<Duration, Failure> {
    let options = Options::parse(&hlua::PROFILE, std::env::args_os().chain([OsString::from("-")]))?;
    let policy = Policy::of(&options, &hlua::PROFILE, false)?;
    let sandbox = Sandbox::prepare(&policy, &hlua::PROFILE, None, None)?;
    let start = Instant::now();
    let _sealed = sandbox.confine()?.seal()?;
    Ok(start.elapsed())
}
