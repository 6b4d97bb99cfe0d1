//! What the kernel is told about scripts, for interpreters to obey (capabilities(7), `SECBIT_EXEC_*`).
#![allow(unsafe_code, reason = "prctl(2) has no safe form")]

use std::io;

use crate::failure::Failure;

/// Only files that may be executed are to be run: `SECBIT_EXEC_RESTRICT_FILE`.
pub const RESTRICT_FILE: u32 = 1 << 8;
/// No code that stands in no file is to be run: `SECBIT_EXEC_DENY_INTERACTIVE`.
pub const DENY_INTERACTIVE: u32 = 1 << 10;

/// The bits with those that lock both for good, set or not.
pub fn locked(bits: u32) -> u32 {
    bits | (RESTRICT_FILE | DENY_INTERACTIVE) << 1
}

/// Sets bits beside those that are set; processes that are started inherit them.
///
/// # Errors
/// [`Failure::Securebits`].
pub fn set(bits: u32) -> Result<(), Failure> {
    let now = prctl(libc::PR_GET_SECUREBITS, 0).map_err(|source| Failure::Securebits { bits, source })?;
    // Who may not change the others may not even set them to what they are.
    if now & bits == bits {
        return Ok(());
    }
    let bits = now | bits;
    prctl(libc::PR_SET_SECUREBITS, bits).map_err(|source| Failure::Securebits { bits, source })?;
    Ok(())
}

fn prctl(option: libc::c_int, bits: u32) -> io::Result<u32> {
    // SAFETY: neither of the two options passes a pointer.
    let answer = unsafe { libc::prctl(option, libc::c_ulong::from(bits), 0, 0, 0) };
    u32::try_from(answer).map_err(|_| io::Error::last_os_error())
}
