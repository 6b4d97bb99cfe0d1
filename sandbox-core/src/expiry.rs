//! The end of the CPU budget: explained, then final.
#![allow(unsafe_code, reason = "signal handlers have no safe form")]

use std::io;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::denial;
use crate::failure::Failure;
use crate::limits::{Budget, Limits};
use crate::outcome;

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
pub(crate) fn arrange(name: &str, limits: &Limits) -> Result<(), Failure> {
    let text = denial::ended(name, limits, Budget::Cpu).into_bytes().leak();
    LENGTH.store(text.len(), Ordering::Relaxed);
    TEXT.store(text.as_mut_ptr(), Ordering::Release);
    act(libc::SIGXCPU, expired as *const () as libc::sighandler_t)?;
    act(libc::SIGXFSZ, libc::SIG_IGN)?;
    unblock()
}

extern "C" fn expired(_signal: libc::c_int) {
    // SAFETY: write(2) and _exit(2) are safe in a signal handler; the text was leaked, so it lives.
    unsafe {
        libc::write(2, TEXT.load(Ordering::Acquire).cast(), LENGTH.load(Ordering::Relaxed));
        libc::_exit(outcome::CPU.into());
    }
}

fn act(signal: libc::c_int, handler: libc::sighandler_t) -> Result<(), Failure> {
    // SAFETY: all zero is a valid sigaction; the handler is a function that lives for ever or a
    // constant of signal(7).
    let answer = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    match answer {
        0 => Ok(()),
        _ => Err(Failure::step("handle signals", &io::Error::last_os_error())),
    }
}

/// A blocked signal may have been inherited, and the limits speak through signals.
fn unblock() -> Result<(), Failure> {
    // SAFETY: the set is initialised by sigemptyset(3) before it is used.
    let answer = unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGXCPU);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut())
    };
    match answer {
        0 => Ok(()),
        _ => Err(Failure::step("unblock signals", &io::Error::last_os_error())),
    }
}
