//! The supervisor: a process that the kernel asks about every `exec` beneath it (seccomp_unotify(2)).
//!
//! Three processes. The first is the one that the caller sees: it passes signals on, waits, and ends as the command ends
//! (`wait`). The second serves (`serve`) until no process beneath it is left, which may be later. The third becomes the
//! command (`command`).
//!
//! An answer is one of three: let the call go on, fail it with an errno, or have the caller make another call in its own
//! name (`rewrite`). Each call that starts something is the caller's own, decided by the kernel.

mod caller;
mod command;
mod filter;
mod listener;
mod pipe;
mod rewrite;
mod serve;
mod signals;
mod wait;

use crate::failure::Failure;
use crate::options::Options;
use pipe::Pipe;
use signals::Blocked;

/// Runs the command, supervised, and answers its exit status.
///
/// # Errors
/// What keeps the command from being started.
pub fn run(options: Options) -> Result<i32, Failure> {
    let report = Pipe::new()?;
    let blocked = Blocked::all()?;
    match command::fork("start the supervisor")? {
        Some(_) => wait::until_the_end(report.reader()),
        None => serve::supervise(&options, report.writer(), &blocked),
    }
}
