//! The end of the CPU budget: explained, then final.
#![allow(unsafe_code, reason = "signal handlers have no safe form")]

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::bounds::Bounds;
use crate::denial;
use crate::failure::Failure;
use crate::outcome;
use crate::signals;

static TEXT: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Arranges that the CPU limit ends the run with a sentence, and that a file that grows too large
/// is an error of the write that would do it.
///
/// The kernel's hard limit, a second later, cannot be caught: it ends a script that found a way to
/// block this.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn arrange(name: &str, bounds: &Bounds) -> Result<(), Failure> {
    let text = denial::cpu_ended(name, bounds).into_bytes().leak();
    LENGTH.store(text.len(), Ordering::Relaxed);
    TEXT.store(text.as_mut_ptr(), Ordering::Release);
    let failed = |error: std::io::Error| Failure::step("handle signals", &error);
    signals::handle(libc::SIGXCPU, expired as *const () as libc::sighandler_t).map_err(failed)?;
    signals::handle(libc::SIGXFSZ, libc::SIG_IGN).map_err(failed)?;
    // The limits speak through signals.
    signals::unblock(libc::SIGXCPU).map_err(failed)
}

extern "C" fn expired(_signal: libc::c_int) {
    // SAFETY: write(2) and _exit(2) are safe in a signal handler; the text was leaked, so it lives.
    unsafe {
        libc::write(2, TEXT.load(Ordering::Acquire).cast(), LENGTH.load(Ordering::Relaxed));
        libc::_exit(outcome::CPU.into());
    }
}
