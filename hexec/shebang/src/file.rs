//! Looking at a file through a descriptor. Plain calls on the stack only: the caller may stand between `vfork` and
//! `exec`.
#![allow(unsafe_code, reason = "these calls have no safe form that takes C strings and allocates nothing")]

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

use crate::chain::Found;
use crate::credentials::Inode;
use crate::line::SIZE;

/// A descriptor that is closed when it goes.
#[derive(Debug)]
pub struct Descriptor(c_int);

impl Descriptor {
    /// Takes what a call gave.
    ///
    /// # Errors
    /// The errno, if that was -1.
    pub fn new(number: c_int) -> Result<Self, i32> {
        if number >= 0 { Ok(Descriptor(number)) } else { Err(errno()) }
    }

    /// The place of a path, without opening what is there. The flags are none or `O_NOFOLLOW`.
    ///
    /// # Errors
    /// The errno of `openat`.
    pub fn place(directory: c_int, path: &CStr, flags: c_int) -> Result<Self, i32> {
        // SAFETY: the path is a C string.
        Self::new(unsafe { libc::openat(directory, path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC | flags) })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> c_int {
        self.0
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the number is ours.
        unsafe { libc::close(self.0) };
    }
}

/// What the last failed call left.
#[must_use]
pub fn errno() -> i32 {
    // SAFETY: the C library keeps one for each thread, always.
    unsafe { *libc::__errno_location() }
}

/// Looks at what a descriptor, of whichever kind, refers to.
///
/// # Errors
/// The errno of `fstat`.
pub fn inspect(place: c_int) -> Result<Found, i32> {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the kernel fills the structure; all zero is valid as well.
    let stat = unsafe {
        if libc::fstat(place, stat.as_mut_ptr()) != 0 {
            return Err(errno());
        }
        stat.assume_init()
    };
    let inode = Inode { mode: stat.st_mode, user: stat.st_uid, group: stat.st_gid };
    let regular = stat.st_mode & libc::S_IFMT == libc::S_IFREG;
    Ok(Found { inode, noexec: is_noexec(place), head: if regular { head(place) } else { None } })
}

fn is_noexec(place: c_int) -> bool {
    let mut statvfs = MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: as above.
    unsafe {
        libc::fstatvfs(place, statvfs.as_mut_ptr()) == 0
            && statvfs.assume_init().f_flag & libc::ST_NOEXEC != 0
    }
}

/// The beginning of a regular file. It is opened again through its descriptor, so that it is this file and no other.
fn head(place: c_int) -> Option<[u8; SIZE]> {
    let mut path = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0";
    write_number(&mut path[14..], place);
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: the array ends with a zero, and the buffer has the room that is named.
    unsafe {
        let file = Descriptor::new(libc::open(path.as_ptr().cast(), flags)).ok()?;
        let mut head = [0; SIZE];
        (libc::pread(file.0, head.as_mut_ptr().cast(), SIZE, 0) >= 0).then_some(head)
    }
}

/// Writes a number that is not negative in decimal; the rest stays as it is.
pub fn write_number(into: &mut [u8], number: c_int) {
    let mut digits = [0; 10];
    let mut rest = number.unsigned_abs();
    let mut first = digits.len();
    loop {
        first -= 1;
        // One digit.
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let digits = &digits[first..];
    into[..digits.len()].copy_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_decimal() {
        for number in [0, 7, 10, 1234, i32::MAX] {
            let mut text = [b'x'; 10];
            write_number(&mut text, number);
            assert!(text.starts_with(number.to_string().as_bytes()));
        }
    }

    #[test]
    fn files_and_what_is_none() {
        let exe = Descriptor::place(libc::AT_FDCWD, c"/proc/self/exe", 0).unwrap();
        let found = inspect(exe.number()).unwrap();
        assert!(found.head.unwrap().starts_with(b"\x7fELF") && !found.noexec);
        let directory = Descriptor::place(libc::AT_FDCWD, c"/", 0).unwrap();
        assert!(inspect(directory.number()).unwrap().head.is_none());
        let null = Descriptor::place(libc::AT_FDCWD, c"/dev/null", 0).unwrap();
        assert!(inspect(null.number()).unwrap().head.is_none());
        assert_eq!(Descriptor::place(libc::AT_FDCWD, c"/nowhere", 0).unwrap_err(), libc::ENOENT);
    }
}
