//! A run's own directory for temporary files: empty at the start, gone at the end.
//!
//! Other runs of the same account may write where it lies, and exchange it. So after it was made it is known by its
//! descriptor only: the grant is for that, and what is removed is looked up from it, name by name, without following links.
#![allow(unsafe_code, reason = "mkdirat(2) and its like, pipe2(2), fork(2) and _exit(2) have no safe form")]

use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::descriptors::{link, open_path};
use crate::failure::Failure;
use crate::kernel;
use crate::privileges;

/// The directory, and what removes it should we be killed.
#[derive(Debug)]
pub(crate) struct Temporary {
    place: Place,
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
        let place = Place::make(&base).map_err(failed)?;
        let path = base.join(OsStr::from_bytes(place.name.to_bytes()));
        let lifeline = janitor(&place).map_err(failed)?;
        Ok(Temporary { place, path, _lifeline: lifeline })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory itself, without a right to its content.
    pub(crate) fn directory(&self) -> &File {
        &self.place.directory
    }

    /// Removes it with all that is in it; nobody of the run may live any more.
    pub(crate) fn remove(&self) {
        self.place.remove();
    }
}

/// A directory in another, both by descriptors that give no right to their content.
#[derive(Debug)]
struct Place {
    parent: File,
    name: CString,
    directory: File,
}

impl Place {
    /// Makes a directory of a new name.
    fn make(parent: &Path) -> io::Result<Self> {
        let parent = open_path(parent)?;
        loop {
            let name = name()?;
            // SAFETY: a descriptor that is open, and a string that ends in NUL.
            if unsafe { libc::mkdirat(parent.as_raw_fd(), name.as_ptr(), 0o700) } == 0 {
                let directory = open(&parent, &name)?;
                // What was put there in its place is another's, or holds something.
                let meta = directory.metadata()?;
                let ours = meta.uid() == kernel::user() && meta.mode() & 0o777 == 0o700;
                if !ours || fs::read_dir(link(directory.as_raw_fd()))?.next().is_some() {
                    return Err(io::Error::from_raw_os_error(libc::EEXIST));
                }
                return Ok(Place { parent, name, directory });
            }
            match io::Error::last_os_error() {
                taken if taken.raw_os_error() == Some(libc::EEXIST) => {}
                error => return Err(error),
            }
        }
    }

    /// Removes what is in it, and then the name. What cannot be removed now is another user's affair, and a name that has
    /// become another's stays.
    fn remove(&self) {
        clear(&self.directory);
        remove_directory(&self.parent, &self.name);
    }
}

/// `run-` and eight letters that nobody can guess.
fn name() -> io::Result<CString> {
    let mut random = [0_u8; 8];
    // SAFETY: the kernel writes so many bytes at most.
    let count = unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) };
    if count != 8 {
        return Err(io::Error::last_os_error());
    }
    let letters = random.iter().map(|byte| char::from(b'a' + byte % 26));
    let text = "run-".chars().chain(letters).collect::<String>();
    CString::new(text).map_err(io::Error::from)
}

/// Opens a directory, and no link to one.
fn open(parent: &File, name: &CStr) -> io::Result<File> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: a descriptor that is open, and a string that ends in NUL; the new descriptor is ours.
    unsafe {
        match libc::openat(parent.as_raw_fd(), name.as_ptr(), flags) {
            -1 => Err(io::Error::last_os_error()),
            number => Ok(File::from_raw_fd(number)),
        }
    }
}

/// Empties a directory. However deep it goes, no more than two directories are open: what lies deeper is moved up first.
fn clear(directory: &File) {
    let mut moved = 0_u64;
    // Somebody who makes files all the while does not keep us for ever.
    for _ in 0..10_000 {
        let mut progress = false;
        for name in names(directory) {
            progress |= remove_file(directory, &name) || remove_directory(directory, &name) || {
                open(directory, &name).is_ok_and(|inner| lift(&inner, directory, &mut moved))
            };
        }
        if !progress {
            return;
        }
    }
}

/// Removes the files of a directory, and moves its directories into another; whether there were any.
fn lift(from: &File, to: &File, moved: &mut u64) -> bool {
    let mut progress = false;
    for name in names(from) {
        progress |= remove_file(from, &name) || remove_directory(from, &name) || {
            // A directory is moved by who may write in it: its `..` changes.
            if let Ok(directory) = open(from, &name) {
                let_in(&directory);
            }
            *moved += 1;
            let new = CString::new(format!("\u{1}{moved}")).unwrap_or_default();
            // SAFETY: descriptors that are open, and strings that end in NUL.
            unsafe { libc::renameat(from.as_raw_fd(), name.as_ptr(), to.as_raw_fd(), new.as_ptr()) == 0 }
        };
    }
    progress
}

/// Lets its owner into a directory, who may have been kept out. Where that fails so does what needs it.
fn let_in(directory: &File) {
    let _ = fs::set_permissions(link(directory.as_raw_fd()), Permissions::from_mode(0o700));
}

/// What is in a directory.
fn names(directory: &File) -> Vec<CString> {
    let_in(directory);
    let entries = fs::read_dir(link(directory.as_raw_fd())).into_iter().flatten().flatten();
    entries.filter_map(|entry| CString::new(entry.file_name().as_bytes()).ok()).collect()
}

fn remove_file(directory: &File, name: &CStr) -> bool {
    // SAFETY: a descriptor that is open, and a string that ends in NUL.
    unsafe { libc::unlinkat(directory.as_raw_fd(), name.as_ptr(), 0) == 0 }
}

fn remove_directory(directory: &File, name: &CStr) -> bool {
    // SAFETY: as above.
    unsafe { libc::unlinkat(directory.as_raw_fd(), name.as_ptr(), libc::AT_REMOVEDIR) == 0 }
}

/// Starts a process that waits until the last of us has ended, however, and then removes what is left. It belongs to nobody:
/// no signal to our group or session reaches it.
fn janitor(place: &Place) -> io::Result<OwnedFd> {
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
                    // It needs none; and where that fails, it follows no link.
                    let _ = privileges::drop_capabilities();
                    wait_for_the_end(wait);
                    place.remove();
                }
                libc::_exit(0);
            }
            child => libc::waitpid(child, std::ptr::null_mut(), 0),
        };
    }
    Ok(keep)
}

/// It ends when the last copy of the other end is closed, and with nothing else.
fn wait_for_the_end(mut wait: File) {
    loop {
        match wait.read(&mut [0]) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_was_closed_is_removed_as_well() {
        let temporary = Temporary::make().unwrap();
        let path = temporary.path().to_owned();
        let inner = path.join("a/b/c/d");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "x").unwrap();
        for closed in [&inner, &path.join("a/b"), &path.join("a")] {
            fs::set_permissions(closed, Permissions::from_mode(0o0)).unwrap();
        }
        temporary.remove();
        assert!(!path.exists());
    }

    #[test]
    fn links_and_what_has_taken_its_name_are_left_alone() {
        let outside = std::env::temp_dir().join(format!("temporary-{}", std::process::id()));
        fs::create_dir_all(outside.join("kept")).unwrap();
        fs::set_permissions(&outside, Permissions::from_mode(0o755)).unwrap();
        let temporary = Temporary::make().unwrap();
        let (path, aside) = (temporary.path().to_owned(), outside.join("aside"));
        symlink(&outside, path.join("link")).unwrap();
        fs::rename(&path, &aside).unwrap();
        symlink(&outside, &path).unwrap();
        temporary.remove();
        assert_eq!(fs::read_dir(&aside).unwrap().count(), 0);
        assert!(outside.join("kept").exists() && path.is_symlink());
        assert_eq!(fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o755);
        fs::remove_file(&path).unwrap();
        fs::remove_dir_all(&outside).unwrap();
    }
}
