//! What every sandboxed script host shares: options, policy, and the doors that close before the
//! first line of the user's runs.
//!
//! [`main`] is the whole flow; read it first. A host implements [`Host`].
#![deny(missing_docs)]

mod bounds;
pub mod calls;
pub mod denial;
mod descriptors;
mod environment;
pub mod exec_control;
mod expiry;
pub mod explain;
mod failure;
mod files;
pub mod flags;
mod host;
mod invocation;
pub mod kernel;
pub mod launch;
pub mod limits;
mod metadata;
mod monitor;
mod needs;
pub mod net;
mod notify;
pub mod options;
pub mod outcome;
pub mod pages;
pub mod policy;
mod policy_file;
mod privileges;
mod profile;
mod rules;
mod sandbox;
mod service;
mod signals;
mod source;
mod temporary;
mod tree;
pub mod units;

use std::io::{self, Write};

pub use denial::Hints;
pub use descriptors::with_streams_as_inherited;
pub use failure::{CANNOT_START, CANNOT_START_WHY, Failure, NoPort};
pub use host::{Entry, Host, Usage};
pub use invocation::{Given, Invocation, Program, UsageError};
pub use net::Net;
pub use options::{Action, Options};
pub use outcome::Outcome;
pub use policy::Policy;
pub use profile::{Extra, Grammar, Lift, Neutered, Profile, Switch};
pub use sandbox::{Confined, Sandbox, Sealed};
pub use source::{Form, Opened, Source, Text};

use temporary::Temporary;

/// Runs a host from the first argument to the exit status.
///
/// The host's binary calls this from a C `main`, so that nothing runs before it: Rust's own start-up
/// would change signals and standard descriptors that the script is to see as they were.
#[must_use]
pub fn main<H: Host>() -> i32 {
    match run::<H>() {
        Ok(outcome) => outcome.status(),
        Err(failure) => {
            report(H::PROFILE.name, &failure);
            failure.status().into()
        }
    }
}

fn run<H: Host>() -> Result<Outcome, Failure> {
    let profile = H::PROFILE;
    descriptors::occupy_standard()?;
    privileges::refuse_borrowed()?;
    let options = Options::parse(profile, std::env::args_os())?;
    let interactive = H::interactive(&options.invocation);
    match &options.action {
        Action::Run => {}
        Action::Usage(error) => {
            let usage = H::usage(&options.invocation.argv0, error);
            // Where standard error cannot be written there is nobody to tell.
            let _ = io::stderr().write_all(&usage.text);
            return Ok(Outcome::Exit(usage.status));
        }
        Action::Help => return print(&explain::help(profile)),
        Action::Version => return print(&explain::version(profile)),
        Action::Explain => {
            let policy = Policy::of(&options, profile, interactive)?;
            return print(&explain::policy(&policy, profile));
        }
    }
    let mut policy = Policy::of(&options, profile, interactive)?;
    if policy.control.restrict_file && !H::HOLDS_LIBRARIES {
        return Err(Failure::LibrariesNotHeld);
    }
    policy.control.enter(H::entry(&options.invocation, &policy))?;
    let (source, script) = Source::open(&options.invocation.program, policy.control)?;
    descriptors::close_inherited(script.as_ref())?;
    if !policy.net.is_empty() {
        descriptors::refuse_loose_sockets("allow-net")?;
    }
    if profile.messages && policy.runs_programs() {
        descriptors::refuse_loose_sockets("allow-run")?;
    }
    let temporary = policy.private_tmp.then(Temporary::make).transpose()?;
    if let Some(temporary) = &temporary {
        policy.grant_private(temporary.path());
    }
    let sandbox =
        Sandbox::prepare(&policy, profile, script.as_ref(), temporary.as_ref().map(Temporary::directory))?;
    let source = source.holding(script);
    confess(profile.name, &policy);
    let sandbox = sandbox.with(monitor::watch(profile, &policy, temporary)?);
    environment::reduce(&policy);

    let mut host = H::boot(options.invocation)?;
    let confined = sandbox.confine()?;
    host.neuter(&policy, &confined)?;
    let sealed = confined.seal()?;
    Ok(host.run(source, sealed))
}

/// Says on standard error what is not enforced.
fn confess(name: &str, policy: &Policy) {
    for part in &policy.without {
        let _ = writeln!(io::stderr(), "{name}: warning: running without {}", part.name());
    }
}

fn report(name: &str, failure: &Failure) {
    let mut text = format!("{name}: {}\n", denial::one_line(&failure.to_string()));
    if let Some(hint) = failure.hint() {
        text.push_str(&format!("hint: {}\n", denial::one_line(&hint)));
    }
    let _ = io::stderr().write_all(text.as_bytes());
}

fn print(text: &str) -> Result<Outcome, Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .and_then(|()| io::stdout().flush())
        .map(|()| Outcome::Exit(0))
        .map_err(|error| Failure::step("write to standard output", &error))
}
