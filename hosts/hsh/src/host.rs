//! The flow's steps for bash.
#![allow(unsafe_code, reason = "bash's main is a C function")]

use std::ffi::{CString, OsStr, c_char};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr;

use hsh_profile::PROFILE;
use sandbox_core::launch::{self, Main};
use sandbox_core::{
    Confined, Entry, Failure, Host, Invocation, Opened, Outcome, Policy, Profile, Program, Sealed, Source,
    Usage, UsageError,
};

use crate::limits;
use crate::other;
use crate::startup;

unsafe extern "C" {
    /// environ(7)
    static mut environ: *mut *mut c_char;
}

/// bash, loaded and not yet begun: its own start is behind the doors as well, with all that it reads of the environment.
pub struct Hsh {
    main: Main,
    invocation: Invocation,
    other: Option<PathBuf>,
}

impl Host for Hsh {
    const PROFILE: &'static Profile = &PROFILE;

    type Script = Opened;

    /// bash words its own mistakes.
    fn usage(_argv0: &OsStr, _error: &UsageError) -> Usage {
        Usage { text: Vec::new(), status: 2 }
    }

    fn interactive(invocation: &Invocation) -> bool {
        let talks = || io::stdin().is_terminal() && io::stderr().is_terminal();
        let reads = invocation.program == Program::None || invocation.has("-s");
        invocation.has("-i") || (reads && !invocation.has("-c") && talks())
    }

    /// Variables hold code as well: files to begin with, functions, prompts.
    fn entry(invocation: &Invocation, policy: &Policy) -> Entry {
        const CODE: [&[u8]; 4] = [b"BASH_ENV", b"ENV", b"PS4", b"PROMPT_COMMAND"];
        let holds_code = |name: &[u8]| CODE.contains(&name) || name.starts_with(b"BASH_FUNC_");
        let mut names = std::env::vars_os().map(|(name, _)| name.into_vec());
        let any = Entry::any(invocation);
        Entry { text: any.text || names.any(|name| holds_code(&name) && policy.lets_in(&name)), ..any }
    }

    fn boot(mut invocation: Invocation) -> Result<Self, Failure> {
        let other = other::named(&mut invocation)?;
        let main = launch::own_main().ok_or_else(|| Failure::boot("bash has no main"))?;
        Ok(Hsh { main, invocation, other })
    }

    fn neuter(&mut self, policy: &Policy, _confined: &Confined) -> Result<(), Failure> {
        limits::settle();
        if self.other.is_none() {
            let words = startup::words(&self.invocation, policy);
            self.invocation.raw.splice(0..0, words);
        }
        Ok(())
    }

    fn run(self, _source: Source<Opened>, _sealed: Sealed) -> Outcome {
        let mut words: Vec<*mut c_char> = self.invocation.into_words().map(CString::into_raw).collect();
        let count = i32::try_from(words.len()).unwrap_or(i32::MAX);
        words.push(ptr::null_mut());
        if let Some(shell) = self.other {
            // SAFETY: a look at the pointer; one thread runs.
            return other::start(shell, words, unsafe { environ });
        }
        // SAFETY: the program's own `main`, called once, with strings that are never freed, and null behind them.
        let status = unsafe { (self.main)(count, words.leak().as_mut_ptr(), environ) };
        Outcome::Exit((status & 0xff) as u8)
    }
}
