//! `access(2)` and its like: a script that would run here is executable. `make`, `test -x` and `which` ask before
//! they start something.

use std::ffi::{CStr, c_char, c_int};

use shebang::file::errno;
use shebang::local::Identity;
use shebang::{Local, Verdict, resolve};

use crate::environment;
use crate::exec::fail;
use crate::next;

/// `access(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn access(path: *const c_char, mode: c_int) -> c_int {
    // SAFETY: the caller's, as for all that follow: a C string.
    unsafe { faccessat(libc::AT_FDCWD, path, mode, 0) }
}

/// `eaccess(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn eaccess(path: *const c_char, mode: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { faccessat(libc::AT_FDCWD, path, mode, libc::AT_EACCESS) }
}

/// `euidaccess(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn euidaccess(path: *const c_char, mode: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { eaccess(path, mode) }
}

/// `faccessat(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn faccessat(directory: c_int, path: *const c_char, mode: c_int, flags: c_int) -> c_int {
    let Some(native) = next::access() else { return fail(libc::ENOSYS) };
    // SAFETY: as above.
    let answer = unsafe { native(directory, path, mode, flags) };
    if answer == 0 || mode & libc::X_OK == 0 || errno() != libc::EACCES || environment::is_skipped() {
        return answer;
    }
    // SAFETY: as above.
    let name = unsafe { CStr::from_ptr(path) };
    let who = if flags & libc::AT_EACCESS == 0 { Identity::Real } else { Identity::Effective };
    let view = Local::here().beneath(directory).without_link(flags & libc::AT_SYMLINK_NOFOLLOW != 0);
    if matches!(resolve(&mut view.of(who), name), Verdict::Native) {
        return fail(libc::EACCES);
    }
    // SAFETY: as above.
    unsafe { native(directory, path, mode & !libc::X_OK, flags) }
}
