//! A run's own directory for temporary files: empty at the start, gone at the end.
#![allow(unsafe_code, reason = "mkdtemp(3), pipe2(2), fork(2) and _exit(2) have no safe form")]

use std::ffi::CString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The directory, and what removes it should we be killed.
#[derive(Debug)]
pub(crate) struct Temporary {
    path: PathBuf,
    /// While it is open somewhere, the janitor waits.
    _lifeline: OwnedFd,
}

impl Temporary {
    /// Makes the directory, beneath `TMPDIR` or `/tmp`, for its owner alone.
    ///
    /// # Errors
    /// [`Failure::Step`].
    pub(crate) fn make() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::step("make a directory for temporary files", &error);
        let base = fs::canonicalize(std::env::temp_dir()).map_err(failed)?;
        let template = [base.as_os_str().as_bytes(), b"/run-XXXXXX"].concat();
        let template = CString::new(template).map_err(|error| failed(error.into()))?.into_raw();
        // SAFETY: the string is ours and ends in NUL; it keeps its length.
        let (made, path) = unsafe { (libc::mkdtemp(template), CString::from_raw(template)) };
        if made.is_null() {
            return Err(failed(io::Error::last_os_error()));
        }
        let path = PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes()));
        let lifeline = janitor(&path).map_err(failed)?;
        Ok(Temporary { path, _lifeline: lifeline })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it with all that is in it; nobody of the run may live any more.
    pub(crate) fn remove(&self) {
        remove(&self.path);
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Starts a process that waits until the last of us has ended, however, and then removes what is left. It belongs to nobody:
/// no signal to our group or session reaches it.
fn janitor(path: &Path) -> io::Result<OwnedFd> {
    let mut ends = [0; 2];
    // SAFETY: room for two numbers, which are descriptors of ours then.
    let (wait, keep) = unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    };
    // SAFETY: one thread runs, so the child is a whole copy; so is its own, which the first leaves behind.
    unsafe {
        match libc::fork() {
            -1 => return Err(io::Error::last_os_error()),
            0 => {
                libc::setsid();
                if libc::fork() == 0 {
                    drop(keep);
                    for number in 0..3 {
                        libc::close(number);
                    }
                    wait_for_the_end(wait);
                    remove(path);
                }
                libc::_exit(0);
            }
            child => libc::waitpid(child, std::ptr::null_mut(), 0),
        };
    }
    Ok(keep)
}

fn wait_for_the_end(mut wait: File) {
    // Nobody writes: it ends when the last copy of the other end is closed.
    let _ = wait.read(&mut [0]);
}

fn remove(path: &Path) {
    if fs::remove_dir_all(path).is_err() {
        // Directories may have been made closed, to their owner as well.
        open_up(path);
        // What cannot be removed now is another user's affair.
        let _ = fs::remove_dir_all(path);
    }
}

/// Lets the owner into every directory; links are not followed.
fn open_up(directory: &Path) {
    let _ = fs::set_permissions(directory, Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_closed_is_removed_as_well() {
        let temporary = Temporary::make().unwrap();
        let inner = temporary.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "x").unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o0)).unwrap();
        temporary.remove();
        assert!(!temporary.path().exists());
    }
}
