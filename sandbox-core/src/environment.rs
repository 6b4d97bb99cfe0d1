//! The environment: reduced to a short list, and what is left out is erased from memory.
#![allow(unsafe_code, reason = "the block of strings behind environ(7) has no safe form")]

use std::ffi::{CStr, CString, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

use crate::policy::Policy;

unsafe extern "C" {
    /// environ(7)
    static mut environ: *mut *mut c_char;
}

/// Keeps the variables that the policy lets in, copied, and zeroes the strings that the process was
/// started with: a script that reads its own memory, or `/proc/self/environ`, finds no secret. `TMPDIR` follows the
/// policy: programs keep temporary files where they may write.
///
/// Must run while there is one thread and before anything holds on to a `getenv(3)` answer.
pub(crate) fn reduce(policy: &Policy) {
    let temporary =
        policy.temporary(std::env::var_os(TEMPORARY).as_deref()).and_then(|path| entry(path.as_os_str()));
    // SAFETY: one thread runs, so nobody else reads or writes `environ`; each pointer up to the null
    // one is a string that the kernel laid out on the stack at start, writable and ours.
    unsafe {
        let mut kept: Vec<*mut c_char> = Vec::new();
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            let entry = CStr::from_ptr(*at).to_owned();
            erase(*at);
            let name = name_of(entry.to_bytes());
            let replaced = temporary.is_some() && name == TEMPORARY.as_bytes();
            if policy.lets_in(name) && !replaced {
                kept.push(entry.into_raw());
            } else {
                // The copy was on the heap, which the script may come to see.
                erase(entry.into_raw());
            }
            at = at.add(1);
        }
        kept.extend(temporary.map(CString::into_raw));
        kept.push(std::ptr::null_mut());
        // Never freed: the C library keeps pointers into it.
        environ = kept.leak().as_mut_ptr();
    }
}

const TEMPORARY: &str = "TMPDIR";

fn entry(path: &OsStr) -> Option<CString> {
    CString::new([TEMPORARY.as_bytes(), b"=", path.as_bytes()].concat()).ok()
}

fn name_of(entry: &[u8]) -> &[u8] {
    entry.split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// Overwrites a string with zeros.
///
/// # Safety
/// `string` points to a writable string that ends in NUL.
unsafe fn erase(string: *mut c_char) {
    let mut at = string;
    // SAFETY: the caller's promise; the NUL ends the walk. Volatile, because nobody reads it again.
    unsafe {
        while *at != 0 {
            at.write_volatile(0);
            at = at.add(1);
        }
    }
}
