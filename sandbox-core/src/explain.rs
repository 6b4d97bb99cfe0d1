//! `--help`, `--version` and `--explain`: what would be allowed, and what enforces it.

use std::fmt::Write as _;

use crate::calls::Grants;
use crate::denial::one_line;
use crate::exec_control::Control;
use crate::flags::{FLAGS, Meaning, Takes};
use crate::kernel;
use crate::limits::{Budget, Limits};
use crate::net::Net;
use crate::options::Without;
use crate::policy::{Access, ENVIRONMENT, Grant, Origin, Policy};
use crate::profile::{Lift, Neutered, Profile};
use crate::units::Limit;

/// The text of `--help`.
#[must_use]
pub fn help(profile: &Profile) -> String {
    let mut text = format!(
        "usage: {} [sandbox options] {}\n\nSandbox options, before the script:\n",
        profile.name, profile.synopsis
    );
    for flag in FLAGS.iter().filter(|flag| profile.sockets || flag.meaning != Meaning::Net) {
        let value = match flag.takes {
            Takes::Nothing => String::new(),
            Takes::Value(name) => format!("={name}"),
            Takes::Optional(name) => format!("[={name}]"),
        };
        let help = match flag.meaning {
            Meaning::Limit(Budget::Memory) => {
                format!("{} [{}]", flag.help, Budget::Memory.unit().show(Limit::At(profile.memory)))
            }
            _ => flag.help.to_owned(),
        };
        row(&mut text, &format!("--{}{value}", flag.name), &help);
    }
    for extra in profile.extras {
        row(&mut text, &format!("--allow-{}", extra.name), extra.help);
    }
    text.push_str("\nThe interpreter's own options:\n");
    for switch in profile.switches {
        row(&mut text, switch.name, switch.help);
    }
    text
}

/// The text of `--version`.
#[must_use]
pub fn version(profile: &Profile) -> String {
    format!("{} {} ({})\n", profile.name, env!("CARGO_PKG_VERSION"), profile.version)
}

/// The text of `--explain`.
#[must_use]
pub fn policy(policy: &Policy, profile: &Profile) -> String {
    let whole = ![Without::Landlock, Without::Seccomp].iter().any(|part| policy.goes_without(*part));
    let claim = if whole {
        "what the script may do; everything else is refused"
    } else {
        "what the script is meant to do; a part that enforces it is left out"
    };
    let mut text = format!("{}: {claim}\n", profile.name);
    for (title, access) in [
        ("read (Landlock)", Access::Read),
        ("write, create, remove (Landlock)", Access::Write),
        ("read and write (Landlock)", Access::Use),
        ("write (Landlock)", Access::Fill),
        ("start programs (Landlock, seccomp)", Access::Execute),
    ] {
        section(
            &mut text,
            title,
            policy.grants.iter().filter(|grant| grant.access == access).map(grant_line),
        );
    }
    section(&mut text, "network (Landlock, seccomp)", net_lines(&policy.net));
    section(&mut text, "environment", variables(policy, profile));
    section(&mut text, "limits", limit_lines(&policy.limits, profile));
    let rlimits = policy.rlimits.iter().map(|(resource, amount)| format!("{} {amount}", resource.as_name()));
    section(&mut text, "resource limits asked for (setrlimit)", rlimits);
    section(&mut text, "refused by the host with a message", neutered(policy, profile));
    section(&mut text, "kernel", kernel_lines(policy, profile));
    let without = policy.without.iter().map(|part| format!("{} (weaker, as asked)", part.name()));
    section(&mut text, "left out", without);
    text
}

fn row(text: &mut String, left: &str, right: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {left:<30} {right}");
}

fn section(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    let none = lines.peek().is_none();
    let _ = writeln!(text, "\n{title}:{}", if none { " nothing" } else { "" });
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
}

fn grant_line(grant: &Grant) -> String {
    let why = match grant.origin {
        Origin::Asked(flag) if grant.path.exists() => format!("--{flag}"),
        Origin::Asked(flag) => format!("--{flag}; does not exist, which is an error"),
        Origin::Default if grant.path.exists() => "by default".into(),
        Origin::Default => "by default; not on this machine".into(),
        Origin::Script => "the script".into(),
        Origin::Stream(_) => {
            "by default; the file or terminal behind it, as far as it is open already".into()
        }
        Origin::Private => "--private-tmp".into(),
        Origin::Needed => "needed by a program of --allow-run".into(),
    };
    format!("{} ({why})", one_line(&grant.path.to_string_lossy()))
}

fn net_lines(net: &Net) -> Vec<String> {
    let line = |what: &str, port: &u16| format!("{what} TCP port {port}, whatever the address (--allow-net)");
    let mut lines: Vec<_> = net.connect.iter().map(|port| line("connect to", port)).collect();
    lines.extend(net.listen.iter().map(|port| line("listen on", port)));
    if !net.listen.is_empty() {
        lines.push(
            "listen on a TCP port that the kernel picks (comes with listening; Landlock is not asked)".into(),
        );
    }
    lines
}

fn variables(policy: &Policy, profile: &Profile) -> Vec<String> {
    let asked = policy.env.iter().filter(|name| !profile.environment.iter().any(|ours| *name == ours));
    let asked = asked.map(|name| format!("{} (--allow-env)", one_line(&name.to_string_lossy())));
    let always = [&ENVIRONMENT, profile.environment, &["LC_*"]].concat().join(" ");
    std::iter::once(always).chain(asked).collect()
}

fn limit_lines(limits: &Limits, profile: &Profile) -> Vec<String> {
    let by = |budget| match budget {
        Budget::Memory if profile.counts_memory => "the interpreter's allocator, RLIMIT_AS behind it",
        Budget::Memory => "RLIMIT_DATA, RLIMIT_AS behind it; each process",
        Budget::Cpu => "RLIMIT_CPU for each process; with programs a monitor for all",
        Budget::Time => "a monitor process; the whole tree",
        Budget::Files => "RLIMIT_NOFILE; each process",
        Budget::FileSize => "RLIMIT_FSIZE; each file",
        Budget::Processes if profile.threads => {
            "threads: RLIMIT_NPROC, more than the machine has; processes: the filter; with --allow-run RLIMIT_NPROC; the user's whole"
        }
        Budget::Processes => "the filter; with --allow-run RLIMIT_NPROC; the user's whole",
    };
    let line = |budget: Budget| match limits.get(budget) {
        Limit::At(_) => format!("{} {} ({})", budget.key(), limits.show(budget), by(budget)),
        Limit::None => format!("{} none", budget.key()),
    };
    Budget::ALL.into_iter().map(line).collect()
}

fn neutered(policy: &Policy, profile: &Profile) -> Vec<String> {
    let line = |neutered: &Neutered| match (neutered.lift, neutered.lift.flag()) {
        (Lift::Nothing(why), _) => format!("{} ({why})", neutered.what),
        (_, flag) => format!("{} ({} lifts it)", neutered.what, flag.unwrap_or_default()),
    };
    profile.neutered.iter().filter(|neutered| !policy.lifts(neutered.lift)).map(line).collect()
}

fn kernel_lines(policy: &Policy, profile: &Profile) -> Vec<String> {
    let used = |part| if policy.goes_without(part) { "not used" } else { "required" };
    let landlock = match kernel::landlock_version() {
        Ok(version) => format!("ABI {version}"),
        Err(error) => format!("absent: {}", crate::failure::cause(&error)),
    };
    let seccomp = match kernel::seccomp() {
        Ok(()) => "present".into(),
        Err(error) => format!("absent: {}", crate::failure::cause(&error)),
    };
    let scoped = kernel::landlock().is_ok_and(|abi| abi >= landlock::ABI::V6);
    let filter = profile.filters.get(Grants::of(policy, scoped).bits());
    vec![
        format!("Landlock {landlock} ({})", used(Without::Landlock)),
        format!(
            "seccomp {seccomp} ({}; {} instructions, unknown calls answer ENOSYS)",
            used(Without::Seccomp),
            filter.map_or(0, |blob| blob.len() / 8)
        ),
        format!("script execution control: {}", control(policy.control)),
        "no_new_privs, no capabilities (the bounding set is emptied by those who may), not dumpable, no core"
            .into(),
    ]
}

/// What the securebits ask.
fn control(control: Control) -> &'static str {
    match (control.restrict_file, control.deny_interactive) {
        (false, false) => "not asked for",
        (true, false) => "only files that may be executed are run (securebits)",
        (false, true) => "no code is run that stands in no file (securebits)",
        (true, true) => "only files that may be executed are run, and no other code (securebits)",
    }
}
