//! Descriptors: what was inherited is closed, and 0 to 2 are never free.
#![allow(unsafe_code, reason = "close_range(2), fcntl(2) and open(2) on fixed numbers have no safe form")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::failure::Failure;

/// The standard descriptors that were closed, as bits.
static OCCUPIED: AtomicI32 = AtomicI32::new(0);

/// Starts an interpreter that looks which standard streams it has: those that were closed are so meanwhile.
///
/// # Errors
/// [`Failure::Step`] when they cannot be occupied again.
pub fn with_streams_as_inherited<T>(start: impl FnOnce() -> T) -> Result<T, Failure> {
    let occupied = OCCUPIED.load(Ordering::Relaxed);
    for number in (0..3).filter(|number| occupied >> number & 1 == 1) {
        // SAFETY: it was opened to occupy the number, and nobody else uses it.
        unsafe { libc::close(number) };
    }
    let started = start();
    occupy_standard()?;
    Ok(started)
}

/// Occupies standard descriptors that are closed, so that no file opened later becomes one of them.
///
/// What takes the place answers `EBADF` to reads on 0 and to writes on 1 and 2: the interpreter
/// sees what it would see on a closed descriptor.
///
/// # Errors
/// [`Failure::Step`] when `/dev/null` cannot be opened.
pub(crate) fn occupy_standard() -> Result<(), Failure> {
    for (number, flags) in [(0, libc::O_WRONLY), (1, libc::O_RDONLY), (2, libc::O_RDONLY)] {
        // SAFETY: F_GETFD takes no pointer.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } != -1 {
            continue;
        }
        // SAFETY: the path is a constant with its NUL. The lowest free number is `number`, because
        // those below are taken.
        if unsafe { libc::open(c"/dev/null".as_ptr(), flags) } != number {
            return Err(Failure::step(
                "open /dev/null for a closed standard stream",
                &io::Error::last_os_error(),
            ));
        }
        OCCUPIED.fetch_or(1 << number, Ordering::Relaxed);
    }
    Ok(())
}

/// Closes all that was inherited above standard error: files, directories, sockets, rings; `keep` is
/// our own.
///
/// # Errors
/// [`Failure::Step`]; `close_range(2)` came with Linux 5.9, before Landlock.
pub(crate) fn close_inherited(keep: Option<&File>) -> Result<(), Failure> {
    const FIRST: u32 = 3;
    let Some(keep) = keep.map(|file| file.as_raw_fd().unsigned_abs()) else {
        return close(FIRST, u32::MAX);
    };
    if keep > FIRST {
        close(FIRST, keep - 1)?;
    }
    close(keep + 1, u32::MAX)
}

fn close(first: u32, last: u32) -> Result<(), Failure> {
    // SAFETY: the call takes no pointers. Nobody owns the descriptors that it closes: it runs before
    // the sandbox or the interpreter opens any, and the one exception is left out.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0_u32) } {
        0 => Ok(()),
        _ => Err(Failure::step("close inherited descriptors", &io::Error::last_os_error())),
    }
}
