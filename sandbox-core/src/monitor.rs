//! The monitor: a parent that ends the run when its time is over, and ends what the run leaves
//! behind. It is there only when a time limit is set or programs may be started.
#![allow(unsafe_code, reason = "fork(2) and waiting have no safe form")]

use std::io::{self, Write};
use std::time::{Duration, Instant};

use crate::denial;
use crate::failure::Failure;
use crate::files;
use crate::limits::{Budget, Limits};
use crate::options::Without;
use crate::outcome;
use crate::policy::Policy;
use crate::privileges;
use crate::signals::{self, Inherited};
use crate::tree;
use crate::units::Limit;

/// Splits off the monitor, if the policy needs one. Only the child returns; the parent waits for it
/// and leaves with its status.
///
/// # Errors
/// [`Failure::Step`] when the process cannot be split, [`Failure::Kernel`] when programs may be
/// started and the kernel cannot tell the run's processes from others.
pub(crate) fn watch(name: &str, policy: &Policy) -> Result<(), Failure> {
    let deadline = match policy.limits.get(Budget::Time) {
        Limit::At(ms) => Instant::now().checked_add(Duration::from_millis(ms)),
        Limit::None => None,
    };
    if deadline.is_none() && !policy.runs_programs() {
        return Ok(());
    }
    let failed = |error: io::Error| Failure::step("start the monitor", &error);
    let sweep = Sweep::choose(policy)?;
    // A child does not inherit this.
    privileges::adopt_orphans()?;
    let monitor = process_id();
    let inherited = Inherited::replace(&SIGNALS).map_err(failed)?;
    // SAFETY: one thread runs, so the child is a whole copy.
    match unsafe { libc::fork() } {
        -1 => Err(failed(io::Error::last_os_error())),
        0 => {
            follow(monitor)?;
            inherited.restore().map_err(failed)
        }
        child => Watch { child, deadline, sweep, name, limits: &policy.limits, inherited }.run(),
    }
}

/// What the monitor waits for: the end of a child, and what somebody may send to the run.
const SIGNALS: [libc::c_int; 7] =
    [libc::SIGCHLD, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];

/// How often the monitor looks at the CPU time of the living.
const TICK: Duration = Duration::from_secs(1);

/// How the monitor ends what is left of a run.
#[derive(Clone, Copy)]
enum Sweep {
    /// All at once: signals reach only the domain that the monitor and the run share, so one
    /// `kill(-1)` meets every process of the run. The kernel lets no fork pass it by.
    Domain,
    /// One after another, by their parents: a script that forks faster than it is read about gets
    /// away.
    Tree,
}

impl Sweep {
    fn choose(policy: &Policy) -> Result<Self, Failure> {
        let unscoped = policy.goes_without(Without::Scopes) || policy.goes_without(Without::Landlock);
        if !policy.runs_programs() || unscoped {
            return Ok(Sweep::Tree);
        }
        privileges::set_no_new_privs()?;
        files::scope_signals()?;
        // A second look before anything is sent to "everybody": neither our parent nor the first
        // process may be in reach. (A parent in another PID namespace has number 0.)
        // SAFETY: getppid(2) takes no arguments.
        let outside = [unsafe { libc::getppid() }, 1];
        if outside.iter().any(|pid| *pid > 0 && *pid != process_id() && signals::reaches(*pid)) {
            return Err(Failure::Step {
                step: "start the monitor",
                cause: "signals reach beyond the domain".into(),
            });
        }
        Ok(Sweep::Domain)
    }

    /// Ends every process beneath us, and waits for the last.
    fn end_all(self) {
        loop {
            match self {
                Sweep::Domain => signals::send(-1, libc::SIGKILL),
                Sweep::Tree => tree::children().for_each(|child| signals::send(child, libc::SIGKILL)),
            }
            // SAFETY: a null status is allowed.
            match unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } {
                -1 if io::Error::last_os_error().raw_os_error() == Some(libc::ECHILD) => return,
                _ => {}
            }
        }
    }
}

/// The child's part: it lives no longer than its monitor.
fn follow(monitor: libc::pid_t) -> Result<(), Failure> {
    privileges::die_with_parent()?;
    // SAFETY: getppid(2) takes no arguments.
    if unsafe { libc::getppid() } != monitor {
        // The monitor died before the tie was made.
        leave(outcome::SANDBOX.into());
    }
    Ok(())
}

struct Watch<'a> {
    child: libc::pid_t,
    deadline: Option<Instant>,
    sweep: Sweep,
    name: &'a str,
    limits: &'a Limits,
    inherited: Inherited,
}

impl Watch<'_> {
    /// Waits until the child has ended or a budget of the whole run is used up; never returns.
    fn run(self) -> ! {
        let mut looked = Instant::now();
        loop {
            if let Some(status) = self.reap() {
                self.sweep.end_all();
                self.leave_like(status);
            }
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                if self.cpu_is_spent() {
                    self.end(Budget::Cpu, outcome::CPU);
                }
            }
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                self.end(Budget::Time, outcome::TIME);
            }
            match signals::wait(&SIGNALS, left.unwrap_or(TICK).min(TICK)) {
                // From a terminal the whole group got it, the child too. Sent by somebody to us
                // alone, it is meant for the script.
                Some((signal, true)) if signal != libc::SIGCHLD => signals::send(self.child, signal),
                _ => {}
            }
        }
    }

    /// Collects children that have ended; the status if ours is among them.
    fn reap(&self) -> Option<libc::c_int> {
        loop {
            let mut status = 0;
            // SAFETY: `status` outlives the call.
            match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
                pid if pid == self.child => return Some(status),
                pid if pid > 0 => {}
                _ => return None,
            }
        }
    }

    /// Whether the run as a whole used more CPU time than the budget of one process: neither a chain
    /// of short lives nor a parent that waits for many is a way around it.
    fn cpu_is_spent(&self) -> bool {
        match self.limits.get(Budget::Cpu) {
            Limit::At(budget) => tree::cpu_time() > Duration::from_millis(budget) + TICK,
            Limit::None => false,
        }
    }

    /// Dies as the child died.
    fn leave_like(&self, status: libc::c_int) -> ! {
        if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            // A second core would say nothing of the script.
            let ready = rlimit::Resource::CORE
                .set(0, 0)
                .and_then(|()| self.inherited.restore())
                .and_then(|()| signals::handle(signal, libc::SIG_DFL))
                .and_then(|()| signals::unblock(signal));
            if ready.is_ok() {
                signals::send(process_id(), signal);
            }
            leave(128 + signal);
        }
        leave(libc::WEXITSTATUS(status))
    }

    fn end(&self, budget: Budget, status: u8) -> ! {
        signals::send(self.child, libc::SIGKILL);
        self.sweep.end_all();
        // Where standard error cannot be written there is nobody to tell.
        let _ = io::stderr().write_all(denial::ended(self.name, self.limits, budget).as_bytes());
        leave(status.into())
    }
}

fn leave(status: libc::c_int) -> ! {
    // SAFETY: _exit(2) runs no handlers of the interpreter's, which has not started here.
    unsafe { libc::_exit(status) }
}

fn process_id() -> libc::pid_t {
    // SAFETY: getpid(2) takes no arguments.
    unsafe { libc::getpid() }
}
