//! The flow's steps for Python.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;

use hpython::PROFILE;
use sandbox_core::{
    Confined, Failure, Host, Invocation, Outcome, Policy, Profile, Program, Sealed, Source, Usage, UsageError,
};

use crate::interpreter::{Interpreter, Start};
use crate::script;

/// CPython, on its way to the user's program.
pub struct Hpython {
    start: Start,
    site: bool,
}

impl Host for Hpython {
    const PROFILE: &'static Profile = &PROFILE;

    /// CPython words its own mistakes.
    fn usage(_argv0: &OsStr, _error: &UsageError) -> Usage {
        Usage { text: Vec::new(), status: 2 }
    }

    fn interactive(invocation: &Invocation) -> bool {
        may_talk(invocation) && io::stdin().is_terminal()
    }

    fn boot(invocation: Invocation) -> Result<Self, Failure> {
        let site = !has(&invocation, "-S");
        let start = Interpreter::start(&words(invocation)?).map_err(Failure::boot)?;
        Ok(Hpython { start, site })
    }

    fn neuter(&mut self, _policy: &Policy, _confined: &Confined) -> Result<(), Failure> {
        Ok(())
    }

    fn run(self, source: Source, _sealed: Sealed) -> Outcome {
        let mut interpreter = match self.start {
            Start::Up(interpreter) => interpreter,
            Start::Over(status) => return Outcome::Exit(status),
        };
        if let Source::Opened { name, file: Some(file) } = source {
            script::read_through(name, file);
        }
        if self.site && !interpreter.import_site() {
            return Outcome::Exit(1);
        }
        Outcome::Exit(interpreter.run())
    }
}

/// Whether the command line ends in a dialogue if standard input is a terminal.
fn may_talk(invocation: &Invocation) -> bool {
    let acts = has(invocation, "-c") || has(invocation, "-m");
    has(invocation, "-i") || (invocation.program == Program::None && !acts)
}

fn has(invocation: &Invocation, name: &str) -> bool {
    invocation.switches.iter().any(|given| given.name == name)
}

/// The command line without the sandbox's options.
fn words(invocation: Invocation) -> Result<Vec<CString>, Failure> {
    let Invocation { argv0, raw, program, args, .. } = invocation;
    let mut words: Vec<OsString> = vec![argv0];
    words.extend(raw);
    if let Program::File(name) = program {
        words.push(name);
    }
    words.extend(args);
    let word =
        |word: OsString| CString::new(word.into_vec()).map_err(|error| Failure::boot(error.to_string()));
    words.into_iter().map(word).collect()
}
