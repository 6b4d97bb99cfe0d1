//! The script is read through the descriptor that was opened before the doors: what was opened is what runs, also where
//! the name can be opened only once, as that of a pipe.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::{CStr, OsString, c_char};
use std::fs::File;
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;

/// The script, until CPython opens it.
static SCRIPT: Mutex<Option<(OsString, File)>> = Mutex::new(None);

/// From now on CPython's first open of this name is answered with this descriptor.
pub fn read_through(name: OsString, file: File) {
    if let Ok(mut script) = SCRIPT.lock() {
        *script = Some((name, file));
    }
}

/// Takes the script's descriptor, if it is meant.
fn take(path: &CStr) -> Option<File> {
    let mut script = SCRIPT.lock().ok()?;
    let (_, file) = script.take_if(|(name, _)| name.as_bytes() == path.to_bytes())?;
    Some(file)
}

/// CPython's name for fopen(3), which the C library has twice: the other is called for all but the script.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn fopen64(path: *const c_char, mode: *const c_char) -> *mut libc::FILE {
    // SAFETY: the caller's promises are those of fopen(3), and are handed on.
    unsafe {
        match take(CStr::from_ptr(path)) {
            Some(file) => libc::fdopen(file.into_raw_fd(), mode),
            None => libc::fopen(path, mode),
        }
    }
}
