//! The command line.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

use lexopt::{Arg, Parser};

use crate::failure::Failure;

/// What to run, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Who evaluates shebangs.
    pub by: By,
    /// Programs that are left alone: names, or paths.
    pub skip: Vec<OsString>,
    /// Securebits to set: see `securebits`.
    pub securebits: u32,
    /// The command and its arguments; at least one.
    pub command: Vec<CString>,
}

/// Who evaluates shebangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A process that the kernel asks about every `exec` beneath it.
    Supervisor,
    /// A library that is loaded into every program that is linked dynamically.
    Preload,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Run a command.
    Run(Options),
    /// Print a text.
    Print(String),
}

const HELP: &str = "\
Usage: hexec [option] ... [--] COMMAND [ARGUMENT] ...

Runs a command. Beneath it scripts run by the interpreters that their #! lines name, also on mounts with
noexec; programs there stay refused, by the kernel.

  --by=supervisor     a process is asked about every exec: static programs and raw system calls too [this]
  --by=preload        libhexec.so is loaded first: faster, for programs that are linked dynamically
  --skip=PROGRAM      leave alone what this program starts; a name or a path, may be repeated
  --restrict-file     tell interpreters to run only files that may be executed (Linux 6.14)
  --deny-interactive  tell them to run no code that stands in no file
  --lock              nobody beneath can take that back
  --help, --version   print, and run nothing

The status is the command's; 125 when hexec itself fails, 126 when the command cannot be run, 127 when there
is none.
";

impl Options {
    /// Takes a command line apart.
    ///
    /// # Errors
    /// [`Failure::Usage`], [`Failure::NoCommand`].
    pub fn parse(argv: impl IntoIterator<Item = OsString>) -> Result<Action, Failure> {
        let mut parser = Parser::from_iter(argv);
        let mut options =
            Options { by: By::Supervisor, skip: Vec::new(), securebits: 0, command: Vec::new() };
        let mut lock = false;
        let wrong = |error: lexopt::Error| Failure::Usage(error.to_string());
        while let Some(argument) = parser.next().map_err(wrong)? {
            match argument {
                Arg::Long("by") => options.by = by(&parser.value().map_err(wrong)?)?,
                Arg::Long("skip") => options.skip.push(program(parser.value().map_err(wrong)?)?),
                Arg::Long("restrict-file") => options.securebits |= crate::securebits::RESTRICT_FILE,
                Arg::Long("deny-interactive") => options.securebits |= crate::securebits::DENY_INTERACTIVE,
                Arg::Long("lock") => lock = true,
                Arg::Long("help") => return Ok(Action::Print(HELP.into())),
                Arg::Long("version") => {
                    return Ok(Action::Print(format!("hexec {}\n", env!("CARGO_PKG_VERSION"))));
                }
                Arg::Value(command) => {
                    options.command.push(string(command));
                    options.command.extend(parser.raw_args().map_err(wrong)?.map(string));
                    break;
                }
                Arg::Long(_) | Arg::Short(_) => return Err(wrong(argument.unexpected())),
            }
        }
        if lock {
            options.securebits = crate::securebits::locked(options.securebits);
        }
        if options.command.is_empty() {
            return Err(Failure::NoCommand);
        }
        Ok(Action::Run(options))
    }
}

fn by(value: &OsString) -> Result<By, Failure> {
    match value.to_str() {
        Some("supervisor") => Ok(By::Supervisor),
        Some("preload") => Ok(By::Preload),
        _ => Err(Failure::Usage("--by: supervisor or preload is expected".into())),
    }
}

/// The list of them is joined with colons.
fn program(value: OsString) -> Result<OsString, Failure> {
    match value.as_encoded_bytes() {
        [] => Err(Failure::Usage("--skip: a program is expected".into())),
        name if name.contains(&b':') => {
            Err(Failure::Usage("--skip: a program without a colon is expected".into()))
        }
        _ => Ok(value),
    }
}

/// What came from `argv` holds no zero.
fn string(argument: OsString) -> CString {
    CString::new(argument.into_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Action, String> {
        Options::parse(line.split_whitespace().map(OsString::from)).map_err(|failure| failure.to_string())
    }

    fn options(line: &str) -> Options {
        match parse(line) {
            Ok(Action::Run(options)) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_follows_the_command_is_its_own() {
        let strings =
            |words: &[&str]| words.iter().map(|word| CString::new(*word).unwrap()).collect::<Vec<_>>();
        assert_eq!(options("hexec ls --by=x -l").command, strings(&["ls", "--by=x", "-l"]));
        assert_eq!(options("hexec -- --by").command, strings(&["--by"]));
        let typed = options("hexec --by=preload --skip=make --skip /bin/x a -- b");
        assert_eq!((typed.by, typed.skip.len()), (By::Preload, 2));
        assert_eq!(typed.command, strings(&["a", "--", "b"]));
    }

    #[test]
    fn bits_are_locked_wherever_the_option_stands() {
        assert_eq!(options("hexec --restrict-file x").securebits, 0x100);
        assert_eq!(options("hexec --lock --restrict-file --deny-interactive x").securebits, 0xf00);
        assert_eq!(options("hexec --lock x").securebits, 0xa00);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, expected) in [
            ("hexec", "a command is expected; see hexec --help"),
            ("hexec --", "a command is expected; see hexec --help"),
            ("hexec --by=magic x", "--by: supervisor or preload is expected; see hexec --help"),
            ("hexec --skip= x", "--skip: a program is expected; see hexec --help"),
            ("hexec --skip=a:b x", "--skip: a program without a colon is expected; see hexec --help"),
            ("hexec --bye x", "invalid option '--bye'; see hexec --help"),
            ("hexec -x", "invalid option '-x'; see hexec --help"),
            ("hexec --lock=1 x", "unexpected argument for option '--lock': \"1\"; see hexec --help"),
        ] {
            assert_eq!(parse(line).unwrap_err(), expected);
        }
    }
}
