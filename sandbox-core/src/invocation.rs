//! The command line as the interpreter would have seen it: without the sandbox's own options.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

/// A command line of the plain interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The name under which the host was called.
    pub argv0: OsString,
    /// The interpreter's options, in order.
    pub switches: Vec<Given>,
    /// The same as typed, with `--` or `-` where given: all between [`Self::argv0`] and the script.
    pub raw: Vec<OsString>,
    /// What to run.
    pub program: Program,
    /// All after the script, byte for byte.
    pub args: Vec<OsString>,
}

impl Invocation {
    /// Whether an option of the interpreter was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.switches.iter().any(|given| given.name == name)
    }

    /// The command line for the interpreter's own main function.
    pub fn into_words(self) -> impl Iterator<Item = CString> {
        let Invocation { argv0, raw, program, args, .. } = self;
        let script = match program {
            Program::File(name) => Some(name),
            Program::Stdin | Program::None => None,
        };
        let words = std::iter::once(argv0).chain(raw).chain(script).chain(args);
        // They came as strings that end in NUL, so there is none in them.
        words.filter_map(|word| CString::new(word.into_vec()).ok())
    }
}

/// One option of the interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name as the host declared it.
    pub name: &'static str,
    /// Its value, if it takes one.
    pub value: Option<OsString>,
}

/// What the command line asks to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A script file, as named.
    File(OsString),
    /// `-`: the script stands on standard input.
    Stdin,
    /// No script was named.
    None,
}

/// A wrong option of the language, not of the sandbox: the host words it as the plain
/// interpreter does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageError {
    /// No such option.
    Unknown(OsString),
    /// The option's value is missing.
    NeedsValue(OsString),
}
