//! The command line.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

use hexec_flags::{By, Meaning};
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

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Run a command.
    Run(Options),
    /// Print a text.
    Print(String),
}

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
            let flag = match argument {
                Arg::Value(command) => {
                    options.command.push(string(command));
                    options.command.extend(parser.raw_args().map_err(wrong)?.map(string));
                    break;
                }
                Arg::Long(name) => hexec_flags::named(name),
                Arg::Short(_) => None,
            };
            match flag.map(|flag| flag.meaning).ok_or_else(|| wrong(argument.unexpected()))? {
                Meaning::By => options.by = by(&parser.value().map_err(wrong)?)?,
                Meaning::Skip => options.skip.push(program(parser.value().map_err(wrong)?)?),
                Meaning::RestrictFile => options.securebits |= crate::securebits::RESTRICT_FILE,
                Meaning::DenyInteractive => options.securebits |= crate::securebits::DENY_INTERACTIVE,
                Meaning::Lock => lock = true,
                Meaning::Help => return Ok(Action::Print(hexec_flags::help())),
                Meaning::Version => {
                    return Ok(Action::Print(format!("hexec {}\n", env!("CARGO_PKG_VERSION"))));
                }
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
    By::ALL
        .into_iter()
        .find(|by| value == by.name())
        .ok_or_else(|| Failure::Usage(format!("--by: {} is expected", By::ALL.map(By::name).join(" or "))))
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
