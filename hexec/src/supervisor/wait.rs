//! The process that the caller sees: it passes signals on, and ends as the command ends.
#![allow(unsafe_code, reason = "kill(2) is a foreign function")]

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use super::signals::{self, Signals};
use crate::failure::{Failure, OURS};

/// Waits for the supervisor's two words: the command's number, and how it ended.
///
/// # Errors
/// [`Failure::Step`].
pub fn until_the_end(mut report: File) -> Result<i32, Failure> {
    let signals = Signals::new()?;
    let mut command = None;
    loop {
        let [told, came] = signals::poll(report.as_fd(), signals.as_fd());
        if came != 0 {
            while let Some(signal) = signals.next() {
                if let (true, Some(command)) = (signal.sent && signal.number != libc::SIGCHLD, command) {
                    // SAFETY: kill takes any numbers. The command is not reaped before it is reported.
                    unsafe { libc::kill(command, signal.number) };
                }
            }
        }
        if told != 0 {
            let mut word = [0; 4];
            match (report.read_exact(&mut word), command) {
                (Ok(()), None) => command = Some(i32::from_ne_bytes(word)),
                (Ok(()), Some(_)) => return Ok(end_as(i32::from_ne_bytes(word))),
                // The supervisor is gone, and has said why if it could.
                (Err(_), _) => return Ok(OURS),
            }
        }
    }
}

/// The exit status; a signal ends this process too.
fn end_as(status: i32) -> i32 {
    if libc::WIFSIGNALED(status) {
        let signal = libc::WTERMSIG(status);
        signals::die_by(signal);
        return 128 + signal;
    }
    libc::WEXITSTATUS(status)
}
