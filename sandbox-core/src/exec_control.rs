//! Script execution control: which code the kernel, or an administrator through it, lets interpreters run
//! (`Documentation/userspace-api/check_exec.rst`; Linux 6.14).
//!
//! Two securebits say what is asked of an interpreter: to run only files that could be executed, and to run no code that
//! stands in no file. Whether a file could be executed the kernel answers for a descriptor, so that what was checked is
//! what is read.
#![allow(unsafe_code, reason = "prctl(2) and execveat(2) have no safe form")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;

use crate::failure::Failure;
use crate::host::Entry;

/// What is asked of interpreters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Control {
    /// `SECBIT_EXEC_RESTRICT_FILE`: only files that could be executed are run.
    pub restrict_file: bool,
    /// `SECBIT_EXEC_DENY_INTERACTIVE`: no code is run that stands in no file.
    pub deny_interactive: bool,
}

/// How code enters.
#[derive(Debug, Clone, Copy)]
pub enum Code<'a> {
    /// A script that was named, or a file that one loads: by the descriptor through which it is read.
    File(&'a File),
    /// What stands on standard input.
    Input(&'a File),
    /// Text of the command line or the environment, or a dialogue.
    Text,
}

/// Why code is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `EACCES`.
    #[error("it may not be executed (no x bit for you, or a mount with noexec)")]
    NotExecutable,
    /// It is a pipe, a terminal, a directory or a device.
    #[error("it is no regular file")]
    NoFile,
    /// `ETXTBSY`.
    #[error("it is open for writing")]
    Busy,
    /// A file without a name, which nobody who decides about files has seen.
    #[error("it has no name any more, or never had one")]
    Nameless,
    /// It is another than the one that was checked.
    #[error("it changed while it was read")]
    Changed,
    /// It stands in no file.
    #[error("it stands in no file that may be executed")]
    Interactive,
    /// The kernel cannot be asked.
    #[error("the kernel cannot check files (Linux 6.14 can)")]
    Unknown,
}

/// A file as it was when it was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    size: u64,
    changed: (i64, i64),
}

impl Control {
    /// What the securebits of this thread ask.
    ///
    /// # Errors
    /// That of prctl(2), on kernels without securebits.
    pub fn of_kernel() -> io::Result<Self> {
        // SAFETY: this option passes no pointer.
        let bits = unsafe { libc::prctl(libc::PR_GET_SECUREBITS, 0, 0, 0, 0) };
        if bits < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Control {
            restrict_file: bits & libc::SECBIT_EXEC_RESTRICT_FILE != 0,
            deny_interactive: bits & libc::SECBIT_EXEC_DENY_INTERACTIVE != 0,
        })
    }

    /// Whether code may enter in these ways beside the script.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub(crate) fn enter(self, entry: Entry) -> Result<(), Failure> {
        let refused = |code: &str| {
            let code = code.to_owned();
            move |cause| Failure::Refused { code, cause }
        };
        if entry.text {
            let code = "code of the command line, the environment or a dialogue";
            self.admit(Code::Text).map_err(refused(code))?;
        }
        if entry.input && self.deny_interactive {
            let code = "code on standard input";
            let input = io::stdin().as_fd().try_clone_to_owned().map_err(|_| Refusal::Interactive);
            let input = File::from(input.map_err(refused(code))?);
            self.admit(Code::Input(&input)).map_err(refused(code))?;
        }
        Ok(())
    }

    /// Whether this code may run. To be asked before a file is read, and [`Checked::still`] afterwards.
    ///
    /// # Errors
    /// The reason why it may not. `None` means that nothing needed to be checked.
    pub fn admit(self, code: Code<'_>) -> Result<Option<Checked>, Refusal> {
        match code {
            Code::File(file) if self.deny_interactive && !is_regular(file) => Err(Refusal::Interactive),
            Code::File(file) if self.restrict_file => check(file).map(Some),
            Code::Input(file) if self.deny_interactive => match is_regular(file) {
                true => check(file).map(Some),
                false => Err(Refusal::Interactive),
            },
            Code::Text if self.deny_interactive => Err(Refusal::Interactive),
            Code::File(_) | Code::Input(_) | Code::Text => Ok(None),
        }
    }
}

impl Checked {
    /// Whether the file may still be executed, and is as it was: what was read in between is what was checked.
    ///
    /// # Errors
    /// [`Refusal::Changed`], or any other.
    pub fn still(self, file: &File) -> Result<(), Refusal> {
        if check(file)? == self { Ok(()) } else { Err(Refusal::Changed) }
    }
}

fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file())
}

/// Asks the kernel about a file, and refuses what it lets through without a name.
fn check(file: &File) -> Result<Checked, Refusal> {
    let meta = file.metadata().map_err(|_| Refusal::NoFile)?;
    if !meta.is_file() {
        return Err(Refusal::NoFile);
    }
    if meta.nlink() == 0 {
        return Err(Refusal::Nameless);
    }
    ask(file)?;
    Ok(Checked { size: meta.size(), changed: (meta.ctime(), meta.ctime_nsec()) })
}

fn ask(file: &impl AsFd) -> Result<(), Refusal> {
    let flags = libc::AT_EMPTY_PATH | libc::AT_EXECVE_CHECK;
    let nothing = [std::ptr::null::<libc::c_char>()];
    // SAFETY: the path is a C string, both arrays end with a null. With this flag nothing is executed; a kernel that does
    // not know it refuses the call.
    let answer = unsafe {
        let descriptor = file.as_fd().as_raw_fd();
        libc::syscall(libc::SYS_execveat, descriptor, c"".as_ptr(), nothing.as_ptr(), nothing.as_ptr(), flags)
    };
    if answer == 0 {
        return Ok(());
    }
    Err(match io::Error::last_os_error().raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => Refusal::NotExecutable,
        Some(libc::ETXTBSY) => Refusal::Busy,
        _ => Refusal::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::fd::FromRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    const NONE: Control = Control { restrict_file: false, deny_interactive: false };
    const FILE: Control = Control { restrict_file: true, ..NONE };
    const INTERACTIVE: Control = Control { deny_interactive: true, ..NONE };
    const BOTH: Control = Control { restrict_file: true, deny_interactive: true };

    /// A file of the test's own.
    struct Script(PathBuf);

    impl Script {
        fn new(name: &str, mode: u32) -> Script {
            let path = std::env::temp_dir().join(format!("exec-control-{}-{name}", std::process::id()));
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Script(path)
        }

        fn open(&self) -> File {
            File::open(&self.0).unwrap()
        }
    }

    impl Drop for Script {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn pipe() -> File {
        let mut ends = [0; 2];
        // SAFETY: the kernel fills the array; the descriptors are new.
        unsafe {
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            libc::close(ends[1]);
            File::from_raw_fd(ends[0])
        }
    }

    #[test]
    fn the_matrix() {
        let (with, without, pipe) = (Script::new("with", 0o755), Script::new("without", 0o644), pipe());
        let (with, without) = (with.open(), without.open());
        let rows = [
            // none, file, interactive, both
            ("a file with x", Code::File(&with), [true, true, true, true]),
            ("a file without", Code::File(&without), [true, false, true, false]),
            ("a pipe as a file", Code::File(&pipe), [true, false, false, false]),
            ("input from a file with x", Code::Input(&with), [true, true, true, true]),
            ("input from a file without", Code::Input(&without), [true, true, false, false]),
            ("input from a pipe", Code::Input(&pipe), [true, true, false, false]),
            ("text", Code::Text, [true, true, false, false]),
        ];
        for (what, code, expected) in rows {
            let runs = [NONE, FILE, INTERACTIVE, BOTH].map(|control| control.admit(code).is_ok());
            assert_eq!(runs, expected, "{what}");
        }
    }

    #[test]
    fn what_the_kernel_would_let_through() {
        let script = Script::new("unlinked", 0o755);
        let file = script.open();
        fs::remove_file(&script.0).unwrap();
        assert_eq!(ask(&file), Ok(()));
        assert_eq!(FILE.admit(Code::File(&file)), Err(Refusal::Nameless));
    }

    #[test]
    fn a_file_is_read_as_it_was_checked() {
        let script = Script::new("changes", 0o755);
        let file = script.open();
        let checked = FILE.admit(Code::File(&file)).unwrap().unwrap();
        assert_eq!(checked.still(&file), Ok(()));
        {
            let mut writer = fs::OpenOptions::new().append(true).open(&script.0).unwrap();
            writer.write_all(b"y").unwrap();
            assert_eq!(checked.still(&file), Err(Refusal::Busy));
        }
        assert_eq!(checked.still(&file), Err(Refusal::Changed));
        assert_eq!(NONE.admit(Code::File(&file)), Ok(None));
    }

    #[test]
    fn the_bits_are_the_threads_own() {
        let bits = libc::SECBIT_EXEC_RESTRICT_FILE | libc::SECBIT_EXEC_DENY_INTERACTIVE;
        let before = Control::of_kernel().unwrap();
        // Another thread, whose bits end with it.
        let inside = std::thread::spawn(move || {
            // SAFETY: these options pass no pointer.
            unsafe {
                let now = libc::prctl(libc::PR_GET_SECUREBITS, 0, 0, 0, 0);
                libc::prctl(libc::PR_SET_SECUREBITS, now | bits, 0, 0, 0);
            }
            Control::of_kernel().unwrap()
        });
        assert_eq!(inside.join().unwrap(), BOTH);
        assert_eq!(Control::of_kernel().unwrap(), before);
    }
}
