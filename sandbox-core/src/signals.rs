//! Signals: what was inherited, what is waited for, what is sent (signal(7)).
#![allow(unsafe_code, reason = "signal masks, dispositions and handlers have no safe form")]

use std::io;
use std::time::Duration;

/// The mask and the disposition of `SIGCHLD` that a process was started with.
pub(crate) struct Inherited {
    mask: libc::sigset_t,
    child: libc::sigaction,
}

impl Inherited {
    /// Blocks every signal but those of faults, to wait for them instead, and makes the end of a child known: a starter
    /// may have had it ignored, and then the kernel tells nobody.
    ///
    /// # Errors
    /// Those of sigaction(2) and sigprocmask(2).
    pub(crate) fn replace() -> io::Result<Self> {
        let set = all_but_faults();
        // SAFETY: all zero is valid for both; the kernel reads and fills them while they live.
        unsafe {
            let mut inherited = Inherited { mask: std::mem::zeroed(), child: std::mem::zeroed() };
            let default: libc::sigaction = std::mem::zeroed();
            check(libc::sigaction(libc::SIGCHLD, &raw const default, &raw mut inherited.child))?;
            check(libc::sigprocmask(libc::SIG_BLOCK, &raw const set, &raw mut inherited.mask))?;
            Ok(inherited)
        }
    }

    /// Puts back what was inherited.
    ///
    /// # Errors
    /// As [`Self::replace`].
    pub(crate) fn restore(&self) -> io::Result<()> {
        // SAFETY: both were filled by the kernel and outlive the calls.
        unsafe {
            check(libc::sigaction(libc::SIGCHLD, &raw const self.child, std::ptr::null_mut()))?;
            check(libc::sigprocmask(libc::SIG_SETMASK, &raw const self.mask, std::ptr::null_mut()))
        }
    }
}

/// Gives a signal a handler, or one of the constants of signal(7).
///
/// # Errors
/// Those of sigaction(2).
pub(crate) fn handle(signal: libc::c_int, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: all zero is a valid sigaction; the handler is a function that lives for ever or a
    // constant.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        check(libc::sigaction(signal, &raw const action, std::ptr::null_mut()))
    }
}

/// Lets a signal through that may have been blocked by whoever started us.
///
/// # Errors
/// Those of sigprocmask(2).
pub(crate) fn unblock(signal: libc::c_int) -> io::Result<()> {
    let set = set_of(&[signal]);
    // SAFETY: the set is initialised and outlives the call.
    unsafe { check(libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut())) }
}

/// Waits for one of the signals that [`Inherited::replace`] blocked: which came, and whether the
/// terminal sent it; `None` when the time is over.
pub(crate) fn wait(time: Duration) -> Option<(libc::c_int, bool)> {
    let set = all_but_faults();
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    };
    // SAFETY: set, answer and time-out outlive the call.
    let (signal, code) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        (libc::sigtimedwait(&raw const set, &raw mut info, &raw const time), info.si_code)
    };
    (signal > 0).then_some((signal, code == libc::SI_KERNEL))
}

/// Whether a signal was ignored when this process was started, and so in all that it starts.
pub(crate) fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: all zero is a valid sigaction, and the kernel fills it while it lives.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Sends a signal to a process, or to every one that can be reached (-1). One that is gone already
/// is no error.
pub(crate) fn send(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: no memory is involved.
    unsafe { libc::kill(process, signal) };
}

/// Whether a signal would reach a process.
pub(crate) fn reaches(process: libc::pid_t) -> bool {
    // SAFETY: no memory is involved, and signal 0 only asks.
    unsafe { libc::kill(process, 0) == 0 }
}

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    // SAFETY: sigemptyset(3) initialises the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

/// The faults stay as they are: they are this process's own mistakes.
fn all_but_faults() -> libc::sigset_t {
    let faults =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];
    // SAFETY: sigfillset(3) initialises the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for signal in faults {
            libc::sigdelset(&raw mut set, signal);
        }
        set
    }
}

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
