//! Signals as descriptors: nothing is to be interrupted, and nothing of the caller's handling to be lost.
#![allow(unsafe_code, reason = "signal sets are C's")]

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};

use crate::failure::Failure;

/// Every signal is blocked, but for those that stop: who waits stops together with the command.
pub struct Blocked {
    before: libc::sigset_t,
}

/// Signals that stop a job.
const STOPS: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

impl Blocked {
    /// From now on.
    ///
    /// # Errors
    /// [`Failure::Step`].
    pub fn all() -> Result<Blocked, Failure> {
        let mut before = MaybeUninit::zeroed();
        let set = all_but(&STOPS);
        // SAFETY: both are signal sets; the kernel fills the second.
        unsafe {
            if libc::sigprocmask(libc::SIG_SETMASK, &raw const set, before.as_mut_ptr()) != 0 {
                return Err(Failure::last("block signals"));
            }
            Ok(Blocked { before: before.assume_init() })
        }
    }

    /// As it was.
    pub fn release(&self) {
        // SAFETY: this is a set that the kernel gave.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

/// Those that stop are blocked as well.
pub fn block_stops() {
    let set = all_but(&[]);
    // SAFETY: this is a signal set.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut()) };
}

/// Ends this process by a signal, as another one ended.
pub fn die_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let mut set = MaybeUninit::zeroed();
    // SAFETY: the structures are valid and live as long as the calls; there is one thread.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        libc::signal(signal, libc::SIG_DFL);
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::raise(signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, set.as_ptr(), std::ptr::null_mut());
    }
}

fn all_but(left_out: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: the C library fills the set before it is used.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for &signal in left_out {
            libc::sigdelset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Blocked signals, to be read.
pub struct Signals(File);

/// One that came.
pub struct Came {
    /// Which.
    pub number: i32,
    /// Whether a process sent it, and not the kernel, which tells the whole group.
    pub sent: bool,
}

impl Signals {
    /// All that are blocked.
    ///
    /// # Errors
    /// [`Failure::Step`].
    pub fn new() -> Result<Signals, Failure> {
        let set = all_but(&STOPS);
        // SAFETY: the set is valid; the descriptor is new and ours.
        unsafe {
            match libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
                -1 => Err(Failure::last("watch for signals")),
                number => Ok(Signals(File::from_raw_fd(number))),
            }
        }
    }

    /// The next that has come already.
    pub fn next(&self) -> Option<Came> {
        let mut info = [0; size_of::<libc::signalfd_siginfo>()];
        let read = loop {
            match (&self.0).read(&mut info) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.ok()?,
            }
        };
        let word = |at: usize| i32::from_ne_bytes([info[at], info[at + 1], info[at + 2], info[at + 3]]);
        // The structure begins with the number, an error, and the code, which is not positive if a process sent it.
        (read == info.len()).then(|| Came { number: word(0), sent: word(8) <= 0 })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of two descriptors has something; the answers are poll(2)'s.
pub fn poll(first: BorrowedFd<'_>, second: BorrowedFd<'_>) -> [i16; 2] {
    let entry = |descriptor: BorrowedFd<'_>| libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries = [entry(first), entry(second)];
    // SAFETY: the array has two entries. An interruption leaves them as they are: nothing has come.
    unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) };
    entries.map(|entry| entry.revents)
}
