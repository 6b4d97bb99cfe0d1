//! The monitor: a parent that ends the run when its time is over, and ends what the run leaves
//! behind. It is there only when a time limit is set or programs may be started.
#![allow(unsafe_code, reason = "fork(2), waiting and signals have no safe form")]

use std::fs;
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
    let failed = |error: &io::Error| Failure::step("start the monitor", error);
    let sweep = Sweep::choose(policy)?;
    let monitor = process_id();
    block_signals().map_err(|error| failed(&error))?;
    // SAFETY: one thread runs, so the child is a whole copy.
    match unsafe { libc::fork() } {
        -1 => Err(failed(&io::Error::last_os_error())),
        0 => follow(monitor),
        child => {
            privileges::adopt_orphans()?;
            Watch { child, deadline, sweep, name, limits: &policy.limits }.run()
        }
    }
}

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
        // A second look before anything is sent to "everybody": our parent must be out of reach.
        // SAFETY: no memory is involved, and signal 0 only asks.
        let parent_is_reached = unsafe {
            let parent = libc::getppid();
            parent > 0 && libc::kill(parent, 0) == 0
        };
        if !parent_is_reached {
            return Ok(Sweep::Domain);
        }
        Err(Failure::Step { step: "start the monitor", cause: "signals reach beyond the domain".into() })
    }

    /// Ends every process beneath us, and waits for the last.
    fn end_all(self) {
        loop {
            match self {
                Sweep::Domain => send(-1, libc::SIGKILL),
                Sweep::Tree => children().into_iter().for_each(|child| send(child, libc::SIGKILL)),
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
    unblock_signals().map_err(|error| Failure::step("start the monitor", &error))
}

struct Watch<'a> {
    child: libc::pid_t,
    deadline: Option<Instant>,
    sweep: Sweep,
    name: &'a str,
    limits: &'a Limits,
}

impl Watch<'_> {
    /// Waits until the child has ended or a budget of the whole run is used up; never returns.
    fn run(self) -> ! {
        loop {
            if let Some(status) = self.reap() {
                self.sweep.end_all();
                leave_like(status);
            }
            if self.cpu_is_spent() {
                self.end(Budget::Cpu, outcome::CPU);
            }
            match next_signal(self.deadline) {
                Some((libc::SIGCHLD, _)) => {}
                // From a terminal the whole group got it, the child too. Sent by somebody to us
                // alone, it is meant for the script.
                Some((signal, true)) => send(self.child, signal),
                Some((_, false)) => {}
                None => self.end(Budget::Time, outcome::TIME),
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

    /// Whether the processes that have ended used more CPU time than the budget of one: a chain of
    /// short lives is not a way around it. Those that live are limited each by itself.
    fn cpu_is_spent(&self) -> bool {
        // SAFETY: all zero is a valid rusage, and the kernel fills it while it lives.
        let used = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
            usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        };
        match self.limits.get(Budget::Cpu) {
            Limit::At(ms) => u64::try_from(used).is_ok_and(|used| used > ms / 1000),
            Limit::None => false,
        }
    }

    fn end(&self, budget: Budget, status: u8) -> ! {
        send(self.child, libc::SIGKILL);
        self.sweep.end_all();
        // Where standard error cannot be written there is nobody to tell.
        let _ = io::stderr().write_all(denial::ended(self.name, self.limits, budget).as_bytes());
        leave(status.into())
    }
}

/// Our children's ids, from `/proc`.
fn children() -> Vec<libc::pid_t> {
    let parent = process_id().to_string();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // proc_pid_stat(5): the name in parentheses may hold anything, the parent comes second
            // after it.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
            (fields.nth(1)? == parent).then_some(pid)
        })
        .collect()
}

/// Dies as the child died.
fn leave_like(status: libc::c_int) -> ! {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        // A second core would say nothing of the script.
        let no_core = rlimit::Resource::CORE.set(0, 0);
        // SAFETY: the disposition is a constant, the signal goes to ourselves.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            if no_core.is_ok() && unblock_signals().is_ok() {
                libc::raise(signal);
            }
        }
        leave(128 + signal);
    }
    leave(libc::WEXITSTATUS(status))
}

fn leave(status: libc::c_int) -> ! {
    // SAFETY: _exit(2) runs no handlers of the interpreter's, which has not started here.
    unsafe { libc::_exit(status) }
}

fn process_id() -> libc::pid_t {
    // SAFETY: getpid(2) takes no arguments.
    unsafe { libc::getpid() }
}

fn send(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: no memory is involved. A process that is gone already is no error.
    unsafe { libc::kill(process, signal) };
}

/// What the monitor waits for: the end of a child, and what somebody may send to the run.
fn signals() -> libc::sigset_t {
    // SAFETY: sigemptyset(3) initialises the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [
            libc::SIGCHLD,
            libc::SIGINT,
            libc::SIGQUIT,
            libc::SIGTERM,
            libc::SIGHUP,
            libc::SIGUSR1,
            libc::SIGUSR2,
        ] {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

fn block_signals() -> io::Result<()> {
    mask(libc::SIG_BLOCK)
}

fn unblock_signals() -> io::Result<()> {
    mask(libc::SIG_UNBLOCK)
}

fn mask(how: libc::c_int) -> io::Result<()> {
    let set = signals();
    // SAFETY: the set is initialised and outlives the call.
    match unsafe { libc::sigprocmask(how, &raw const set, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The next signal and whether a process sent it, or `None` when the deadline has passed.
fn next_signal(deadline: Option<Instant>) -> Option<(libc::c_int, bool)> {
    let set = signals();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map(|left| libc::timespec {
            tv_sec: libc::time_t::try_from(left.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: set, answer and time-out outlive the call; a null time-out waits for ever.
        let (signal, sender) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let signal = libc::sigtimedwait(&raw const set, &raw mut info, timeout);
            // sigaction(2): codes of processes are not positive, the kernel's own are.
            (signal, info.si_code <= 0)
        };
        match io::Error::last_os_error().raw_os_error() {
            _ if signal > 0 => return Some((signal, sender)),
            Some(libc::EAGAIN) => return None,
            // Interrupted by a signal that is not ours, such as SIGCONT.
            _ => {}
        }
    }
}
