//! Makes a raw system call, or a small attack, inside the sandbox that hlua's scripts run in.
//!
//! `probe [sandbox flags] [-B] [-N] [-i] -e ACTION` enters the sandbox by hlua's own profile and then acts;
//! `probe --bare ACTION` acts outside, as the control. It prints `ok`, or the errno's name, or dies of the signal.
#![no_main]

mod actions;
mod calls;
mod constants;
mod outcome;
mod sys;
mod words;

use outcome::Outcome as Result;
use sandbox_core::{
    Confined, Failure, Host, Invocation, Outcome, Policy, Profile, Sealed, Source, Switch, Usage, UsageError,
};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// hlua's profile under another name and with the probe's own switches.
static PROFILE: Profile = Profile {
    name: "probe",
    synopsis: "[-B] [-N] [-i] -e ACTION",
    version: "a test instrument",
    switches: &SWITCHES,
    grammar: hlua::PROFILE.grammar,
    script: hlua::PROFILE.script,
    environment: hlua::PROFILE.environment,
    library: hlua::PROFILE.library,
    launchers: hlua::PROFILE.launchers,
    extras: hlua::PROFILE.extras,
    filters: hlua::PROFILE.filters,
    threads: hlua::PROFILE.threads,
    counts_memory: hlua::PROFILE.counts_memory,
    memory_overhead: hlua::PROFILE.memory_overhead,
    least_memory: hlua::PROFILE.least_memory,
};

static SWITCHES: [Switch; 4] = [
    Switch { name: "-e", value: true, help: "what to do" },
    Switch { name: "-B", value: false, help: "start a thread before the doors" },
    Switch { name: "-N", value: false, help: "start a thread between the doors, and act there" },
    Switch { name: "-i", value: false, help: "ask for what a terminal needs" },
];

struct Probe {
    action: String,
    thread: Option<sys::Helper>,
    wants_thread: bool,
}

impl Host for Probe {
    const PROFILE: &'static Profile = &PROFILE;

    fn usage(_: &OsStr, _: &UsageError) -> Usage {
        Usage { text: b"usage: probe [sandbox flags] -e ACTION | --bare ACTION\n".to_vec(), status: 2 }
    }

    fn interactive(invocation: &Invocation) -> bool {
        invocation.switches.iter().any(|s| s.name == "-i")
    }

    fn boot(invocation: Invocation) -> std::result::Result<Probe, Failure> {
        let given = |name| invocation.switches.iter().find(|s| s.name == name);
        let action = given("-e").and_then(|s| s.value.clone());
        let action = action.ok_or_else(|| Failure::boot("no action"))?;
        if given("-B").is_some() {
            sys::idle_thread();
        }
        let action = String::from_utf8_lossy(action.as_bytes()).into_owned();
        actions::remember(&action);
        Ok(Probe { action, thread: None, wants_thread: given("-N").is_some() })
    }

    fn neuter(&mut self, _: &Policy, _: &Confined) -> std::result::Result<(), Failure> {
        if self.wants_thread {
            self.thread = Some(sys::Helper::start(&self.action));
        }
        Ok(())
    }

    fn run(self, _: Source, _: Sealed) -> Outcome {
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

fn bare(arguments: &[std::ffi::OsString]) -> i32 {
    let text = |a: &std::ffi::OsString| a.to_string_lossy().into_owned();
    let words = match arguments {
        [line] => words::split(&text(line)),
        words => words.iter().map(text).collect(),
    };
    actions::remember(words.first().map_or("", String::as_str));
    print(actions::perform(&words));
    0
}

/// What the C runtime calls.
#[expect(unsafe_code, reason = "the C entry point has this name")]
// SAFETY: no other `main` is linked.
#[unsafe(no_mangle)]
pub extern "C" fn main(_: libc::c_int, _: *const *const libc::c_char) -> libc::c_int {
    let arguments: Vec<_> = std::env::args_os().collect();
    match arguments.get(1) {
        Some(first) if first == "--bare" => bare(&arguments[2..]),
        _ => sandbox_core::main::<Probe>(),
    }
}
