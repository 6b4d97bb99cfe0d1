//! The flow's steps for Python.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use hpython_profile::PROFILE;
use sandbox_core::{
    Confined, Entry, Failure, Host, Invocation, Opened, Outcome, Policy, Profile, Program, Sealed, Source,
    Usage, UsageError, denial, outcome, policy::Access, with_streams_as_inherited,
};

use crate::interpreter::{Interpreter, Start};
use crate::late::Late;
use crate::manners;
use crate::memory;
use crate::metadata;
use crate::script;
use crate::semaphores;
use crate::shared_memory;

/// CPython, on its way to the user's program.
pub struct Hpython {
    start: Start,
    site: bool,
    late: Late,
    talks: bool,
}

impl Host for Hpython {
    const PROFILE: &'static Profile = &PROFILE;

    type Script = Opened;

    /// CPython words its own mistakes.
    fn usage(_argv0: &OsStr, _error: &UsageError) -> Usage {
        Usage { text: Vec::new(), status: outcome::WRONG_OPTION }
    }

    fn interactive(invocation: &Invocation) -> bool {
        may_talk(invocation) && io::stdin().is_terminal()
    }

    fn entry(invocation: &Invocation, policy: &Policy) -> Entry {
        let named = |name: &str| policy.lets_in(name.as_bytes()) && std::env::var_os(name).is_some();
        let text = invocation.has("-c") || invocation.has("-i") || named("PYTHONINSPECT");
        let none = invocation.program == Program::None && !invocation.has("-c") && !invocation.has("-m");
        Entry { text, input: none || invocation.program == Program::Stdin }
    }

    fn boot(invocation: Invocation) -> Result<Self, Failure> {
        let site = !invocation.has("-S");
        let talks = may_talk(&invocation);
        let late = Late::of(&invocation);
        memory::settle();
        let words: Vec<_> = invocation.into_words().collect();
        let start =
            with_streams_as_inherited(|| Interpreter::start(&words, &late))?.map_err(Failure::boot)?;
        Ok(Hpython { start, site, late, talks })
    }

    fn neuter(&mut self, policy: &Policy, confined: &Confined) -> Result<(), Failure> {
        if matches!(self.start, Start::Over(_)) {
            return Ok(());
        }
        match policy.runs_programs() {
            true => semaphores::settle(),
            false => shared_memory::settle(),
        }
        self.late.find_environment();
        if policy.neutering() {
            let writable = metadata::accept(policy.roots(Access::Write));
            manners::teach(policy, confined, writable);
        }
        Ok(())
    }

    fn run(self, source: Source<Opened>, _sealed: Sealed) -> Outcome {
        let mut interpreter = match self.start {
            Start::Up(interpreter) => interpreter,
            Start::Over(status) => return Outcome::Exit(status),
        };
        if let Source::File { name, script: Opened(Some(file)) } = source {
            script::read_through(name, file);
        }
        if !interpreter.apply(&self.late) {
            return Outcome::Exit(outcome::UNCAUGHT);
        }
        interpreter.prepare_end();
        if self.site && !interpreter.import_site() {
            return Outcome::Exit(outcome::UNCAUGHT);
        }
        let status = interpreter.run();
        if let Some(advice) = manners::advice().filter(|_| status == outcome::UNCAUGHT && !self.talks) {
            // Where standard error cannot be written there is nobody to tell.
            let _ = io::stderr().write_all(denial::hint(&advice).as_bytes());
        }
        Outcome::Exit(status)
    }
}

/// Whether the command line ends in a dialogue if standard input is a terminal.
fn may_talk(invocation: &Invocation) -> bool {
    let acts = invocation.has("-c") || invocation.has("-m");
    invocation.has("-i") || (invocation.program == Program::None && !acts)
}
