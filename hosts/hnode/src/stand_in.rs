//! Functions that libuv calls and the filter or Landlock would refuse, where another way comes to the same.
//!
//! These stand before the C library's and libuv's own, which find a program's symbols first. They are manners: they open
//! nothing that is closed.
#![allow(unsafe_code, reason = "this stands before C functions")]
#![cfg_attr(test, allow(dead_code, reason = "nothing stands before a test's functions"))]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::OnceLock;

use sandbox_core::Policy;
use sandbox_core::policy::Access;

/// The process's own account of its memory (proc_pid_statm(5)).
static STATM: OnceLock<File> = OnceLock::new();

/// The roots beneath which the script may write.
static WRITABLE: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// From now on changes of modes and times are accepted where this policy lets the script write.
pub fn accept(policy: &Policy) {
    // It is set once.
    let _ = WRITABLE.set(policy.roots(Access::Write));
}

/// Opens what is read behind the doors.
pub fn settle() {
    // Where /proc is not mounted Node has no answer either.
    if let Ok(file) = File::open("/proc/self/statm") {
        let _ = STATM.set(file);
    }
}

/// libuv's, for `process.memoryUsage`: it opens a file by name.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn uv_resident_set_memory(bytes: *mut usize) -> c_int {
    let Some(resident) = resident_pages() else { return -libc::ENOENT };
    // SAFETY: sysconf(3) takes a number; the caller's pointer is for the answer.
    unsafe {
        let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
        bytes.write(resident * page);
    }
    0
}

fn resident_pages() -> Option<usize> {
    let mut text = [0; 128];
    let length = STATM.get()?.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// sendfile(2), of which libuv goes on by reading and writing where the files do not suit it.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn sendfile64(_to: c_int, _from: c_int, _offset: *mut c_void, _count: usize) -> isize {
    // SAFETY: the pointer is the C library's, to this thread's own number.
    unsafe { *libc::__errno_location() = libc::EINVAL };
    -1
}

// Modes and times. No lock of the kernel's would hold their change to the granted files, so the filter refuses them all; but
// what copies a file also copies these, and is not to fail for it. So where the script may write a file, new times are
// accepted and change nothing, and so is a new mode, unless it would take access from others: nobody shall ask for a secret to
// be kept and be told that it is.

/// fchmod(2), with which `fs.copyFile` gives a copy its original's mode.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn fchmod(file: c_int, mode: libc::mode_t) -> c_int {
    if is_written(file) && keeps_access(file, mode) {
        return 0;
    }
    // SAFETY: there is no pointer.
    let answer = unsafe { libc::syscall(libc::SYS_fchmod, file, mode) };
    if answer == 0 { 0 } else { -1 }
}

/// chmod(2), with which `fs.cp` does the same.
///
/// # Safety
/// `path` is a string.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn chmod(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promise; all zero is a valid stat, and the kernel fills it while it lives.
    let accepted = unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        may_write(path) && libc::stat(path, &raw mut stat) == 0 && takes_nothing(&stat, mode)
    };
    if accepted {
        return 0;
    }
    // SAFETY: the caller's promise.
    let answer = unsafe { libc::syscall(libc::SYS_fchmodat, libc::AT_FDCWD, path, mode) };
    if answer == 0 { 0 } else { -1 }
}

/// utimensat(2): `fs.utimes`, and `fs.cp` with times.
///
/// # Safety
/// `path` is a string, and `times` two times or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn utimensat(
    directory: c_int,
    path: *const c_char,
    times: *const libc::timespec,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    if directory == libc::AT_FDCWD && flags == 0 && unsafe { may_write(path) } {
        return 0;
    }
    // SAFETY: the caller's promise.
    let answer = unsafe { libc::syscall(libc::SYS_utimensat, directory, path, times, flags) };
    if answer == 0 { 0 } else { -1 }
}

/// futimens(3): `fs.futimes`.
///
/// # Safety
/// `times` is two times or null.
#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn futimens(file: c_int, times: *const libc::timespec) -> c_int {
    if is_written(file) {
        return 0;
    }
    // SAFETY: the caller's promise; without a path the call is about the descriptor.
    let answer = unsafe { libc::syscall(libc::SYS_utimensat, file, std::ptr::null::<c_char>(), times, 0) };
    if answer == 0 { 0 } else { -1 }
}

/// Whether the script may write what has this name.
///
/// # Safety
/// `path` is a string.
unsafe fn may_write(path: *const c_char) -> bool {
    // SAFETY: the caller's promise.
    let path = PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    let Some(roots) = WRITABLE.get().filter(|roots| !roots.is_empty()) else { return false };
    fs::canonicalize(path).is_ok_and(|file| roots.iter().any(|root| file.starts_with(root)))
}

fn is_written(file: c_int) -> bool {
    // SAFETY: F_GETFL takes no pointer.
    let flags = unsafe { libc::fcntl(file, libc::F_GETFL) };
    flags != -1 && matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR)
}

fn keeps_access(file: c_int, mode: libc::mode_t) -> bool {
    // SAFETY: all zero is a valid stat, and the kernel fills it while it lives.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        libc::fstat(file, &raw mut stat) == 0 && takes_nothing(&stat, mode)
    }
}

/// Whether others have no access that this mode would take from them.
fn takes_nothing(stat: &libc::stat, mode: libc::mode_t) -> bool {
    const OTHERS: libc::mode_t = 0o077;
    stat.st_mode & !mode & OTHERS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_known() {
        settle();
        assert!(resident_pages().is_some_and(|pages| pages > 10));
    }
}
