//! `PATH`, as `execvp(3)` of the C library walks it.

use std::ffi::{CStr, c_int};

use shebang::file::errno;

use crate::environment;
use crate::exec::{self, fail};
use crate::strings::{Strings, with_array};

/// Room for a path: the kernel takes none that is longer.
const ROOM: usize = libc::PATH_MAX as usize;
const DEFAULT: &[u8] = b"/bin:/usr/bin";
/// The longest name of a program.
const NAME_MAX: usize = 255;

/// Starts the program of this name. A file that the kernel does not know how to start is a script of the shell's.
pub fn start(file: &CStr, argv: Strings, envp: Strings) -> c_int {
    if file.to_bytes().contains(&b'/') {
        return start_or_interpret(file, argv, envp);
    }
    if file.is_empty() {
        return fail(libc::ENOENT);
    }
    if file.to_bytes().len() > NAME_MAX {
        return fail(libc::ENAMETOOLONG);
    }
    let mut refused = false;
    let mut room = [0; ROOM];
    for directory in directories() {
        let Some(path) = join(&mut room, directory, file) else { continue };
        start_or_interpret(path, argv, envp);
        match errno() {
            libc::EACCES => refused = true,
            libc::ENOENT | libc::ESTALE | libc::ENOTDIR | libc::ENODEV | libc::ETIMEDOUT => {}
            _ => return -1,
        }
    }
    if refused { fail(libc::EACCES) } else { -1 }
}

/// The candidates for a name without a slash; a name with one is the only one. `look` ends the search with an answer.
pub fn candidates<R>(file: &CStr, mut look: impl FnMut(&CStr) -> Option<R>) -> Option<R> {
    if file.to_bytes().contains(&b'/') {
        return look(file);
    }
    if file.is_empty() || file.to_bytes().len() > NAME_MAX {
        return None;
    }
    let mut room = [0; ROOM];
    directories().find_map(|directory| look(join(&mut room, directory, file)?))
}

fn directories() -> impl Iterator<Item = &'static [u8]> {
    let path = environment::current()
        .iter()
        .find_map(|variable: &'static CStr| variable.to_bytes().strip_prefix(b"PATH="));
    path.unwrap_or(DEFAULT).split(|&byte| byte == b':')
}

/// An empty directory is the working one.
fn join<'a>(room: &'a mut [u8; ROOM], directory: &[u8], file: &CStr) -> Option<&'a CStr> {
    let name = file.to_bytes_with_nul();
    let length = directory.len() + usize::from(!directory.is_empty()) + name.len();
    if length > room.len() {
        return None;
    }
    room[..directory.len()].copy_from_slice(directory);
    if !directory.is_empty() {
        room[directory.len()] = b'/';
    }
    room[length - name.len()..length].copy_from_slice(name);
    CStr::from_bytes_until_nul(room).ok()
}

fn start_or_interpret(path: &CStr, argv: Strings, envp: Strings) -> c_int {
    exec::start(path, argv, envp);
    if errno() != libc::ENOEXEC {
        return -1;
    }
    let shell = c"/bin/sh";
    let arguments = [shell.as_ptr(), path.as_ptr()].into_iter().chain(argv.pointers().skip(1));
    with_array(arguments, |argv| exec::start(shell, argv, envp)).unwrap_or(-1)
}
