//! Modes and times of files. The kernel has no lock that would hold their change to the granted files, so the filter
//! refuses it everywhere; but what copies a file also copies these, and is not to fail for it.
//!
//! So where the script may write, new times are accepted and change nothing, and so is a new mode, as on a file system that
//! keeps neither. A mode that would take access from others is an error, unless it is a copy's: nobody shall ask for a
//! secret to be kept and be told that it is.
//!
//! These functions stand before the C library's, for CPython and for what it loads. They are manners: they open nothing.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int};
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The roots beneath which the script may write.
static WRITABLE: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// From now on changes are accepted beneath these roots, where the script may write.
pub fn accept(roots: Vec<PathBuf>) -> &'static [PathBuf] {
    WRITABLE.get_or_init(|| roots)
}

thread_local! {
    /// The copy that is about to get its original's metadata.
    static COPY: RefCell<Option<OsString>> = const { RefCell::new(None) };
}

/// This file is about to get its original's metadata.
pub fn copying(path: OsString) {
    COPY.set(Some(path));
}

/// Whether it is this copy that gets its mode; once.
fn is_copy(path: &CStr) -> bool {
    COPY.take().is_some_and(|copy| copy.as_bytes() == path.to_bytes())
}

/// What is named by a directory's descriptor and a path, if it may be written.
///
/// # Safety
/// `path` is null or a string.
unsafe fn may_write(directory: c_int, path: *const c_char) -> bool {
    let Some(roots) = WRITABLE.get().filter(|roots| !roots.is_empty()) else { return false };
    if path.is_null() {
        // SAFETY: F_GETFL takes no pointer.
        let flags = unsafe { libc::fcntl(directory, libc::F_GETFL) };
        return flags != -1 && matches!(flags & libc::O_ACCMODE, libc::O_WRONLY | libc::O_RDWR);
    }
    // SAFETY: the caller's promise.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    if directory != libc::AT_FDCWD && path.is_relative() {
        return lies_beneath(directory, path, roots);
    }
    fs::canonicalize(path).is_ok_and(|file| roots.iter().any(|root| file.starts_with(root)))
}

/// Whether a path that begins at a directory's descriptor leads beneath one of the roots. The directory's own path is not
/// known: so each of those above the file is compared with the roots.
fn lies_beneath(directory: c_int, path: &Path, roots: &[PathBuf]) -> bool {
    /// Deeper than any path can name.
    const DEEPEST: usize = libc::PATH_MAX as usize / 2;
    let roots: Vec<_> = roots
        .iter()
        .filter_map(|root| fs::metadata(root).ok())
        .map(|root| (root.dev(), root.ino()))
        .collect();
    let identity = |path: &Path| stat(directory, path).map(|stat| (stat.st_dev, stat.st_ino));
    let Some(file) = stat(directory, path) else { return false };
    // Where a link leads is not looked into.
    if file.st_mode & libc::S_IFMT == libc::S_IFLNK {
        return false;
    }
    let mut above = match file.st_mode & libc::S_IFMT {
        libc::S_IFDIR => path.join(".."),
        _ => path.parent().map(|parent| parent.join(".")).unwrap_or_default(),
    };
    let mut below = Some((file.st_dev, file.st_ino));
    for _ in 0..DEEPEST {
        if below.is_some_and(|below| roots.contains(&below)) {
            return true;
        }
        let here = identity(&above);
        if here.is_none() || (here == below && above.ends_with("..")) {
            return false;
        }
        below = here;
        above.push("..");
    }
    false
}

/// fstatat(2) without following a link at the end.
fn stat(directory: c_int, path: &Path) -> Option<libc::stat> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: all zero is a valid stat, and the kernel fills it while it lives.
    unsafe {
        let answer = libc::fstatat(directory, path.as_ptr(), stat.as_mut_ptr(), libc::AT_SYMLINK_NOFOLLOW);
        (answer == 0).then(|| stat.assume_init())
    }
}

/// Whether a mode leaves others the access that they have.
///
/// # Safety
/// `path` is null or a string.
unsafe fn keeps_access(directory: c_int, path: *const c_char, mode: libc::mode_t) -> bool {
    const OTHERS: libc::mode_t = 0o077;
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: all zero is a valid stat, and the kernel fills it while it lives.
    let (answer, stat) = unsafe {
        let answer = match path.is_null() {
            true => libc::fstat(directory, stat.as_mut_ptr()),
            false => libc::fstatat(directory, path, stat.as_mut_ptr(), 0),
        };
        (answer, stat.assume_init())
    };
    // SAFETY: the caller's promise.
    let copied = !path.is_null() && is_copy(unsafe { CStr::from_ptr(path) });
    answer == 0 && (copied || stat.st_mode & !mode & OTHERS == 0)
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn chmod(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's promises are those of chmod(2), and are handed on.
    unsafe { fchmodat(libc::AT_FDCWD, path, mode, 0) }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn fchmodat(
    directory: c_int,
    path: *const c_char,
    mode: libc::mode_t,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promises are those of chmod(2), and are handed on.
    unsafe {
        if flags == 0 && may_write(directory, path) && keeps_access(directory, path, mode) {
            return 0;
        }
        // The older call has no flags, and would follow a link that is not to be followed.
        libc::syscall(libc::SYS_fchmodat2, directory, path, mode, flags) as c_int
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn fchmod(file: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: there is no path, and no pointer.
    unsafe {
        if may_write(file, std::ptr::null()) && keeps_access(file, std::ptr::null(), mode) {
            return 0;
        }
        libc::syscall(libc::SYS_fchmod, file, mode) as c_int
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn utimensat(
    directory: c_int,
    path: *const c_char,
    times: *const libc::timespec,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promises are those of utimensat(2), and are handed on.
    unsafe {
        if may_write(directory, path) {
            return 0;
        }
        libc::syscall(libc::SYS_utimensat, directory, path, times, flags) as c_int
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn futimens(file: c_int, times: *const libc::timespec) -> c_int {
    // SAFETY: the caller's promises are those of futimens(3), and are handed on.
    unsafe { utimensat(file, std::ptr::null(), times, 0) }
}
