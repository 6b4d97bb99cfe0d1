//! The script: opened once and read through that descriptor, so that what was opened is what runs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
    /// [`Failure::Script`].
    fn open(name: &OsStr) -> Result<(Self, Option<File>), Failure>;

    /// Takes the descriptor back, or closes it.
    #[must_use]
    fn holding(self, script: Option<File>) -> Self;
}

impl Form for Text {
    fn open(name: &OsStr) -> Result<(Self, Option<File>), Failure> {
        let path = PathBuf::from(name);
        match read(&path) {
            Ok((text, file)) => Ok((Text(text), Some(file))),
            Err(source) => Err(Failure::Script { path, source }),
        }
    }

    fn holding(self, _script: Option<File>) -> Self {
        self
    }
}

impl Form for Opened {
    fn open(name: &OsStr) -> Result<(Self, Option<File>), Failure> {
        Ok((Opened(None), File::open(name).ok()))
    }

    fn holding(self, script: Option<File>) -> Self {
        Opened(script)
    }
}

impl<F: Form> Source<F> {
    pub(crate) fn open(program: &Program) -> Result<(Self, Option<File>), Failure> {
        match program {
            Program::Stdin => Ok((Source::Stdin, None)),
            Program::None => Ok((Source::None, None)),
            Program::File(name) => {
                let (script, file) = F::open(name)?;
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

fn read(path: &Path) -> io::Result<(Vec<u8>, File)> {
    let mut text = Vec::new();
    let file = File::open(path)?;
    if (&file).take(LARGEST + 1).read_to_end(&mut text)? as u64 > LARGEST {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    Ok((text, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> String {
        Text::open(name.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_script() {
        assert_eq!(error("/nowhere"), "cannot open script '/nowhere': No such file or directory");
        assert_eq!(error("/"), "cannot open script '/': Is a directory");
        assert_eq!(error("/dev/zero"), "cannot open script '/dev/zero': File too large");
    }
}
