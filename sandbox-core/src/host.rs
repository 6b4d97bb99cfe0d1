//! What a host implements: the language's part of the flow.

use std::ffi::OsStr;

use crate::failure::Failure;
use crate::invocation::{Invocation, Program, UsageError};
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::profile::Profile;
use crate::sandbox::{Confined, Sealed};
use crate::source::{Form, Source};

/// A script language behind the doors. The methods are called once each, in the order in which
/// they stand here; [`crate::main`] is the caller.
pub trait Host: Sized {
    /// What the host declares.
    const PROFILE: &'static Profile;

    /// How it takes the script.
    type Script: Form;

    /// Whether no file's code runs unchecked, libraries included, where [`Policy::control`] restricts files. A host that
    /// cannot say so does not run there.
    const HOLDS_LIBRARIES: bool = false;

    /// What the plain interpreter says to a wrong option of its own.
    fn usage(argv0: &OsStr, error: &UsageError) -> Usage;

    /// Whether the run will be a dialogue on a terminal, which needs the terminal's calls.
    fn interactive(invocation: &Invocation) -> bool;

    /// How code enters beside the script that is named.
    fn entry(invocation: &Invocation, _policy: &Policy) -> Entry {
        Entry::any(invocation)
    }

    /// Starts the interpreter: libraries open, one thread, nothing of the user's has run.
    ///
    /// # Errors
    /// [`Failure::Boot`] when the interpreter does not come up.
    fn boot(invocation: Invocation) -> Result<Self, Failure>;

    /// Replaces what can only fail behind the doors by functions that name the flag.
    ///
    /// # Errors
    /// [`Failure::Boot`] when the interpreter refuses a change.
    fn neuter(&mut self, policy: &Policy, confined: &Confined) -> Result<(), Failure>;

    /// Runs the user's program; the proof that the doors are closed is consumed.
    fn run(self, source: Source<Self::Script>, sealed: Sealed) -> Outcome;
}

/// How code enters beside the script that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// As text of the command line or the environment, or in a dialogue.
    pub text: bool,
    /// As the content of standard input.
    pub input: bool,
}

impl Entry {
    /// All that a command line can mean to a language of which nothing is known.
    #[must_use]
    pub fn any(invocation: &Invocation) -> Entry {
        let input = !matches!(invocation.program, Program::File(_));
        Entry { text: !invocation.switches.is_empty(), input }
    }
}

/// The plain interpreter's answer to a wrong option.
#[derive(Debug, PartialEq, Eq)]
pub struct Usage {
    /// The whole text for standard error.
    pub text: Vec<u8>,
    /// The exit status.
    pub status: u8,
}
