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
use crate::profile::Profile;
use crate::service;
use crate::signals::{self, Inherited};
use crate::temporary::Temporary;
use crate::tree::{self, Tree};
use crate::units::Limit;

/// Splits off the monitor, if the policy needs one. Only the child returns; the parent waits for it
/// and leaves with its status.
///
/// # Errors
/// [`Failure::Step`] when the process cannot be split, [`Failure::Kernel`] when programs may be
/// started and the kernel cannot tell the run's processes from others.
pub(crate) fn watch(
    profile: &Profile,
    policy: &Policy,
    temporary: Option<Temporary>,
) -> Result<Option<service::Client>, Failure> {
    let deadline = match policy.limits.get(Budget::Time) {
        Limit::At(ms) => Instant::now().checked_add(Duration::from_millis(ms)),
        Limit::None => None,
    };
    if deadline.is_none() && !policy.runs_programs() && temporary.is_none() {
        return Ok(None);
    }
    let failed = |error: io::Error| Failure::step("start the monitor", &error);
    let sweep = Sweep::choose(policy)?;
    // Whoever became us may have started others before.
    let strangers = if has_children() { tree::children().collect() } else { Vec::new() };
    // A child does not inherit this.
    privileges::adopt_orphans()?;
    let private = temporary.as_ref().map(Temporary::directory);
    let (client, server) = service::pair(policy, private)?.unzip();
    let monitor = process_id();
    let inherited = Inherited::replace().map_err(failed)?;
    // SAFETY: one thread runs, so the child is a whole copy.
    match unsafe { libc::fork() } {
        -1 => Err(failed(io::Error::last_os_error())),
        0 => {
            // Its removal is the monitor's, and so is what keeps the janitor waiting.
            drop(temporary);
            follow(monitor)?;
            inherited.restore().map_err(failed)?;
            Ok(client)
        }
        child => {
            // Ours would keep the server waiting.
            drop(client);
            Watch {
                child,
                deadline,
                sweep,
                strangers,
                name: profile.name,
                limits: &policy.limits,
                inherited,
                server,
                temporary,
                counts: profile.launches,
                tick: if profile.launches { TICK_OF_TREES } else { TICK },
            }
            .run()
        }
    }
}

/// How often the monitor looks at the CPU time of the living.
const TICK: Duration = Duration::from_secs(1);

/// The same for a tree of processes, which is watched for its size as well. What it may grow in between is what two
/// processors can do in that time.
const TICK_OF_TREES: Duration = Duration::from_millis(200);

/// How long a run may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(1);

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
        let outside = [parent_id(), 1];
        if outside.iter().any(|pid| *pid > 0 && *pid != process_id() && signals::reaches(*pid)) {
            return Err(Failure::Step {
                step: "start the monitor",
                cause: "signals reach beyond the domain".into(),
            });
        }
        Ok(Sweep::Domain)
    }

    /// Ends every process beneath us but `strangers`, and waits for the last.
    fn end_all(self, strangers: &[libc::pid_t]) {
        loop {
            let ours = || tree::children().filter(|child| !strangers.contains(child));
            match self {
                Sweep::Domain => signals::send(-1, libc::SIGKILL),
                Sweep::Tree => ours().for_each(|child| signals::send(child, libc::SIGKILL)),
            }
            while let Some(ended) = reap_one() {
                if ended == Ended::Nobody {
                    return;
                }
            }
            if !strangers.is_empty() && ours().next().is_none() {
                return;
            }
            // The next end wakes us; what was missed is found a moment later.
            signals::wait(Duration::from_millis(10));
        }
    }
}

/// Whether there is a child, living or not: asked without looking through all of `/proc`.
fn has_children() -> bool {
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the kernel takes null where nobody wants to know more, and collects nobody.
    unsafe { libc::waitid(libc::P_ALL, 0, std::ptr::null_mut(), options) == 0 }
}

/// What waitpid(2) tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// This child, with this status.
    Child(libc::pid_t, libc::c_int),
    /// There are no children.
    Nobody,
}

/// Collects one child that has ended; `None` when all that there are live.
fn reap_one() -> Option<Ended> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
        0 => None,
        pid if pid > 0 => Some(Ended::Child(pid, status)),
        _ => Some(Ended::Nobody),
    }
}

/// The child's part: it lives no longer than its monitor.
fn follow(monitor: libc::pid_t) -> Result<(), Failure> {
    privileges::die_with_parent()?;
    if parent_id() != monitor {
        // The monitor died before the tie was made.
        leave(outcome::SANDBOX.into());
    }
    Ok(())
}

struct Watch<'a> {
    child: libc::pid_t,
    deadline: Option<Instant>,
    sweep: Sweep,
    strangers: Vec<libc::pid_t>,
    name: &'a str,
    limits: &'a Limits,
    inherited: Inherited,
    server: Option<service::Server>,
    temporary: Option<Temporary>,
    /// Whether processes and memory of the whole tree are held to their budgets.
    counts: bool,
    tick: Duration,
}

impl Watch<'_> {
    /// Waits until the child has ended, a budget of the whole run is used up, or somebody asked for
    /// the end; never returns.
    fn run(mut self) -> ! {
        if let Some(server) = self.server.take() {
            server.start();
        }
        let mut looked = Instant::now();
        let mut asked: Option<(libc::c_int, Instant)> = None;
        loop {
            if let Some(status) = self.reap() {
                self.end_all();
                self.leave_like(status);
            }
            if looked.elapsed() >= self.tick {
                let tree = Tree::look();
                looked = Instant::now();
                if let Some((budget, status)) = self.spent(&tree) {
                    self.end(budget, status);
                }
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.end(Budget::Time, outcome::TIME);
            }
            if let Some((signal, _)) = asked.filter(|(_, since)| since.elapsed() >= GRACE) {
                self.end_all();
                self.die_by(signal);
            }
            if let Some((signal, terminal)) = signals::wait(self.pause()) {
                if self.pass_on(signal, terminal) {
                    asked = asked.or(Some((signal, Instant::now())));
                }
            }
        }
    }

    /// How long to sleep at most.
    fn pause(&self) -> Duration {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.unwrap_or(self.tick).min(self.tick)
    }

    /// Does with a signal what it would do to a process alone; true when that is to end.
    ///
    /// A script can stop its own processes, so that they hear nothing: who asks for the end wakes
    /// them, and gets it after [`GRACE`] in any case. Only a shell, whose `trap` is for this, may take its time.
    fn pass_on(&self, signal: libc::c_int, terminal: bool) -> bool {
        match signal {
            // Reading or writing the terminal from the background stops who does it, not the limits.
            libc::SIGCHLD | libc::SIGCONT | libc::SIGWINCH | libc::SIGURG | libc::SIGTTIN | libc::SIGTTOU => {
                false
            }
            libc::SIGTSTP => {
                self.stop_all();
                false
            }
            ignored if signals::is_ignored(ignored) => false,
            _ => {
                // From the terminal the whole group got it, the child too.
                if !terminal {
                    signals::send(self.child, signal);
                }
                signals::send(self.child, libc::SIGCONT);
                !self.counts && !matches!(signal, libc::SIGINT | libc::SIGUSR1 | libc::SIGUSR2)
            }
        }
    }

    /// Stops the run and then the monitor; together they go on.
    fn stop_all(&self) {
        let all = match self.sweep {
            Sweep::Domain => -1,
            Sweep::Tree => self.child,
        };
        signals::send(all, libc::SIGSTOP);
        signals::send(process_id(), libc::SIGSTOP);
        signals::send(all, libc::SIGCONT);
    }

    fn end_all(&self) {
        self.sweep.end_all(&self.strangers);
        if let Some(temporary) = &self.temporary {
            temporary.remove();
        }
    }

    /// Collects children that have ended; the status if ours is among them.
    fn reap(&self) -> Option<libc::c_int> {
        loop {
            match reap_one()? {
                Ended::Child(pid, status) if pid == self.child => return Some(status),
                Ended::Child(..) => {}
                Ended::Nobody => return None,
            }
        }
    }

    /// The budget that the run as a whole has used up, and the status that tells.
    ///
    /// CPU time is that of one process: neither a chain of short lives nor a parent that waits for many is a way around it.
    fn spent(&self, tree: &Tree) -> Option<(Budget, u8)> {
        let over = |budget, used: u64| matches!(self.limits.get(budget), Limit::At(most) if used > most);
        let cpu = tree.cpu().saturating_sub(TICK);
        if over(Budget::Cpu, u64::try_from(cpu.as_millis()).unwrap_or(u64::MAX)) {
            return Some((Budget::Cpu, outcome::CPU));
        }
        if !self.counts {
            return None;
        }
        if over(Budget::Memory, tree.memory()) {
            return Some((Budget::Memory, outcome::KILLED));
        }
        over(Budget::Processes, tree.tasks()).then_some((Budget::Processes, outcome::KILLED))
    }

    /// Dies as the child died.
    fn leave_like(&self, status: libc::c_int) -> ! {
        if libc::WIFSIGNALED(status) {
            self.die_by(libc::WTERMSIG(status));
        }
        leave(libc::WEXITSTATUS(status))
    }

    fn die_by(&self, signal: libc::c_int) -> ! {
        // A core of ours would say nothing of the script, and hold all that it was not to see. SIGKILL has no other way than
        // the default.
        let ready = privileges::set_not_dumpable().is_ok()
            && self.inherited.restore().is_ok()
            && (signal == libc::SIGKILL
                || signals::handle(signal, libc::SIG_DFL).is_ok() && signals::unblock(signal).is_ok());
        if ready {
            signals::send(process_id(), signal);
        }
        leave(128 + signal)
    }

    fn end(&self, budget: Budget, status: u8) -> ! {
        signals::send(self.child, libc::SIGKILL);
        self.end_all();
        // Where standard error cannot be written there is nobody to tell.
        let _ = io::stderr().write_all(denial::ended(self.name, self.limits, budget).as_bytes());
        leave(status.into())
    }
}

fn leave(status: libc::c_int) -> ! {
    // SAFETY: _exit(2) runs no handlers of the interpreter's, which has not started here.
    unsafe { libc::_exit(status) }
}

fn parent_id() -> libc::pid_t {
    // SAFETY: getppid(2) takes no arguments.
    unsafe { libc::getppid() }
}

fn process_id() -> libc::pid_t {
    // SAFETY: getpid(2) takes no arguments.
    unsafe { libc::getpid() }
}
