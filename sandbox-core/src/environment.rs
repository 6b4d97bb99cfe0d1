//! The environment: reduced to a short list, and what is left out is erased from memory.
#![allow(unsafe_code, reason = "the block of strings behind environ(7) has no safe form")]

use std::ffi::{CStr, c_char};

use crate::policy::Policy;

unsafe extern "C" {
    /// environ(7)
    static mut environ: *mut *mut c_char;
}

/// Keeps the variables that the policy lets in, copied, and zeroes the strings that the process was
/// started with: a script that reads its own memory, or `/proc/self/environ`, finds no secret.
///
/// Must run while there is one thread and before anything holds on to a `getenv(3)` answer.
pub(crate) fn reduce(policy: &Policy) {
    // SAFETY: one thread runs, so nobody else reads or writes `environ`; each pointer up to the null
    // one is a string that the kernel laid out on the stack at start, writable and ours.
    unsafe {
        let mut kept: Vec<*mut c_char> = Vec::new();
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            let entry = CStr::from_ptr(*at).to_owned();
            erase(*at);
            if policy.lets_in(name_of(entry.to_bytes())) {
                kept.push(entry.into_raw());
            } else {
                // The copy was on the heap, which the script may come to see.
                erase(entry.into_raw());
            }
            at = at.add(1);
        }
        kept.push(std::ptr::null_mut());
        // Never freed: the C library keeps pointers into it.
        environ = kept.leak().as_mut_ptr();
    }
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
