//! A pipe between the three processes.
#![allow(unsafe_code, reason = "pipe2(2) is a foreign function")]

use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};

use crate::failure::Failure;

/// Both ends; neither survives an exec.
pub struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    /// A new one.
    ///
    /// # Errors
    /// [`Failure::Step`].
    pub fn new() -> Result<Pipe, Failure> {
        let mut ends = [0; 2];
        // SAFETY: the kernel fills the array; the descriptors are new and ours.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(Failure::last("make a pipe"));
            }
            Ok(Pipe { reader: OwnedFd::from_raw_fd(ends[0]), writer: OwnedFd::from_raw_fd(ends[1]) })
        }
    }

    /// Keeps this end and closes the other.
    pub fn reader(self) -> File {
        self.reader.into()
    }

    /// Keeps this end and closes the other.
    pub fn writer(self) -> File {
        self.writer.into()
    }
}
