//! The script: opened once and read through that descriptor, so that what was opened is what runs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::exec_control::{Code, Control, Refusal};
use crate::failure::Failure;
use crate::invocation::Program;

/// The user's program, a file of it in the form that the host takes.
#[derive(Debug)]
pub enum Source<F> {
    /// A script file.
    File {
        /// As typed.
        name: OsString,
        /// What of it.
        script: F,
    },
    /// `-`: it will be read from standard input, behind the doors.
    Stdin,
    /// None was named; the host knows what its language does then.
    None,
}

/// A script as text, read before the doors close: its name must be that of a file that can be read.
#[derive(Debug)]
pub struct Text(pub Vec<u8>);

/// A script, or a directory, for the interpreter to read through this descriptor. What could not be opened has none,
/// and the interpreter reports it.
#[derive(Debug)]
pub struct Opened(pub Option<File>);

/// How a host takes the script.
///
/// What the script may read of itself is granted by the descriptor, not by a name that may mean another file by then;
/// so the descriptor comes along, and the form gets it back.
pub trait Form: Sized {
    /// Opens a script.
    ///
    /// # Errors
    /// [`Failure::Script`], or [`Failure::Refused`] where files are restricted and this one may not be executed.
    fn open(name: &OsStr, control: Control) -> Result<(Self, Option<File>), Failure>;

    /// Takes the descriptor back, or closes it.
    #[must_use]
    fn holding(self, script: Option<File>) -> Self;
}

impl Form for Text {
    fn open(name: &OsStr, control: Control) -> Result<(Self, Option<File>), Failure> {
        let failed = |source| Failure::Script { path: PathBuf::from(name), source };
        let refused = |cause| refused(name, cause);
        let file = File::open(name).map_err(failed)?;
        let checked = control.admit(Code::File(&file)).map_err(refused)?;
        let text = read(&file).map_err(failed)?;
        if let Some(checked) = checked {
            checked.still(&file).map_err(refused)?;
        }
        Ok((Text(text), Some(file)))
    }

    fn holding(self, _script: Option<File>) -> Self {
        self
    }
}

impl Form for Opened {
    fn open(name: &OsStr, control: Control) -> Result<(Self, Option<File>), Failure> {
        let file = File::open(name).ok();
        if let Some(file) = &file {
            control.admit(Code::File(file)).map_err(|cause| refused(name, cause))?;
        }
        Ok((Opened(None), file))
    }

    fn holding(self, script: Option<File>) -> Self {
        Opened(script)
    }
}

impl<F: Form> Source<F> {
    pub(crate) fn open(program: &Program, control: Control) -> Result<(Self, Option<File>), Failure> {
        match program {
            Program::Stdin => Ok((Source::Stdin, None)),
            Program::None => Ok((Source::None, None)),
            Program::File(name) => {
                let (script, file) = F::open(name, control)?;
                Ok((Source::File { name: name.clone(), script }, file))
            }
        }
    }

    pub(crate) fn holding(self, file: Option<File>) -> Self {
        match self {
            Source::File { name, script } => Source::File { name, script: script.holding(file) },
            nothing => nothing,
        }
    }
}

/// The largest script, in bytes: a device that never ends must not fill the memory.
const LARGEST: u64 = 256 << 20;

fn refused(name: &OsStr, cause: Refusal) -> Failure {
    Failure::Refused { code: format!("script '{}'", name.to_string_lossy()), cause }
}

fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if file.by_ref().take(LARGEST + 1).read_to_end(&mut text)? as u64 > LARGEST {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> String {
        Text::open(name.as_ref(), Control::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_script() {
        assert_eq!(error("/nowhere"), "cannot open script '/nowhere': No such file or directory");
        assert_eq!(error("/"), "cannot open script '/': Is a directory");
        assert_eq!(error("/dev/zero"), "cannot open script '/dev/zero': File too large");
    }
}
