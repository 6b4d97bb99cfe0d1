//! Calls that wait for an answer of another process (seccomp_unotify(2)): the filter that makes them wait, and the listener's
//! side.
#![allow(
    unsafe_code,
    reason = "seccomp(2), its ioctls, process_vm_readv(2) and descriptors in messages have no safe form"
)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What becomes of the calls of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They wait for the listener.
    Ask,
    /// They fail with this error.
    Refuse(i32),
}

/// What the listener answers.
pub(crate) enum Answer {
    /// The call has been made, or could not be.
    Done(io::Result<()>),
    /// The kernel may make it, as it was asked: only for calls whose arguments are numbers, which nobody can exchange.
    Proceed,
}

/// A call that waits.
pub(crate) struct Call(libc::seccomp_notif);

/// The descriptor through which waiting calls are told.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;

// linux/seccomp.h: the sizes are those of `struct seccomp_notif`, `struct seccomp_notif_resp` and a number.
const NOTIF_RECV: libc::c_ulong = 0xc050_2100;
const NOTIF_SEND: libc::c_ulong = 0xc018_2101;
/// A call that the listener has heard of is not interrupted by signals that do not kill (Linux 5.19).
const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;
const CONTINUE: u32 = 1;
const NOTIF_ID_VALID: libc::c_ulong = 0x4008_2102;
const NOTIF_SET_FLAGS: libc::c_ulong = 0x4008_2104;
/// Who asks wakes the listener on its own processor (Linux 6.6).
const SYNC_WAKE_UP: libc::c_ulong = 1;

/// The program: these calls of this architecture, and nothing else. The main filter says the rest, and other architectures
/// die by it.
fn program(calls: &[libc::c_long], verdict: Verdict) -> Vec<libc::sock_filter> {
    let answer = match verdict {
        Verdict::Ask => libc::SECCOMP_RET_USER_NOTIF,
        Verdict::Refuse(number) => libc::SECCOMP_RET_ERRNO | (number.unsigned_abs() & 0xffff),
    };
    let line = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |at: u32| line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at);
    let equal = |value: u32, jt: u8, jf: u8| line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, jt, jf, value);
    let end = |answer: u32| line(libc::BPF_RET | libc::BPF_K, 0, 0, answer);
    // Both are within `struct seccomp_data`: the number first, then the architecture.
    let mut lines = vec![load(4), equal(ARCH, 1, 0), end(libc::SECCOMP_RET_ALLOW), load(0)];
    for (place, call) in calls.iter().enumerate() {
        let behind = (calls.len() - place) as u8;
        lines.push(equal(*call as u32, behind, 0));
    }
    lines.push(end(libc::SECCOMP_RET_ALLOW));
    lines.push(end(answer));
    lines
}

/// Loads the filter into this thread, the only one; the listener is there if the calls are to wait.
///
/// # Errors
/// `EBUSY` where somebody listens already, `EINVAL` on kernels without listeners.
pub(crate) fn load(calls: &[libc::c_long], verdict: Verdict) -> io::Result<Option<Listener>> {
    let program = program(calls, verdict);
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.leak().as_mut_ptr() };
    let flags = match verdict {
        Verdict::Ask => libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV,
        // As every filter of ours, which those around us expect.
        Verdict::Refuse(_) => libc::SECCOMP_FILTER_FLAG_TSYNC,
    };
    // SAFETY: `program` and its instructions outlive the call, which only reads them.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    match (answer, verdict) {
        (-1, _) => Err(io::Error::last_os_error()),
        // SAFETY: the kernel has made this descriptor for us.
        (number, Verdict::Ask) => Ok(Some(Listener(unsafe { OwnedFd::from_raw_fd(number as i32) }))),
        (_, Verdict::Refuse(_)) => Ok(None),
    }
}

/// One descriptor and a byte to go with it, as sendmsg(2) and recvmsg(2) take them.
struct Message {
    byte: [u8; 1],
    // Room for a header and a descriptor, aligned as a header is.
    control: [u64; 4],
}

impl Message {
    fn with<T>(&mut self, use_it: impl FnOnce(*mut libc::msghdr) -> T) -> T {
        let mut part = libc::iovec { iov_base: self.byte.as_mut_ptr().cast(), iov_len: 1 };
        // SAFETY: all zero is a valid header.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = self.control.as_mut_ptr().cast();
        // SAFETY: a computation.
        header.msg_controllen = unsafe { libc::CMSG_SPACE(4) } as _;
        use_it(&raw mut header)
    }
}

impl Listener {
    /// Hands the listener to whoever is at the other end, and keeps no copy.
    ///
    /// # Errors
    /// Those of sendmsg(2).
    pub(crate) fn send(self, to: &UnixStream) -> io::Result<()> {
        let mut message = Message { byte: [1], control: [0; 4] };
        let sent = message.with(|header| {
            // SAFETY: the control buffer has room for one header with one descriptor behind it.
            unsafe {
                let control = libc::CMSG_FIRSTHDR(header);
                (*control).cmsg_level = libc::SOL_SOCKET;
                (*control).cmsg_type = libc::SCM_RIGHTS;
                (*control).cmsg_len = libc::CMSG_LEN(4) as _;
                libc::CMSG_DATA(control).cast::<i32>().write_unaligned(self.0.as_raw_fd());
                libc::sendmsg(to.as_raw_fd(), header, libc::MSG_NOSIGNAL)
            }
        });
        if sent == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits for a listener; `None` when there will be none.
    pub(crate) fn receive(from: &UnixStream) -> Option<Self> {
        let mut message = Message { byte: [0], control: [0; 4] };
        message.with(|header| {
            // SAFETY: the kernel fills what the header names; a descriptor that came is ours.
            unsafe {
                if libc::recvmsg(from.as_raw_fd(), header, libc::MSG_CMSG_CLOEXEC) != 1 {
                    return None;
                }
                let control = libc::CMSG_FIRSTHDR(header);
                if control.is_null() || (*control).cmsg_type != libc::SCM_RIGHTS {
                    return None;
                }
                let number = libc::CMSG_DATA(control).cast::<i32>().read_unaligned();
                Some(Listener(OwnedFd::from_raw_fd(number)))
            }
        })
    }

    /// Asks for calls without delay. Until the listener has heard of a call a signal interrupts it, with `EINTR` for handlers
    /// that restart nothing, and programs expect that of neither fork(2) nor chmod(2). Older kernels do not know how.
    pub(crate) fn hurry(&self) {
        // SAFETY: the kernel takes a number.
        unsafe { libc::ioctl(self.0.as_raw_fd(), NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
    }

    /// The next call that waits; `None` when nobody is left who could make one.
    pub(crate) fn next(&self) -> Option<Call> {
        loop {
            let mut wait = libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one record that outlives the call.
            unsafe { libc::poll(&raw mut wait, 1, -1) };
            if wait.revents & libc::POLLHUP != 0 {
                return None;
            }
            // SAFETY: all zero is what the kernel asks for; it fills the record.
            unsafe {
                let mut call: libc::seccomp_notif = std::mem::zeroed();
                if libc::ioctl(self.0.as_raw_fd(), NOTIF_RECV, &raw mut call) == 0 {
                    return Some(Call(call));
                }
            }
            match io::Error::last_os_error().raw_os_error() {
                // Its caller was interrupted or has died meanwhile.
                Some(libc::ENOENT | libc::EINTR | libc::EAGAIN) => {}
                _ => return None,
            }
        }
    }

    /// Whether the caller still waits: its number is still its own.
    pub(crate) fn waits(&self, call: &Call) -> bool {
        // SAFETY: the kernel reads one number, which outlives the call.
        unsafe { libc::ioctl(self.0.as_raw_fd(), NOTIF_ID_VALID, &raw const call.0.id) == 0 }
    }

    /// Lets the call return.
    pub(crate) fn answer(&self, call: &Call, answer: Answer) {
        let (error, flags) = match answer {
            Answer::Proceed => (0, CONTINUE),
            Answer::Done(Ok(())) => (0, 0),
            Answer::Done(Err(error)) => (error.raw_os_error().unwrap_or(libc::EPERM), 0),
        };
        let answer = libc::seccomp_notif_resp { id: call.0.id, val: 0, error: -error, flags };
        // SAFETY: the kernel reads one record. That nobody waits any more is no mistake of ours.
        unsafe { libc::ioctl(self.0.as_raw_fd(), NOTIF_SEND, &raw const answer) };
    }
}

impl Call {
    pub(crate) fn number(&self) -> libc::c_long {
        self.0.data.nr.into()
    }

    /// The thread that waits.
    pub(crate) fn thread(&self) -> u32 {
        self.0.pid
    }

    /// An argument as the kernel takes an int.
    pub(crate) fn int(&self, place: usize) -> i32 {
        self.0.data.args[place] as i32
    }

    /// An argument as the kernel takes a pointer.
    pub(crate) fn pointer(&self, place: usize) -> u64 {
        self.0.data.args[place]
    }

    /// Bytes of the caller's memory; fewer where the memory ends.
    ///
    /// # Errors
    /// `EFAULT`, or that the caller may not be looked into.
    pub(crate) fn read(&self, address: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let ours = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let theirs = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
        let caller = libc::pid_t::try_from(self.0.pid).unwrap_or(-1);
        // SAFETY: the kernel writes no more than `ours` holds; the other address is another process's.
        let count = unsafe { libc::process_vm_readv(caller, &raw const ours, 1, &raw const theirs, 1, 0) };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_is_handed_over() {
        let (one, other) = UnixStream::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        Listener(file.into()).send(&one).unwrap();
        assert!(Listener::receive(&other).is_some());
        drop(one);
        assert!(Listener::receive(&other).is_none());
    }

    #[test]
    fn calls_jump_to_the_answer() {
        let lines = program(&[90, 91], Verdict::Refuse(libc::EPERM));
        let last = lines.len() - 1;
        assert_eq!(lines[last].k, libc::SECCOMP_RET_ERRNO | 1);
        for (place, line) in lines.iter().enumerate().skip(4).take(2) {
            assert_eq!(place + 1 + usize::from(line.jt), last);
        }
    }
}
