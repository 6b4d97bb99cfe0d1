//! What the running kernel is asked before anything is closed.
#![allow(
    unsafe_code,
    reason = "the landlock crate does not tell the version without a ruleset; prctl and stat have no safe form"
)]

use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::MetadataExt;

use landlock::ABI;

/// `LANDLOCK_CREATE_RULESET_VERSION` of `linux/landlock.h`.
const LANDLOCK_VERSION: libc::c_uint = 1;

/// The newest Landlock ABI that both the kernel and the landlock crate know (landlock(7)).
///
/// # Errors
/// `ENOSYS` when the kernel was built without Landlock, `EOPNOTSUPP` when it was not enabled at boot.
pub fn landlock() -> io::Result<ABI> {
    landlock_version().map(ABI::from)
}

/// The kernel's own Landlock ABI, which may be newer than what is used.
///
/// # Errors
/// As [`landlock()`].
pub fn landlock_version() -> io::Result<i32> {
    // SAFETY: with this flag the kernel reads no memory; it answers a number (landlock_create_ruleset(2)).
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, LANDLOCK_VERSION)
    };
    i32::try_from(version).ok().filter(|version| *version > 0).ok_or_else(io::Error::last_os_error)
}

/// Whether system calls can be filtered (seccomp(2)).
///
/// # Errors
/// `ENOSYS` or `EINVAL` when the kernel was built without it.
pub fn seccomp() -> io::Result<()> {
    const SECCOMP_GET_ACTION_AVAIL: libc::c_uint = 2;
    let action: u32 = libc::SECCOMP_RET_KILL_PROCESS;
    // SAFETY: the kernel reads one u32, which outlives the call.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether this thread is the only one of its process.
///
/// The kernel is asked for a thread group of one's own, which it gives to a single thread, for whom nothing changes,
/// and refuses to one of many (unshare(2), `CLONE_THREAD`). Where a filter around us refuses the call, `/proc` tells.
///
/// # Errors
/// When the call is refused and `/proc` is not mounted.
pub fn is_single_threaded() -> io::Result<bool> {
    // SAFETY: the call touches no memory and takes nothing apart: the kernel knows this flag as a question only.
    if unsafe { libc::unshare(libc::CLONE_THREAD) } == 0 {
        return Ok(true);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => Ok(false),
        _ => Ok(std::fs::metadata("/proc/self/task")?.nlink() == 3),
    }
}

/// What a descriptor leads to: fstat(2), which costs half of what Rust's statx(2) does.
///
/// # Errors
/// Those of fstat(2).
pub(crate) fn stat(number: RawFd) -> io::Result<libc::stat> {
    // SAFETY: all zero is a valid stat, and the kernel fills it while it lives.
    let (answer, stat) = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        (libc::fstat(number, &raw mut stat), stat)
    };
    if answer == 0 { Ok(stat) } else { Err(io::Error::last_os_error()) }
}

/// How many processes and threads there are, of whomever: sysinfo(2).
pub(crate) fn tasks() -> u64 {
    // SAFETY: all zero is a valid sysinfo, and the kernel fills it while it lives; the call fails for bad pointers
    // only.
    let info = unsafe {
        let mut info: libc::sysinfo = std::mem::zeroed();
        libc::sysinfo(&raw mut info);
        info
    };
    info.procs.into()
}

/// The real user.
#[must_use]
pub fn user() -> u32 {
    // SAFETY: getuid(2) always succeeds and touches no memory.
    unsafe { libc::getuid() }
}
