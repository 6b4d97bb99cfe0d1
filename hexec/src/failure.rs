//! What goes wrong, in words, and the exit statuses, which are those of `env(1)` and `timeout(1)`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the command did not run.
#[derive(Debug, Error)]
pub enum Failure {
    /// An option that there is not, or a value that is none.
    #[error("{0}; see hexec --help")]
    Usage(String),
    /// Nothing to run.
    #[error("a command is expected; see hexec --help")]
    NoCommand,
    /// The library for `--by=preload` is not where it is installed.
    #[error("cannot find libhexec.so: neither '{}' nor '{}' exists", .0[0].display(), .0[1].display())]
    NoLibrary([PathBuf; 2]),
    /// The path of the library cannot stand in `LD_PRELOAD`.
    #[error("'{}' cannot stand in LD_PRELOAD: it contains a colon or a blank", .0.display())]
    UnusableLibrary(PathBuf),
    /// Securebits are refused.
    #[error("cannot set the securebits {bits:#x}: {}{}", cause(.source), old_kernel(.source))]
    Securebits {
        /// All that were to be set.
        bits: u32,
        /// The kernel's answer.
        source: io::Error,
    },
    /// There is a supervisor, of whatever kind, already.
    #[error(
        "another program supervises system calls here already, and the kernel has one place for that; --by=preload needs none"
    )]
    Supervised,
    /// The kernel refuses a step of the supervisor's.
    #[error("cannot {step}: {}; --by=preload does without", cause(.source))]
    Step {
        /// What was to be done.
        step: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The supervisor is not written for this machine.
    #[error("the supervisor is for x86_64 only; --by=preload does without")]
    #[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "this is that machine"))]
    Machine,
    /// The command cannot be started.
    #[error("cannot run '{}': {}", .command.to_string_lossy(), cause(.source))]
    Command {
        /// As typed.
        command: OsString,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {}", cause(.0))]
    Output(io::Error),
}

/// An option or a step of our own is wrong.
pub const OURS: i32 = 125;
/// The command cannot be started.
const REFUSED: i32 = 126;
/// There is no such command.
const MISSING: i32 = 127;

impl Failure {
    /// The exit status.
    pub fn status(&self) -> i32 {
        match self {
            Failure::Command { source, .. } if source.raw_os_error() == Some(libc::ENOENT) => MISSING,
            Failure::Command { .. } => REFUSED,
            _ => OURS,
        }
    }

    /// A step that failed, with the cause that the last call left.
    pub fn last(step: &'static str) -> Failure {
        Failure::Step { step, source: io::Error::last_os_error() }
    }
}

/// An error without the number that Rust shows.
fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn old_kernel(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => " (Linux 6.14 is needed, and they must not be locked otherwise)",
        _ => "",
    }
}
