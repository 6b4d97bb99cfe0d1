//! `posix_spawn(3)`. The child's files are in place only after actions that cannot be undone, so the script is looked at
//! beforehand, from the directory that the child will stand in.

use std::ffi::{CStr, c_char, c_int};

use shebang::file::Descriptor;
use shebang::{Local, Verdict, resolve};

use crate::environment::{self, with_ours};
use crate::exec::with_arguments;
use crate::next::{self, Spawn};
use crate::search::candidates;
use crate::strings::Strings;

/// What the C library is given, but for the program and its strings.
#[derive(Clone, Copy)]
struct Request {
    process: *mut libc::pid_t,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    argv: Strings,
    envp: Strings,
}

/// `posix_spawn(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawn(
    process: *mut libc::pid_t,
    path: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's: a string and two arrays of strings.
    unsafe {
        let (argv, envp) = (Strings::new(argv), Strings::new(envp));
        spawn(CStr::from_ptr(path), false, Request { process, actions, attributes, argv, envp })
    }
}

/// `posix_spawnp(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_spawnp(
    process: *mut libc::pid_t,
    file: *const c_char,
    actions: *const libc::posix_spawn_file_actions_t,
    attributes: *const libc::posix_spawnattr_t,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        let (argv, envp) = (Strings::new(argv), Strings::new(envp));
        spawn(CStr::from_ptr(file), true, Request { process, actions, attributes, argv, envp })
    }
}

fn spawn(file: &CStr, searches: bool, request: Request) -> c_int {
    let (Some(plain), Some(same)) = (next::spawn(false), next::spawn(searches)) else { return libc::ENOSYS };
    let answer = with_ours(request.envp, |envp| {
        let request = Request { envp, ..request };
        let special = (!environment::is_skipped()).then(|| instead(file, searches, plain, request)).flatten();
        special.unwrap_or_else(|| call(same, file, request.argv, request))
    });
    answer.unwrap_or(libc::ENOMEM)
}

fn call(function: Spawn, file: &CStr, argv: Strings, request: Request) -> c_int {
    let Request { process, actions, attributes, envp, .. } = request;
    // SAFETY: the caller's arguments, or strings and arrays of ours that outlive the call.
    unsafe { function(process, file.as_ptr(), actions, attributes, argv.as_pointer(), envp.as_pointer()) }
}

/// The answer for a script that the kernel would refuse; none for all else.
fn instead(file: &CStr, searches: bool, plain: Spawn, request: Request) -> Option<c_int> {
    let directory = actions::directory(request.actions).ok()?;
    let number = directory.as_ref().map_or(libc::AT_FDCWD, Descriptor::number);
    let consider = |path: &CStr| match resolve(&mut Local::here().within(number), path) {
        Verdict::Run(chain) => {
            let start = |argv| call(plain, chain.program(), argv, request);
            Some(Some(with_arguments(&chain, path, request.argv, start).unwrap_or(libc::ENOMEM)))
        }
        Verdict::Fail(errno) => Some(Some(errno)),
        // What the search of the C library will find; behind it nothing counts.
        Verdict::Native if may_execute(number, path) => Some(None),
        Verdict::Native => None,
    };
    if searches { candidates(file, consider).flatten() } else { consider(file).flatten() }
}

fn may_execute(directory: c_int, path: &CStr) -> bool {
    let Some(access) = next::access() else { return false };
    // SAFETY: the path is a C string.
    unsafe { access(directory, path.as_ptr(), libc::X_OK, libc::AT_EACCESS) == 0 }
}

/// What is done to the child's files: `posix_spawn_file_actions_t` of glibc, whose layout has not changed since actions
/// for directories came to it (2.29).
mod actions {
    use std::ffi::{CStr, c_char, c_int};

    use shebang::file::Descriptor;

    /// glibc's `struct __spawn_action`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Action {
        tag: c_int,
        what: What,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    union What {
        descriptors: [c_int; 2],
        open: Open,
        path: *const c_char,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Open {
        descriptor: c_int,
        path: *const c_char,
        flags: c_int,
        mode: libc::mode_t,
    }

    /// The beginning of glibc's `posix_spawn_file_actions_t`.
    #[repr(C)]
    struct Actions {
        allocated: c_int,
        used: c_int,
        list: *const Action,
    }

    const CHDIR: c_int = 3;
    const FCHDIR: c_int = 4;

    /// The directory in which the child will stand, if that is not ours.
    ///
    /// # Errors
    /// It cannot be known: there is no such directory, or its descriptor is opened by the actions themselves.
    pub fn directory(actions: *const libc::posix_spawn_file_actions_t) -> Result<Option<Descriptor>, ()> {
        let mut directory = None;
        let mut opened = false;
        for action in list(actions) {
            let from = directory.as_ref().map_or(libc::AT_FDCWD, Descriptor::number);
            // SAFETY: the tag says which member it is; the path is a C string.
            directory = unsafe {
                match action.tag {
                    CHDIR => {
                        Some(Descriptor::place(from, CStr::from_ptr(action.what.path), 0).map_err(|_| ())?)
                    }
                    FCHDIR if opened => return Err(()),
                    FCHDIR => Some(Descriptor::new(libc::dup(action.what.descriptors[0])).map_err(|_| ())?),
                    _ => {
                        opened = true;
                        continue;
                    }
                }
            };
        }
        Ok(directory)
    }

    fn list<'a>(actions: *const libc::posix_spawn_file_actions_t) -> &'a [Action] {
        // SAFETY: glibc keeps the structure so, with `used` actions in its list.
        unsafe {
            let Some(actions) = actions.cast::<Actions>().as_ref() else { return &[] };
            match usize::try_from(actions.used) {
                Ok(used) if !actions.list.is_null() => std::slice::from_raw_parts(actions.list, used),
                _ => &[],
            }
        }
    }
}
