//! Another shell in bash's place: a program like those that scripts start, so it begins behind the doors.
#![allow(unsafe_code, reason = "execve(2) with the process's own strings has no safe form")]

use std::ffi::{CString, OsStr, OsString, c_char};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use hsh_profile::{PROFILE, SHELL};
use sandbox_core::{Failure, Invocation, Outcome, outcome};

/// The shell that the command line asks for, taken out of it: a path, or a name that is looked up in the system's directories.
///
/// # Errors
/// [`Failure::Boot`] when there is none of that name.
pub fn named(invocation: &mut Invocation) -> Result<Option<PathBuf>, Failure> {
    let Some(given) = invocation.switches.iter().rev().find(|given| given.name == SHELL) else {
        return Ok(None);
    };
    let name = given.value.clone().unwrap_or_default();
    let mut raw = std::mem::take(&mut invocation.raw).into_iter();
    while let Some(word) = raw.next() {
        if word == SHELL {
            raw.next();
        } else if !word.as_bytes().starts_with(b"--shell=") {
            invocation.raw.push(word);
        }
    }
    found(&name)
        .map(Some)
        .ok_or_else(|| Failure::boot(format!("there is no shell '{}'", name.to_string_lossy())))
}

fn found(name: &OsStr) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(name.into());
    }
    let places = ["/bin", "/usr/bin"].map(|place| Path::new(place).join(name));
    places.into_iter().find(|path| !name.is_empty() && path.is_file())
}

/// Becomes the shell.
pub fn start(shell: PathBuf, words: Vec<*mut c_char>, environment: *mut *mut c_char) -> Outcome {
    let shell = OsString::from(shell);
    if let Ok(path) = CString::new(shell.as_bytes()) {
        // SAFETY: a string that ends in NUL, and two arrays of such that end in null.
        unsafe { libc::execve(path.as_ptr(), words.as_ptr().cast(), environment.cast()) };
    }
    let error = io::Error::last_os_error();
    let why = if error.kind() == io::ErrorKind::PermissionDenied {
        "it may not be started"
    } else {
        "it cannot be started"
    };
    // Where standard error cannot be written there is nobody to tell.
    let _ = writeln!(io::stderr(), "{}: {}: {why}", PROFILE.name, shell.to_string_lossy());
    Outcome::Exit(outcome::SANDBOX)
}
