//! The `exec` family.

use std::ffi::{CStr, c_char, c_int};

use shebang::file::{errno, write_number};
use shebang::{Chain, Local, Verdict, resolve};

use crate::environment::{self, with_ours};
use crate::search;
use crate::strings::{Strings, with_array};

/// `execve(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn execve(
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's, as for all that follow: strings and arrays of strings.
    unsafe { start(CStr::from_ptr(path), Strings::new(argv), Strings::new(envp)) }
}

/// `execv(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn execv(path: *const c_char, argv: *const *const c_char) -> c_int {
    // SAFETY: as above.
    unsafe { start(CStr::from_ptr(path), Strings::new(argv), environment::current()) }
}

/// `execvp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn execvp(file: *const c_char, argv: *const *const c_char) -> c_int {
    // SAFETY: as above.
    unsafe { search::start(CStr::from_ptr(file), Strings::new(argv), environment::current()) }
}

/// `execvpe(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn execvpe(
    file: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: as above.
    unsafe { search::start(CStr::from_ptr(file), Strings::new(argv), Strings::new(envp)) }
}

/// `fexecve(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fexecve(
    descriptor: c_int,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    if descriptor < 0 || argv.is_null() || envp.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: as above.
    unsafe { execveat(descriptor, c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH) }
}

/// `execveat(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn execveat(
    directory: c_int,
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: as above.
    let (path, argv, envp) = unsafe { (CStr::from_ptr(path), Strings::new(argv), Strings::new(envp)) };
    with_ours(envp, |envp| {
        // SAFETY: as above.
        unsafe {
            let (path, argv, envp) = (path.as_ptr(), argv.as_pointer(), envp.as_pointer());
            libc::syscall(libc::SYS_execveat, directory, path, argv, envp, flags);
        }
        if errno() != libc::EACCES || flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) != 0 {
            return -1;
        }
        let mut here = Local::here().without_link(flags & libc::AT_SYMLINK_NOFOLLOW != 0);
        if directory == libc::AT_FDCWD || path.to_bytes().starts_with(b"/") {
            return instead(&resolve(&mut here, path), path, argv, envp);
        }
        let mut view = here.beneath(directory).out_of_reach(closes_on_exec(directory));
        let verdict = resolve(&mut view, path);
        let mut name = [0; libc::PATH_MAX as usize + 32];
        instead(&verdict, descriptor_path(&mut name, directory, path), argv, envp)
    })
    .unwrap_or(-1)
}

/// `/dev/fd/N` or `/dev/fd/N/path`, as the kernel names what is reached through a descriptor.
fn descriptor_path<'a>(room: &'a mut [u8], directory: c_int, path: &CStr) -> &'a CStr {
    room[..8].copy_from_slice(b"/dev/fd/");
    write_number(&mut room[8..18], directory);
    let end = room.iter().position(|&byte| byte == 0).unwrap_or(0);
    let path = path.to_bytes();
    if !path.is_empty() && end + path.len() + 1 < room.len() {
        room[end] = b'/';
        room[end + 1..=end + path.len()].copy_from_slice(path);
    }
    CStr::from_bytes_until_nul(room).unwrap_or_default()
}

fn closes_on_exec(descriptor: c_int) -> bool {
    // SAFETY: fcntl takes any number.
    unsafe { libc::fcntl(descriptor, libc::F_GETFD) & libc::FD_CLOEXEC != 0 }
}

/// Starts a program, or the interpreter of a script that the kernel refuses; comes back with an errno.
pub fn start(path: &CStr, argv: Strings, envp: Strings) -> c_int {
    with_ours(envp, |envp| {
        native(path, argv, envp);
        if errno() != libc::EACCES {
            return -1;
        }
        instead(&resolve(&mut Local::here(), path), path, argv, envp)
    })
    .unwrap_or(-1)
}

/// Does what the verdict says about a script that the kernel has answered `EACCES`.
fn instead(verdict: &Verdict, name: &CStr, argv: Strings, envp: Strings) -> c_int {
    match verdict {
        _ if environment::is_skipped() => fail(libc::EACCES),
        Verdict::Native => fail(libc::EACCES),
        Verdict::Fail(errno) => fail(*errno),
        Verdict::Run(chain) => with_arguments(chain, name, argv, |argv| native(chain.program(), argv, envp))
            .unwrap_or_else(|| fail(libc::ENOMEM)),
    }
}

/// Calls `work` with the arguments of the interpreter.
pub fn with_arguments<R>(
    chain: &Chain,
    name: &CStr,
    argv: Strings,
    work: impl FnOnce(Strings) -> R,
) -> Option<R> {
    let ours = chain.arguments(name).map(CStr::as_ptr);
    with_array(ours.chain(argv.pointers().skip(1)), work)
}

/// `execve`, the system call.
fn native(path: &CStr, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: a string and two arrays of strings.
    unsafe {
        libc::syscall(libc::SYS_execve, path.as_ptr(), argv.as_pointer(), envp.as_pointer());
    }
    -1
}

/// Leaves an error as C's functions do.
pub fn fail(error: c_int) -> c_int {
    // SAFETY: the C library keeps one for each thread, always.
    unsafe { *libc::__errno_location() = error };
    -1
}
