//! The process that becomes the command.
#![allow(unsafe_code, reason = "fork(2) is a foreign function")]

use std::env;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;

use super::filter::{self, Cookie};
use super::signals::Blocked;
use crate::failure::Failure;
use crate::launch;
use crate::options::Options;

/// Splits this process in two; the child's number, or none in the child.
///
/// # Errors
/// [`Failure::Step`].
pub fn fork(step: &'static str) -> Result<Option<i32>, Failure> {
    // SAFETY: there is one thread: the child may do what the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(Failure::last(step)),
        0 => Ok(None),
        child => Ok(Some(child)),
    }
}

/// Has its calls asked about, tells the supervisor where, waits for it, and becomes the command.
pub fn become_it(options: &Options, cookie: Cookie, mut tell: File, mut go: File, blocked: &Blocked) -> ! {
    let failure = match prepare(cookie, &mut tell, &mut go) {
        Ok(()) => {
            blocked.release();
            launch::start(&options.command, environment())
        }
        Err(failure) => failure,
    };
    // Where standard error cannot be written there is nobody to tell.
    let _ = io::stderr().write_all(format!("hexec: {failure}\n").as_bytes());
    // SAFETY: _exit touches no memory; what is buffered is the first process's.
    unsafe { libc::_exit(failure.status()) }
}

fn prepare(cookie: Cookie, tell: &mut File, go: &mut File) -> Result<(), Failure> {
    let step = |step| move |source| Failure::Step { step, source };
    let listener = filter::install(cookie)?;
    tell.write_all(&listener.to_ne_bytes()).map_err(step("reach the supervisor"))?;
    go.read_exact(&mut [0]).map_err(step("wait for the supervisor"))
}

fn environment() -> Vec<CString> {
    let variable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default()
    };
    env::vars_os().map(variable).collect()
}
