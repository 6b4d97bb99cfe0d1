//! The flow's steps for Node.

use std::ffi::{CString, OsStr};
use std::io::{self, IsTerminal};

use hnode_profile::{PROFILE, REFUSED};
use sandbox_core::{
    Confined, Failure, Hints, Host, Invocation, Opened, Outcome, Policy, Profile, Program, Sealed, Source,
    Usage, UsageError, denial, with_streams_as_inherited,
};

use crate::manners;
use crate::node::{Environment, Node, Start};
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
        for given in &invocation.switches {
            if let Some((name, why)) = REFUSED.iter().find(|(name, _)| *name == given.name) {
                return Err(Failure::Switch { name, why });
            }
        }
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
                Stage::Loaded(node.load(self.threads, heap, &preload, &hint)?)
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
