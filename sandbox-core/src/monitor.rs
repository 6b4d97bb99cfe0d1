//! The monitor: a parent that ends the run when its time is over, and ends what the run leaves
//! behind. It is there only when a time limit is set or programs may be started.
#![allow(unsafe_code, reason = "fork(2), waiting and signals have no safe form")]

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use crate::denial;
use crate::failure::Failure;
use crate::limits::Budget;
use crate::outcome;
use crate::policy::Policy;
use crate::privileges;
use crate::units::Limit;

/// Splits off the monitor, if the policy needs one. Only the child returns; the parent waits for it
/// and leaves with its status.
///
/// # Errors
/// [`Failure::Step`] when the process cannot be split.
pub(crate) fn watch(name: &str, policy: &Policy) -> Result<(), Failure> {
    let deadline = match policy.limits.get(Budget::Time) {
        Limit::At(ms) => Instant::now().checked_add(Duration::from_millis(ms)),
        Limit::None => None,
    };
    if deadline.is_none() && !policy.runs_programs() {
        return Ok(());
    }
    let failed = |error: &io::Error| Failure::step("start the monitor", error);
    let monitor = process_id();
    block_signals().map_err(|error| failed(&error))?;
    // SAFETY: one thread runs, so the child is a whole copy.
    match unsafe { libc::fork() } {
        -1 => Err(failed(&io::Error::last_os_error())),
        0 => follow(monitor),
        child => {
            privileges::adopt_orphans()?;
            Watch { child, deadline, name, policy }.run()
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
    name: &'a str,
    policy: &'a Policy,
}

impl Watch<'_> {
    /// Waits until the child has ended or its time is over; never returns.
    fn run(self) -> ! {
        loop {
            if let Some(status) = self.reap() {
                end_all();
                leave_like(status);
            }
            match next_signal(self.deadline) {
                Some((libc::SIGCHLD, _)) => {}
                // From a terminal the whole group got it, the child too. Sent by somebody to us
                // alone, it is meant for the script.
                Some((signal, true)) => send(self.child, signal),
                Some((_, false)) => {}
                None => self.expire(),
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

    fn expire(&self) -> ! {
        send(self.child, libc::SIGKILL);
        end_all();
        eprintln!(
            "{}: the script ran out of time\nhint: {}",
            self.name,
            denial::limit_reached(&self.policy.limits, Budget::Time)
        );
        leave(outcome::TIME.into())
    }
}

/// Ends every process beneath us. Orphans become our children, so a tree shrinks from the top until
/// nobody is left; the limit on processes bounds the work.
fn end_all() {
    loop {
        for child in children() {
            send(child, libc::SIGKILL);
        }
        // SAFETY: a null status is allowed.
        match unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } {
            -1 if io::Error::last_os_error().raw_os_error() == Some(libc::ECHILD) => return,
            _ => {}
        }
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
