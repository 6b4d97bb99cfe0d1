//! Questions and answers, until nobody is left who could ask.
#![allow(unsafe_code, reason = "waitpid(2) and its like are foreign functions")]

use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};

use shebang::chain::View;
use shebang::credentials::READ;
use shebang::local::Identity;
use shebang::{Verdict, resolve};

use super::caller::{Caller, Remote};
use super::command;
use super::filter::Cookie;
use super::listener::{Call, Listener};
use super::pipe::Pipe;
use super::rewrite::{Exec, Rewriter};
use super::signals::{self, Blocked, Signals};
use crate::failure::Failure;
use crate::options::Options;

/// Starts the command, tells its number and later how it ended, and serves until the last process beneath is gone.
///
/// # Errors
/// What keeps the command from being started.
pub fn supervise(options: &Options, report: File, blocked: &Blocked) -> Result<i32, Failure> {
    let secrets = secrets()?;
    let cookie = Cookie(u64::from_ne_bytes(secrets[16..24].try_into().unwrap_or_default()));
    let mut mark = [0; 16];
    mark.copy_from_slice(&secrets[..16]);
    // Whoever loses its parent becomes our child: who is to be traced must be beneath us (Yama).
    // SAFETY: this option passes no pointer.
    if unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } != 0 {
        return Err(Failure::last("watch over children"));
    }
    let (tell, go) = (Pipe::new()?, Pipe::new()?);
    let Some(child) = command::fork("start the command")? else {
        command::become_it(options, cookie, tell.writer(), go.reader(), blocked)
    };
    let (mut tell, mut go) = (tell.reader(), go.writer());
    let mut number = [0; 4];
    let mut service = Service { options, rewriter: Rewriter::new(cookie, mark), child, report: Some(report) };
    service.report(child);
    if tell.read_exact(&mut number).is_err() {
        // It has said why, and ends.
        service.reap(0);
        return Ok(0);
    }
    let listener = Listener::of(child, i32::from_ne_bytes(number))?;
    signals::block_stops();
    let signals = Signals::new()?;
    leave()?;
    let _ = go.write_all(&[1]);
    drop((tell, go));
    service.serve(&listener, &signals);
    Ok(0)
}

fn secrets() -> Result<[u8; 24], Failure> {
    let mut secrets = [0; 24];
    // SAFETY: the buffer has the room that is named.
    match unsafe { libc::getrandom(secrets.as_mut_ptr().cast(), secrets.len(), 0) } {
        24 => Ok(secrets),
        _ => Err(Failure::last("get random numbers")),
    }
}

/// Holds on to nothing of the caller's: we may outlive it.
fn leave() -> Result<(), Failure> {
    let step = |source| Failure::Step { step: "open /dev/null", source };
    let null = OpenOptions::new().read(true).write(true).open("/dev/null").map_err(step)?;
    for stream in 0..=2 {
        // SAFETY: dup2 takes any numbers.
        unsafe { libc::dup2(null.as_raw_fd(), stream) };
    }
    std::env::set_current_dir("/").map_err(|source| Failure::Step { step: "go to /", source })
}

struct Service<'a> {
    options: &'a Options,
    rewriter: Rewriter,
    /// The command.
    child: i32,
    /// Where its end is told; none when it was.
    report: Option<File>,
}

impl Service<'_> {
    fn serve(&mut self, listener: &Listener, signals: &Signals) {
        loop {
            let [asked, came] = signals::poll(listener.as_fd(), signals.as_fd());
            if asked & libc::POLLIN != 0 {
                if let Some(call) = listener.receive() {
                    self.decide(listener, &call);
                }
            }
            if came != 0 {
                while signals.next().is_some() {}
            }
            self.reap(libc::WNOHANG);
            // No process is left that could ask.
            if asked & libc::POLLHUP != 0 {
                return self.reap(0);
            }
        }
    }

    fn report(&mut self, word: i32) {
        if let Some(report) = &mut self.report {
            // Who waited for it may be gone.
            let _ = report.write_all(&word.to_ne_bytes());
        }
    }

    /// Takes note of children that ended, ours and those that others left to us. Without `WNOHANG` it waits for them.
    fn reap(&mut self, flags: i32) {
        loop {
            for (who, status) in self.rewriter.ended() {
                if who == self.child && self.report.is_some() {
                    self.report(status);
                    self.report = None;
                }
            }
            let mut status = 0;
            // SAFETY: the kernel writes the status.
            match unsafe { libc::waitpid(-1, &raw mut status, flags | libc::__WALL) } {
                who if who > 0 => self.rewriter.note(who, status),
                _ => return,
            }
        }
    }

    fn decide(&mut self, listener: &Listener, call: &Call) {
        match self.verdict(listener, call) {
            Answer::GoOn => listener.go_on(call),
            Answer::Errno(errno) => listener.answer(call, errno),
            Answer::None => {}
        }
    }

    fn verdict(&mut self, listener: &Listener, call: &Call) -> Answer {
        let [first, second, third, fourth, fifth, _] = call.arguments;
        // Descriptors and flags are 32 bits for the kernel.
        let (directory, caller) = (first as i32, Caller(call.thread));
        match call.number {
            libc::SYS_execve => {
                let Some(path) = caller.path(first) else { return Answer::GoOn };
                self.exec(listener, call, &Target { path: &path, directory: None, flags: 0 }, [second, third])
            }
            libc::SYS_execveat => {
                let Some(path) = caller.path(second) else { return Answer::GoOn };
                let flags = fifth as i32;
                // An empty path is the descriptor only if that is said.
                let known = flags & !(libc::AT_EMPTY_PATH | libc::AT_SYMLINK_NOFOLLOW) == 0;
                if !known || path.is_empty() && flags & libc::AT_EMPTY_PATH == 0 {
                    return Answer::GoOn;
                }
                let target = Target { path: &path, directory: from(directory, &path), flags };
                self.exec(listener, call, &target, [third, fourth])
            }
            libc::SYS_access => {
                let Some(path) = caller.path(first) else { return Answer::GoOn };
                self.access(listener, call, Remote::new(caller, None, Identity::Real), &path, second)
            }
            _ => {
                let Some(path) = caller.path(second) else { return Answer::GoOn };
                let flags = if call.number == libc::SYS_faccessat2 { fourth as i32 } else { 0 };
                let who = if flags & libc::AT_EACCESS == 0 { Identity::Real } else { Identity::Effective };
                if flags & !(libc::AT_EACCESS | libc::AT_SYMLINK_NOFOLLOW) != 0 {
                    return Answer::GoOn;
                }
                let view = Remote::new(caller, from(directory, &path), who)
                    .without_link(flags & libc::AT_SYMLINK_NOFOLLOW != 0);
                self.access(listener, call, view, &path, third)
            }
        }
    }

    fn exec(
        &mut self,
        listener: &Listener,
        call: &Call,
        target: &Target<'_>,
        [argv, envp]: [u64; 2],
    ) -> Answer {
        let Target { path, directory, flags } = *target;
        let caller = Caller(call.thread);
        let mut view = Remote::new(caller, directory, Identity::Effective)
            .without_link(flags & libc::AT_SYMLINK_NOFOLLOW != 0);
        let verdict = resolve(&mut view, path);
        if matches!(verdict, Verdict::Native) || caller.is_one_of(&self.options.skip) {
            return Answer::GoOn;
        }
        let name = match directory {
            Some(number) if path.is_empty() => format!("/dev/fd/{number}").into_bytes(),
            Some(number) => [format!("/dev/fd/{number}/").as_bytes(), path.to_bytes()].concat(),
            None => path.to_bytes().to_owned(),
        };
        // All that was read was the caller's if it still waits.
        if !listener.waits(call) {
            return Answer::None;
        }
        match verdict {
            Verdict::Native => Answer::GoOn,
            Verdict::Fail(errno) => Answer::Errno(errno),
            Verdict::Run(chain) => {
                let name = CString::new(name).unwrap_or_default();
                let exec = Exec { chain: &chain, name: &name, argv, envp };
                if self.rewriter.replace(call, &exec) { Answer::None } else { Answer::GoOn }
            }
        }
    }

    fn access(&self, listener: &Listener, call: &Call, mut view: Remote, path: &CStr, mode: u64) -> Answer {
        let (mode, caller) = (mode as i32, Caller(call.thread));
        if mode & !(libc::X_OK | libc::R_OK) != 0 || caller.is_one_of(&self.options.skip) {
            return Answer::GoOn;
        }
        let first = view.first();
        if matches!(resolve(&mut view, path), Verdict::Native) {
            return Answer::GoOn;
        }
        if mode & libc::R_OK != 0 {
            view.begin(first);
            let readable =
                view.look(path).is_ok_and(|found| view.who().is_some_and(|who| who.may(READ, found.inode)));
            if !readable {
                return Answer::GoOn;
            }
        }
        if listener.waits(call) { Answer::Errno(0) } else { Answer::None }
    }
}

/// What is to be started.
struct Target<'a> {
    path: &'a CStr,
    /// Where the path begins, if not at the working directory.
    directory: Option<i32>,
    /// Those of execveat(2).
    flags: i32,
}

/// What a call is told.
enum Answer {
    /// Nothing: it goes on.
    GoOn,
    /// This, in the kernel's place; 0 is success.
    Errno(i32),
    /// It is no more.
    None,
}

/// Where a path begins, if that is a descriptor.
fn from(directory: i32, path: &CStr) -> Option<i32> {
    (directory != libc::AT_FDCWD && !path.to_bytes().starts_with(b"/")).then_some(directory)
}
