//! The script: opened once and read through that descriptor, so that what was opened is what runs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::exec_control::{Code, Control, Refusal};
use crate::failure::Failure;
use crate::invocation::Program;
use crate::profile::Script;

/// The user's program.
#[derive(Debug)]
pub enum Source {
    /// A script file.
    File {
        /// As typed.
        name: OsString,
        /// All of it.
        text: Vec<u8>,
    },
    /// A file or a directory, for the interpreter to read through this descriptor, which is none where the name
    /// could not be opened.
    Opened {
        /// As typed.
        name: OsString,
        /// What is there.
        file: Option<File>,
    },
    /// `-`: it will be read from standard input, behind the doors.
    Stdin,
    /// None was named; the host knows what its language does then.
    None,
}

impl Source {
    /// Opens the script, and reads it for a host that takes text. The descriptor comes along: what the script may read of itself is
    /// granted by it, not by a name that may mean another file by then.
    ///
    /// # Errors
    /// [`Failure::Script`], or [`Failure::Refused`] where files are restricted and this one may not be executed.
    pub fn open(
        program: &Program,
        script: Script,
        control: Control,
    ) -> Result<(Self, Option<File>), Failure> {
        match program {
            Program::Stdin => Ok((Source::Stdin, None)),
            Program::None => Ok((Source::None, None)),
            Program::File(name) if script == Script::Descriptor => {
                let file = File::open(name).ok();
                if let Some(file) = &file {
                    control.admit(Code::File(file)).map_err(|cause| refused(name, cause))?;
                }
                Ok((Source::Opened { name: name.clone(), file: None }, file))
            }
            Program::File(name) => {
                let path = PathBuf::from(name);
                let opened = |source| Failure::Script { path: path.clone(), source };
                let file = File::open(&path).map_err(opened)?;
                let checked = control.admit(Code::File(&file)).map_err(|cause| refused(name, cause))?;
                let text = read(&file).map_err(opened)?;
                if let Some(checked) = checked {
                    checked.still(&file).map_err(|cause| refused(name, cause))?;
                }
                Ok((Source::File { name: name.clone(), text }, Some(file)))
            }
        }
    }
}

impl Source {
    /// Hands the descriptor to a source that is read through it; others have no more use for it.
    pub(crate) fn holding(self, script: Option<File>) -> Self {
        match self {
            Source::Opened { name, .. } => Source::Opened { name, file: script },
            read => read,
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
        Source::open(&Program::File(name.into()), Script::Text, Control::default()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_script() {
        assert_eq!(error("/nowhere"), "cannot open script '/nowhere': No such file or directory");
        assert_eq!(error("/"), "cannot open script '/': Is a directory");
        assert_eq!(error("/dev/zero"), "cannot open script '/dev/zero': File too large");
    }
}
