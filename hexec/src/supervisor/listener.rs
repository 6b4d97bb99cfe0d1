//! The kernel's questions and our answers (seccomp_unotify(2)).
#![allow(unsafe_code, reason = "ioctl(2) and pidfd_getfd(2) have no safe form")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::failure::Failure;

/// Where questions arrive.
pub struct Listener(OwnedFd);

/// One question: a call of a thread, which waits.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    id: u64,
    /// The thread.
    pub thread: i32,
    /// The call's number.
    pub number: i64,
    /// Its arguments.
    pub arguments: [u64; 6],
}

const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const IS_VALID: libc::c_ulong = 0x4008_2102;
const SET_FLAGS: libc::c_ulong = 0x4008_2104;
/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` (Linux 6.6): who is asked runs where who asks ran.
const SYNC_WAKE_UP: libc::c_ulong = 1;

impl Listener {
    /// Takes the listener over from the process that has it under this number.
    ///
    /// # Errors
    /// [`Failure::Step`].
    pub fn of(process: i32, number: i32) -> Result<Listener, Failure> {
        // SAFETY: neither call passes a pointer; the descriptors are new and ours.
        unsafe {
            let own = |answer: libc::c_long| match i32::try_from(answer) {
                Ok(number) if number >= 0 => Ok(OwnedFd::from_raw_fd(number)),
                _ => Err(Failure::last("take over the command's calls")),
            };
            let process = own(libc::syscall(libc::SYS_pidfd_open, process, 0))?;
            let listener = own(libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0))?;
            // A kernel that does not know this is slower.
            libc::ioctl(listener.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP);
            Ok(Listener(listener))
        }
    }

    /// The next question, if whoever asked it still waits.
    pub fn receive(&self) -> Option<Call> {
        // SAFETY: all zero is what the kernel wants to see, and it fills the structure.
        unsafe {
            let mut notification: libc::seccomp_notif = std::mem::zeroed();
            if libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut notification) != 0 {
                return None;
            }
            let libc::seccomp_notif { id, pid, data, .. } = notification;
            let thread = i32::try_from(pid).ok()?;
            Some(Call { id, thread, number: data.nr.into(), arguments: data.args })
        }
    }

    /// Whether whoever asked still waits: its number may be another's by now.
    pub fn waits(&self, call: &Call) -> bool {
        // SAFETY: the kernel reads one number.
        unsafe { libc::ioctl(self.0.as_raw_fd(), IS_VALID, &raw const call.id) == 0 }
    }

    /// Lets the call go on.
    pub fn go_on(&self, call: &Call) {
        // `SECCOMP_USER_NOTIF_FLAG_CONTINUE`
        self.send(libc::seccomp_notif_resp { id: call.id, val: 0, error: 0, flags: 1 });
    }

    /// Answers the call in the kernel's place: an errno, or success.
    pub fn answer(&self, call: &Call, errno: i32) {
        self.send(libc::seccomp_notif_resp { id: call.id, val: 0, error: -errno, flags: 0 });
    }

    fn send(&self, answer: libc::seccomp_notif_resp) {
        // SAFETY: the kernel reads the structure. Who does not wait any more needs no answer.
        unsafe { libc::ioctl(self.0.as_raw_fd(), SEND, &raw const answer) };
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
