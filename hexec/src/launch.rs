//! The start of the command, which may be a script on a mount with `noexec` itself.
#![allow(unsafe_code, reason = "Rust's own exec would change SIGPIPE and the signal mask")]

use std::env;
use std::ffi::{CStr, CString, OsStr, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt;

use shebang::{Local, Verdict, resolve};

use crate::failure::Failure;

/// Where programs are looked for if nobody says.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Starts the command, found as `execvp(3)` finds it, with this environment; comes back with the reason why not.
pub fn start(command: &[CString], environment: Vec<CString>) -> Failure {
    let name = command.first().map_or(c"", CString::as_c_str);
    let mut error = libc::ENOENT;
    for path in candidates(name) {
        match start_file(&path, command, &environment) {
            libc::EACCES => error = libc::EACCES,
            libc::ENOENT | libc::ENOTDIR => {}
            other => {
                error = other;
                break;
            }
        }
    }
    let command = OsStr::from_bytes(name.to_bytes()).to_owned();
    Failure::Command { command, source: io::Error::from_raw_os_error(error) }
}

fn candidates(name: &CStr) -> Vec<CString> {
    if name.to_bytes().contains(&b'/') || name.is_empty() {
        return vec![name.to_owned()];
    }
    let list = env::var_os("PATH").unwrap_or_else(|| PATH.into());
    let join = |directory: std::path::PathBuf| directory.join(OsStr::from_bytes(name.to_bytes()));
    env::split_paths(&list)
        .filter_map(|directory| CString::new(join(directory).into_os_string().as_bytes()).ok())
        .collect()
}

/// Tries one file; the answer is an errno.
fn start_file(path: &CStr, command: &[CString], environment: &[CString]) -> i32 {
    let rest = || command.iter().skip(1).map(CString::as_c_str);
    match exec(path, command.iter().map(CString::as_c_str), environment) {
        libc::EACCES => match resolve(&mut Local::here(), path) {
            Verdict::Native => libc::EACCES,
            Verdict::Fail(errno) => errno,
            Verdict::Run(chain) => exec(chain.program(), chain.arguments(path).chain(rest()), environment),
        },
        libc::ENOEXEC => exec(c"/bin/sh", [c"/bin/sh", path].into_iter().chain(rest()), environment),
        errno => errno,
    }
}

fn exec<'a>(program: &CStr, arguments: impl Iterator<Item = &'a CStr>, environment: &[CString]) -> i32 {
    let argv = array(arguments);
    let envp = array(environment.iter().map(CString::as_c_str));
    // SAFETY: the strings and the arrays outlive the call.
    unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    shebang::file::errno()
}

fn array<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([std::ptr::null()]).collect()
}
