//! What the standard library cannot say: process groups with a deadline, accounts, terminals, descriptors of a child.
#![expect(unsafe_code, reason = "the child is set up between fork and exec, and waited for with a deadline")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Is this process uid 0?
pub fn is_root() -> bool {
    // SAFETY: geteuid has no arguments and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// What a child changes about itself between fork and exec.
#[derive(Default)]
pub struct ChildPlan {
    /// uid and gid to change to, without any supplementary group.
    pub account: Option<u32>,
    /// Descriptors to put at fixed numbers, open across exec.
    pub inherit: Vec<(OwnedFd, RawFd)>,
    /// Descriptors to close.
    pub close: Vec<RawFd>,
    /// Make the terminal on standard input the controlling one.
    pub controlling_terminal: bool,
}

/// Apply `plan` to the child that `command` starts. The child leads a process group of its own.
pub fn prepare(command: &mut Command, plan: ChildPlan) {
    // SAFETY: the closure makes system calls only: it neither allocates nor takes a lock.
    unsafe { command.pre_exec(move || enter(&plan)) };
}

/// What the tests may have been started with ignored, in the background or without a terminal; a program keeps that.
const OFTEN_IGNORED: [libc::c_int; 3] = [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP];

fn enter(plan: &ChildPlan) -> io::Result<()> {
    for signal in OFTEN_IGNORED {
        // SAFETY: a plain system call; the default needs no handler.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    if plan.controlling_terminal {
        // SAFETY: plain system calls on descriptor 0, which is the terminal.
        check(unsafe { libc::setsid() })?;
        // SAFETY: as above.
        check(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
    } else {
        // SAFETY: a plain system call.
        check(unsafe { libc::setpgid(0, 0) })?;
    }
    for (source, target) in &plan.inherit {
        // SAFETY: both are descriptor numbers; dup2 clears close-on-exec on the copy.
        check(unsafe { libc::dup2(source.as_raw_fd(), *target) })?;
    }
    if let Some(account) = plan.account {
        become_account(account)?;
    }
    for descriptor in &plan.close {
        // SAFETY: closing a number that nothing uses between here and exec.
        unsafe { libc::close(*descriptor) };
    }
    Ok(())
}

fn become_account(account: u32) -> io::Result<()> {
    // SAFETY: a null list of zero groups is valid.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })?;
    // SAFETY: plain system calls.
    check(unsafe { libc::setgid(account) })?;
    // SAFETY: as above.
    check(unsafe { libc::setuid(account) })?;
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Send `signal` to the process; one that is gone already is no error.
pub fn signal(pid: u32, signal: i32) {
    // SAFETY: a plain system call.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// End whatever is left of the process group that `pid` leads.
pub fn kill_group(pid: u32) {
    // SAFETY: a plain system call; the group was made for this child.
    unsafe { libc::kill(-(pid as libc::pid_t), libc::SIGKILL) };
}

/// Wait for `child`; `None` if it still runs at the deadline.
pub fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let pidfd = pidfd(child.id())?;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        readable(&pidfd, left);
    }
}

fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: a plain system call.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just given us this descriptor, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as RawFd) })
}

fn readable(descriptor: &OwnedFd, left: Duration) {
    let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let milliseconds = i32::try_from(left.as_millis()).unwrap_or(i32::MAX).max(1);
    // SAFETY: one valid entry.
    unsafe { libc::poll(&mut entry, 1, milliseconds) };
}

/// A new pseudo terminal: the side of the terminal emulator and the side of the program.
pub fn terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let (mut emulator, mut program) = (-1, -1);
    // SAFETY: the two numbers are written by the call; the optional arguments may be null.
    check(unsafe {
        libc::openpty(&mut emulator, &mut program, std::ptr::null_mut(), std::ptr::null(), std::ptr::null())
    })?;
    for descriptor in [emulator, program] {
        // SAFETY: a descriptor that we have just been given.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: openpty has just given us both.
    Ok(unsafe { (OwnedFd::from_raw_fd(emulator), OwnedFd::from_raw_fd(program)) })
}

/// The version of the running kernel's Landlock; 0 without it.
pub fn landlock_abi() -> i64 {
    // SAFETY: a null attribute with the version flag is how the version is asked for.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, 1) };
    version.max(0)
}
