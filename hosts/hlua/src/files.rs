//! What a failed call may tell about a path.
//!
//! The kernel looks a path up before it asks Landlock, so the error tells what exists outside the
//! grants: "No such file or directory" there, "Permission denied" here. All of Lua's calls that take
//! a path and are let through by the filter come to this module, and where such a call fails, the
//! error stays only if the path lies beneath a directory that may be opened; otherwise it becomes
//! "Permission denied".
//!
//! The kernel itself is asked: the path and then its parents are opened as directories until one
//! exists. If that one opens, it is granted, and so is the look at what it lacks. A name that is
//! there but leads nowhere is a link whose far end may lie outside: that is refused as well. A grant
//! to write alone does not open a directory, so what is missing there is refused too.
//!
//! `/dev/null` can be written without a grant, through a descriptor kept for it: the filter lets no
//! file be opened for writing without one.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::cell::Cell;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::FILE;

use crate::stdio::{last_error, set_last_error};

unsafe extern "C" {
    fn __real_fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE;
    fn __real_freopen64(path: *const c_char, mode: *const c_char, old: *mut FILE) -> *mut FILE;
    fn __real_remove(path: *const c_char) -> c_int;
    fn __real_rename(old: *const c_char, new: *const c_char) -> c_int;
    fn __real_tmpfile64() -> *mut FILE;
}

/// Whether the doors are closed.
static GUARDED: AtomicBool = AtomicBool::new(false);
/// The descriptor kept for `/dev/null`.
static NULL: AtomicI32 = AtomicI32::new(-1);
/// The path refused last, for the hint after an error that nobody caught.
static REFUSED: Refused = Refused(Cell::new(None));

struct Refused(Cell<Option<Name>>);

// SAFETY: hlua has one thread.
unsafe impl Sync for Refused {}

/// From now on errors tell nothing about paths outside the grants.
pub fn guard() {
    // SAFETY: a constant path and flags.
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    NULL.store(null, Ordering::Relaxed);
    GUARDED.store(true, Ordering::Relaxed);
}

/// Gives the path that was refused last to `act`.
pub fn with_refused<T>(act: impl FnOnce(Option<&Path>) -> T) -> T {
    let name = REFUSED.0.get();
    act(name.as_ref().map(|name| Path::new(OsStr::from_bytes(name.as_bytes()))))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE {
    // SAFETY: the argument is the caller's, a C string.
    if unsafe { climbs(path) } && refuse_climb(&[unsafe { CStr::from_ptr(path) }]) {
        return ptr::null_mut();
    }
    // SAFETY: the arguments are the caller's, two C strings.
    let file = unsafe { __real_fopen64(path, mode) };
    if !file.is_null() || !GUARDED.load(Ordering::Relaxed) {
        return file;
    }
    // SAFETY: as above.
    let (path, mode) = unsafe { (CStr::from_ptr(path), CStr::from_ptr(mode)) };
    if path == c"/dev/null" {
        return open_null(mode);
    }
    answer(&[path]);
    ptr::null_mut()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_freopen64(path: *const c_char, mode: *const c_char, old: *mut FILE) -> *mut FILE {
    // SAFETY: the argument is the caller's; Lua always names a path.
    if refuse_climb(&[unsafe { CStr::from_ptr(path) }]) {
        // SAFETY: the stream is the caller's, and gone after any failure, as with freopen itself.
        unsafe { libc::fclose(old) };
        set_last_error(libc::EACCES);
        return ptr::null_mut();
    }
    // SAFETY: as above.
    let (file, path) = unsafe { (__real_freopen64(path, mode, old), CStr::from_ptr(path)) };
    if file.is_null() {
        answer(&[path]);
    }
    file
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_remove(path: *const c_char) -> c_int {
    // SAFETY: the argument is the caller's, a C string.
    if refuse_climb(&[unsafe { CStr::from_ptr(path) }]) {
        return -1;
    }
    // SAFETY: as above.
    let (result, path) = unsafe { (__real_remove(path), CStr::from_ptr(path)) };
    if result != 0 {
        answer(&[path]);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_rename(old: *const c_char, new: *const c_char) -> c_int {
    // SAFETY: the arguments are the caller's, two C strings.
    if refuse_climb(&unsafe { [CStr::from_ptr(old), CStr::from_ptr(new)] }) {
        return -1;
    }
    // SAFETY: as above.
    let (result, paths) = unsafe { (__real_rename(old, new), [CStr::from_ptr(old), CStr::from_ptr(new)]) };
    if result != 0 {
        answer(&paths);
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_tmpfile64() -> *mut FILE {
    // SAFETY: it takes nothing.
    let file = unsafe { __real_tmpfile64() };
    if file.is_null() {
        answer(&[c"/tmp"]);
    }
    file
}

/// Whether two dots stand anywhere in a path. Most have none, and an open is to cost no more than it must.
unsafe fn climbs(path: *const c_char) -> bool {
    // SAFETY: the caller's, a C string.
    !unsafe { libc::strstr(path, c"..".as_ptr()) }.is_null()
}

/// Refuses a path that climbs out of a directory which may not be opened: `/secret/../dev/zero` can be
/// opened only if `/secret` is there, and no later answer would hide that.
fn refuse_climb(paths: &[&CStr]) -> bool {
    if !GUARDED.load(Ordering::Relaxed) {
        return false;
    }
    let refused = paths.iter().find(|path| climbs_unseen(path));
    if let Some(path) = refused {
        REFUSED.0.set(Name::of(path));
        set_last_error(libc::EACCES);
    }
    refused.is_some()
}

/// Whether a `..` follows a directory that may not be opened. At the beginning it tells nothing.
fn climbs_unseen(path: &CStr) -> bool {
    let bytes = path.to_bytes();
    let mut named = false;
    let mut start = 0;
    for part in bytes.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if named => {
                let Some(mut prefix) = Name::of(path) else { return false };
                prefix.cut(trim(&bytes[..start]).len());
                if prefix.open(libc::O_DIRECTORY) != 0 {
                    return true;
                }
            }
            b".." => {}
            _ => named = true,
        }
        start += part.len() + 1;
    }
    false
}

/// Leaves the error of a failed call for its caller, or "Permission denied" in its place.
fn answer(paths: &[&CStr]) {
    if !GUARDED.load(Ordering::Relaxed) {
        return;
    }
    let error = last_error();
    let hidden = paths.iter().find(|path| !tells_nothing(error) && !may_tell(path));
    let error = if hidden.is_some() { libc::EACCES } else { error };
    if error == libc::EACCES {
        REFUSED.0.set(hidden.or(paths.first()).and_then(|path| Name::of(path)));
    }
    set_last_error(error);
}

/// Errors that are the same whatever exists.
fn tells_nothing(error: c_int) -> bool {
    matches!(error, libc::EACCES | libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EINTR)
}

/// Whether the script may know that this path, which a call has failed on, is missing or unfit.
fn may_tell(path: &CStr) -> bool {
    let Some(mut name) = Name::of(path) else {
        return true; // longer than any path: refused before it was looked up
    };
    if name.as_bytes().is_empty() {
        return true;
    }
    let mut error = name.open(libc::O_DIRECTORY);
    if error == libc::ENOTDIR {
        // A file, or a path through one: only the parent can say whose it is.
        error = if name.climb() { name.open(libc::O_DIRECTORY) } else { error };
    }
    while error == libc::ENOENT {
        if name.open(libc::O_NOFOLLOW) == libc::ELOOP || !name.climb() {
            return false;
        }
        error = name.open(libc::O_DIRECTORY);
    }
    error == 0
}

/// A stream on `/dev/null`. Appending is writing there, and needs no flag to be set.
fn open_null(mode: &CStr) -> *mut FILE {
    let mode = match mode.to_bytes() {
        [b'r', rest @ ..] if !rest.contains(&b'+') => c"r",
        [_, rest @ ..] if rest.contains(&b'+') => c"r+",
        _ => c"w",
    };
    // SAFETY: the descriptor is ours, and its copy becomes the stream's.
    unsafe {
        let copy = libc::fcntl(NULL.load(Ordering::Relaxed), libc::F_DUPFD_CLOEXEC, 3);
        if copy < 0 {
            return ptr::null_mut();
        }
        let file = libc::fdopen(copy, mode.as_ptr());
        if file.is_null() {
            libc::close(copy);
        }
        file
    }
}

/// A path that can be shortened in place: no allocation on the way of an error.
#[derive(Clone, Copy)]
struct Name {
    bytes: [u8; libc::PATH_MAX as usize],
    length: usize,
}

impl Name {
    /// A copy; `None` if the kernel would not take it.
    fn of(path: &CStr) -> Option<Self> {
        let path = path.to_bytes();
        let mut bytes = [0; libc::PATH_MAX as usize];
        if path.len() >= bytes.len() {
            return None;
        }
        bytes[..path.len()].copy_from_slice(path);
        Some(Name { bytes, length: path.len() })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Opens and closes the path; the error, or 0. The filter knows exactly these flags.
    fn open(&self, flag: c_int) -> c_int {
        // SAFETY: the bytes end with a zero, see `cut`.
        unsafe {
            let flags = libc::O_RDONLY | libc::O_CLOEXEC | flag;
            let descriptor = libc::open(self.bytes.as_ptr().cast(), flags);
            if descriptor < 0 {
                return last_error();
            }
            libc::close(descriptor);
        }
        0
    }

    /// Goes one name up; false where there is nothing above.
    fn climb(&mut self) -> bool {
        let path = self.as_bytes();
        if path == b"." || path.iter().all(|&byte| byte == b'/') {
            return false;
        }
        let named = trim(path).len();
        let Some(slash) = path[..named].iter().rposition(|&byte| byte == b'/') else {
            self.bytes[0] = b'.';
            self.cut(1);
            return true;
        };
        let parent = trim(&path[..slash]).len();
        self.cut(parent.max(1));
        true
    }

    fn cut(&mut self, length: usize) {
        self.bytes[length] = 0;
        self.length = length;
    }
}

/// Without slashes at its end.
fn trim(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parents(path: &CStr) -> Vec<String> {
        let mut name = Name::of(path).expect("short");
        let mut all = Vec::new();
        while name.climb() {
            all.push(String::from_utf8_lossy(name.as_bytes()).into_owned());
        }
        all
    }

    #[test]
    fn paths_end_at_the_root_or_the_working_directory() {
        assert_eq!(parents(c"/a/b//c/"), ["/a/b", "/a", "/"]);
        assert_eq!(parents(c"a/b"), ["a", "."]);
        assert_eq!(parents(c"x"), ["."]);
        assert_eq!(parents(c"."), [""; 0]);
        assert_eq!(parents(c"//"), [""; 0]);
        assert_eq!(parents(c"//x"), ["/"]);
    }

    #[test]
    fn what_lies_in_an_open_directory_may_be_told() {
        assert!(may_tell(c"/tmp/there/is/no/such/path"));
        assert!(may_tell(c"/etc/passwd"));
        assert!(may_tell(c""));
        assert!(!may_tell(c"/etc/passwd/x"));
    }

    #[test]
    fn climbing_needs_a_directory_that_opens() {
        for (path, unseen) in [
            (c"/no/such/../x", true),
            (c"/tmp/../dev/zero", false),
            (c"/etc/passwd/../x", true),
            (c"../../x", false),
            (c"/tmp/no-such-directory/./../x", true),
            (c"/..hidden/..x", false),
        ] {
            assert_eq!(climbs_unseen(path), unseen, "{path:?}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_told() {
        let folder = std::env::temp_dir().join(format!("hlua-link-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a new folder");
        std::os::unix::fs::symlink("/nowhere/at/all", folder.join("link")).expect("a link");
        for (name, told) in [("link", false), ("link/x/y", false), ("absent", true)] {
            let path = std::ffi::CString::new(folder.join(name).as_os_str().as_bytes());
            assert_eq!(may_tell(&path.expect("no zero byte")), told, "{name}");
        }
        std::fs::remove_dir_all(&folder).expect("gone");
    }
}
