//! Makes a raw system call, or a small attack, inside the sandbox that a host's scripts run in.
//!
//! `probe [-H HOST] [sandbox flags] [-B] [-N] [-i] -e ACTION` enters the sandbox by the host's own profile, hlua's
//! unless it is said, and then acts; `probe --bare ACTION` acts outside, as the control. It prints `ok`, or the errno's
//! name, or dies of the signal.
#![no_main]

mod actions;
mod calls;
mod constants;
mod network;
mod outcome;
mod sys;
mod words;

use outcome::Outcome as Result;
use sandbox_core::{
    Confined, Failure, Grammar, Host, Invocation, Outcome, Policy, Profile, Sealed, Source, Switch, Text,
    Usage, UsageError,
};
use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;

/// A host's profile under another name and with the probe's own switches.
const fn of(host: &'static Profile) -> Profile {
    Profile {
        name: "probe",
        synopsis: "[-H HOST] [-B] [-N] [-i] -e ACTION",
        version: "a test instrument",
        switches: &SWITCHES,
        grammar: Grammar::PLAIN,
        neutered: &[],
        ..*host
    }
}

/// With sockets: what hlua would be if Lua had any. Without a grant of the network the filters are hlua's.
static HLUA: Profile = Profile { sockets: true, filters: &FILTERS, ..of(&hlua::PROFILE) };

static FILTERS: [&[u8]; 64] = include!(concat!(env!("OUT_DIR"), "/filters.rs"));

static HPYTHON: Profile = of(&hpython_profile::PROFILE);

static HSH: Profile = of(&hsh_profile::PROFILE);
/// `-J` is Node's `--jitless`.
static HNODE: Profile = Profile { jit: Some("-J"), ..of(&hnode_profile::PROFILE) };

/// Whose sandbox is entered.
trait Sandbox {
    const PROFILE: &'static Profile;
}

struct Hlua;

impl Sandbox for Hlua {
    const PROFILE: &'static Profile = &HLUA;
}

struct Hpython;

impl Sandbox for Hpython {
    const PROFILE: &'static Profile = &HPYTHON;
}

struct Hsh;

impl Sandbox for Hsh {
    const PROFILE: &'static Profile = &HSH;
}

struct Hnode;

impl Sandbox for Hnode {
    const PROFILE: &'static Profile = &HNODE;
}

static SWITCHES: [Switch; 6] = [
    Switch { name: "-H", value: true, help: "whose sandbox to enter; comes first" },
    Switch { name: "-e", value: true, help: "what to do" },
    Switch { name: "-B", value: false, help: "start a thread before the doors" },
    Switch { name: "-N", value: false, help: "start a thread between the doors, and act there" },
    Switch { name: "-i", value: false, help: "ask for what a terminal needs" },
    Switch { name: "-J", value: false, help: "have no memory become executable, where that is a choice" },
];

struct Probe<S> {
    action: String,
    thread: Option<sys::Helper>,
    wants_thread: bool,
    sandbox: PhantomData<S>,
}

impl<S: Sandbox> Host for Probe<S> {
    const PROFILE: &'static Profile = S::PROFILE;

    type Script = Text;

    fn usage(_: &OsStr, _: &UsageError) -> Usage {
        Usage { text: b"usage: probe [sandbox flags] -e ACTION | --bare ACTION\n".to_vec(), status: 2 }
    }

    fn interactive(invocation: &Invocation) -> bool {
        invocation.switches.iter().any(|s| s.name == "-i")
    }

    fn boot(invocation: Invocation) -> std::result::Result<Self, Failure> {
        let given = |name| invocation.switches.iter().find(|s| s.name == name);
        let action = given("-e").and_then(|s| s.value.clone());
        let action = action.ok_or_else(|| Failure::boot("no action"))?;
        if given("-B").is_some() {
            sys::idle_thread();
        }
        let action = String::from_utf8_lossy(action.as_bytes()).into_owned();
        actions::remember(&action);
        Ok(Probe { action, thread: None, wants_thread: given("-N").is_some(), sandbox: PhantomData })
    }

    fn neuter(&mut self, _: &Policy, _: &Confined) -> std::result::Result<(), Failure> {
        if self.wants_thread {
            self.thread = Some(sys::Helper::start(&self.action));
        }
        Ok(())
    }

    fn run(self, _: Source<Text>, _: Sealed) -> Outcome {
        match self.thread {
            Some(helper) => print(helper.act()),
            None => print(actions::perform(&words::split(&self.action))),
        }
        Outcome::Exit(0)
    }
}

/// Straight to the descriptor: nothing here may depend on a call that the filter refuses.
fn print(outcome: Result) {
    sys::write_all(1, format!("{outcome}\n").as_bytes());
}

fn bare(arguments: &[OsString]) -> i32 {
    let text = |a: &OsString| a.to_string_lossy().into_owned();
    let words = match arguments {
        [line] => words::split(&text(line)),
        words => words.iter().map(text).collect(),
    };
    actions::remember(words.first().map_or("", String::as_str));
    print(actions::perform(&words));
    0
}

fn unknown(host: &str) -> i32 {
    sys::write_all(2, format!("probe: there is no host {host}\n").as_bytes());
    2
}

/// What the C runtime calls.
#[expect(unsafe_code, reason = "the C entry point has this name")]
// SAFETY: no other `main` is linked.
#[unsafe(no_mangle)]
pub extern "C" fn main(_: libc::c_int, _: *const *const libc::c_char) -> libc::c_int {
    let arguments: Vec<_> = std::env::args_os().collect();
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    match (word(1), word(2)) {
        (Some("--bare"), _) => bare(&arguments[2..]),
        (Some("-H"), Some("hpython")) => sandbox_core::main::<Probe<Hpython>>(),
        (Some("-H"), Some("hsh")) => sandbox_core::main::<Probe<Hsh>>(),
        (Some("-H"), Some("hnode")) => sandbox_core::main::<Probe<Hnode>>(),
        (Some("-H"), Some(host)) if host != "hlua" => unknown(host),
        _ => sandbox_core::main::<Probe<Hlua>>(),
    }
}
