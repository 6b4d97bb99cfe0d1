//! The flow's steps for Node.

use std::env;
use std::ffi::{CString, OsStr};
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStringExt;

use hnode_profile::{PROFILE, REFUSED, REFUSED_VARIABLES};
use sandbox_core::{
    Confined, Failure, Hints, Host, Invocation, Opened, Outcome, Policy, Profile, Program, Sealed, Source,
    Usage, UsageError, denial, with_streams_as_inherited,
};

use crate::manners;
use crate::node::{self, Environment, Node, Start};
use crate::stand_in;

/// Threads of V8's platform, as in `node`.
const THREADS: u32 = 4;

/// Node, on its way to the user's program.
pub struct Hnode {
    stage: Stage,
    threads: u32,
}

/// How far it has come.
enum Stage {
    Over(u8),
    Up(Node),
    Loaded(Environment),
    Nowhere,
}

impl Host for Hnode {
    const PROFILE: &'static Profile = &PROFILE;

    type Script = Opened;

    /// Node words its own mistakes.
    fn usage(_argv0: &OsStr, _error: &UsageError) -> Usage {
        Usage { text: Vec::new(), status: 9 }
    }

    fn interactive(invocation: &Invocation) -> bool {
        let acts = ["-e", "--eval", "-p", "--print", "-pe"].iter().any(|name| invocation.has(name));
        let asked = invocation.has("-i") || invocation.has("--interactive");
        (asked || (invocation.program == Program::None && !acts)) && io::stdin().is_terminal()
    }

    fn boot(invocation: Invocation) -> Result<Self, Failure> {
        refuse_switches(&invocation)?;
        refuse_environment()?;
        stand_in::settle();
        let threads = threads(&invocation);
        let stage = match with_streams_as_inherited(|| Node::start(invocation))?? {
            Start::Up(node) => Stage::Up(node),
            Start::Over(status) => Stage::Over(status),
        };
        Ok(Hnode { stage, threads })
    }

    fn neuter(&mut self, policy: &Policy, confined: &Confined) -> Result<(), Failure> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Nowhere) {
            Stage::Up(node) => {
                stand_in::accept(policy);
                let preload = manners::preload(policy);
                let hint = hint(&Hints::of(policy, confined));
                let heap = confined.memory().map_or(0, heap);
                // It has no zero byte: it is ours.
                let debugger = CString::new(manners::no_debugger(policy)).unwrap_or_default();
                Stage::Loaded(node.load(self.threads, heap, &preload, &hint, &debugger)?)
            }
            other => other,
        };
        Ok(())
    }

    fn run(self, _source: Source<Opened>, _sealed: Sealed) -> Outcome {
        match self.stage {
            Stage::Over(status) => Outcome::Exit(status),
            Stage::Loaded(environment) => Outcome::Exit(environment.run()),
            Stage::Up(_) | Stage::Nowhere => unreachable!("neuter comes before run"),
        }
    }
}

/// What would open a door is refused on the command line.
fn refuse_switches(invocation: &Invocation) -> Result<(), Failure> {
    invocation.switches.iter().try_for_each(|given| refuse(REFUSED, given.name))
}

/// And in what the environment still holds: the variables that name code or files to libraries, and `NODE_OPTIONS`.
fn refuse_environment() -> Result<(), Failure> {
    let set = REFUSED_VARIABLES.iter().filter(|(name, _)| env::var_os(name).is_some());
    set.map(|(name, _)| *name).try_for_each(|name| refuse(REFUSED_VARIABLES, name))?;
    let options = env::var_os("NODE_OPTIONS").unwrap_or_default();
    // A variable of the environment has no zero byte.
    let words = node::split_options(&CString::new(options.into_vec()).unwrap_or_default());
    words.iter().try_for_each(|word| refuse(REFUSED, &switch_name(&word.to_string_lossy())))
}

fn refuse(refused: &'static [(&str, &str)], named: &str) -> Result<(), Failure> {
    match refused.iter().find(|(name, _)| *name == named) {
        Some((name, why)) => Err(Failure::Switch { name, why }),
        None => Ok(()),
    }
}

/// An option's name as Node compares it: without a value, with dashes for underscores.
fn switch_name(word: &str) -> String {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    name.replace('_', "-")
}

/// What `--v8-pool-size` says.
fn threads(invocation: &Invocation) -> u32 {
    let given = invocation.switches.iter().rev().find(|given| given.name == "--v8-pool-size");
    let number = given.and_then(|given| given.value.as_deref()?.to_str()?.parse().ok());
    number.map_or(THREADS, |number: u32| number.min(THREADS))
}

/// What Node needs beside V8's heap before a script has asked for anything, in bytes: its threads' stacks, its libraries.
const BESIDE: u64 = 80 << 20;

/// The size of V8's heap in MiB: so much that V8 says that it is full before the kernel refuses.
fn heap(memory: u64) -> u32 {
    u32::try_from((memory.saturating_sub(BESIDE) / 4 * 3) >> 20).unwrap_or(u32::MAX).max(1)
}

/// What is said when V8's heap is full.
fn hint(hints: &Hints) -> CString {
    let advice = hints.for_message(b"not enough memory", None);
    let line = advice.map_or_else(String::new, |advice| format!("hint: {}\n", denial::one_line(&advice)));
    CString::new(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn words(options: &CStr) -> Vec<String> {
        let words = node::split_options(options);
        words.iter().map(|word| switch_name(&word.to_string_lossy())).collect()
    }

    #[test]
    fn options_are_named_as_node_names_them() {
        assert_eq!(words(c"--openssl_config=/a_b"), ["--openssl-config"]);
        assert_eq!(
            words(c"  --title \"a b\" \"--openssl\"-config=x"),
            ["--title", "a b", "--openssl-config"]
        );
        assert_eq!(words(c"\"--inspect\\-brk\""), ["--inspect-brk"]);
        assert_eq!(words(c""), [""; 0]);
    }
}
