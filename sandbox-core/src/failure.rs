//! Why a run did not begin: every sentence that ends in status 125, or in the language's own status
//! for a missing script.

use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use crate::bounds::Bound;
use crate::denial;
use crate::exec_control::Refusal;
use crate::outcome;

/// An error in the system's own words, without Rust's addition of the number.
pub(crate) fn cause(error: &impl Display) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What a host says that cannot start its interpreter, between its own name and the interpreter's. It has no runtime then, and
/// no memory for a text.
pub const CANNOT_START: &str = ": cannot start ";
/// What follows.
pub const CANNOT_START_WHY: &str = ", which it was built for: that file, /proc or its C library is missing\n";

/// Why a run did not begin. The text is one line, lower case, the cause last.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// An option that nobody knows.
    #[error("unknown option '{name}'")]
    UnknownFlag {
        /// As typed.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// An option without its value.
    #[error("--{flag} needs a value: {expected}")]
    NoValue {
        /// Its name.
        flag: String,
        /// What it expects.
        expected: &'static str,
    },
    /// A value that cannot be read.
    #[error("--{flag}={}: {cause}", .value.to_string_lossy())]
    BadValue {
        /// Its name.
        flag: String,
        /// As typed.
        value: OsString,
        /// What is wrong with it.
        cause: String,
    },
    /// An option of the interpreter's that would open a door.
    #[error("{name} is refused: {why}")]
    Switch {
        /// Its name.
        name: &'static str,
        /// What it would do.
        why: &'static str,
    },
    /// A grant of the network to a host that has none.
    #[error("--allow-net: this host has no network to allow; the language has no sockets")]
    NoNetwork,
    /// A standard stream that the calls of a grant could point elsewhere.
    #[error("--{flag}: standard {stream} is a socket that the script could connect to other peers")]
    LooseSocket {
        /// The grant.
        flag: &'static str,
        /// `input`, `output` or `error`.
        stream: &'static str,
    },
    /// The policy file cannot be read.
    #[error("cannot read policy '{}': {}", .path.display(), cause(.source))]
    PolicyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The policy file says what cannot be understood.
    #[error("{}:{line}: {cause}", .path.display())]
    PolicyText {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        cause: String,
        /// The nearest key there is, where one is unknown.
        suggestion: Option<String>,
    },
    /// The script could change the policy.
    #[error("policy '{}' lies beneath --allow-write={}: the script could change it", .path.display(), .grant.display())]
    PolicyWritable {
        /// The file.
        path: PathBuf,
        /// The grant.
        grant: PathBuf,
    },
    /// The script cannot be opened or read.
    #[error("cannot open script '{}': {}", .path.display(), cause(.source))]
    Script {
        /// As typed.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The script execution control refuses code.
    #[error("{code} is refused: {cause}")]
    Refused {
        /// What.
        code: String,
        /// Why.
        cause: Refusal,
    },
    /// Only files that may be executed are to be run, and the host does not look at each.
    #[error(
        "only files that may be executed are to be run here, and this host cannot hold libraries to that yet"
    )]
    LibrariesNotHeld,
    /// A granted path cannot be opened.
    #[error("--{flag}={}: {}", .path.display(), cause(.source))]
    Grant {
        /// `allow-read` and the like.
        flag: &'static str,
        /// As given.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A limit with which the interpreter cannot even start.
    #[error("{limit} is too small: at least {least} is needed")]
    TooSmall {
        /// Its flag and value, or its name and whose it is.
        limit: String,
        /// What is needed.
        least: String,
    },
    /// The user is exempt from the limit on processes.
    #[error("--allow-run: the kernel exempts root from the limit on processes")]
    RootProcesses,
    /// The kernel lacks something.
    #[error("the kernel lacks {what}: {}", cause(.source))]
    Kernel {
        /// What, and what it is needed for.
        what: &'static str,
        /// The flag's value that would go without.
        without: Option<&'static str>,
        /// What it answered.
        source: io::Error,
    },
    /// Landlock refused a step.
    #[error("cannot confine files ({step}): {cause}")]
    Landlock {
        /// Which.
        step: &'static str,
        /// What it answered.
        cause: String,
    },
    /// Sixteen domains are around us already.
    #[error("cannot confine files: 16 Landlock domains are nested already, the kernel's limit")]
    Nesting,
    /// A limit could not be set.
    #[error("cannot set {resource}: {}", cause(.source))]
    Limit {
        /// Its name.
        resource: &'static str,
        /// What the kernel answered.
        source: io::Error,
    },
    /// A privilege could not be given up, or another step of the way in failed.
    #[error("cannot {step}: {cause}")]
    Step {
        /// What was tried.
        step: &'static str,
        /// Why it failed.
        cause: String,
    },
    /// The program has privileges that its caller lacks, and the caller decides what is granted.
    #[error(
        "this program has a set-id bit or file capabilities: its caller would be granted what is not his"
    )]
    Borrowed,
    /// Threads exist before the doors are closed.
    #[error("cannot confine: other threads are running, and there must be one")]
    Threads,
    /// The interpreter did not come up.
    #[error("cannot start the interpreter: {0}")]
    Boot(String),
}

/// Why a grant of the network cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPort {
    /// It is no number of a port.
    #[error("a TCP port from 1 to 65535 is expected, such as 8080, connect:443 or listen:8080")]
    Number,
    /// It names a host as well.
    #[error(
        "a port can be held, a host cannot: the kernel compares no addresses; {direction}:{port} would allow the port at every address"
    )]
    Host {
        /// `connect` or `listen`.
        direction: &'static str,
        /// The port.
        port: u16,
    },
}

impl Failure {
    /// The interpreter did not come up.
    #[must_use]
    pub fn boot(cause: impl Into<String>) -> Self {
        Failure::Boot(cause.into())
    }

    /// A step failed with the error that the last system call left.
    pub(crate) fn step(step: &'static str, source: &io::Error) -> Self {
        Failure::Step { step, cause: cause(source) }
    }

    /// A resource limit with which the interpreter cannot even start.
    pub(crate) fn too_small(bound: &Bound, least: u64) -> Self {
        Failure::TooSmall { limit: denial::limit_of(bound), least: least.to_string() }
    }

    /// One line of advice, if there is any.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Failure::UnknownFlag { suggestion: Some(name), .. } => Some(format!("--{name} exists")),
            Failure::PolicyText { suggestion: Some(name), .. } => Some(format!("'{name}' exists")),
            Failure::UnknownFlag { .. } => Some("--help lists the options".into()),
            Failure::Kernel { without: Some(name), .. } => {
                Some(format!("--without={name} runs without it, and is weaker for it"))
            }
            Failure::Refused { .. } | Failure::LibrariesNotHeld => Some(
                "securebits ask for that (SECBIT_EXEC_RESTRICT_FILE, SECBIT_EXEC_DENY_INTERACTIVE)".into(),
            ),
            Failure::RootProcesses => Some("run as an ordinary user, or give --limit-processes=none".into()),
            _ => None,
        }
    }

    /// The exit status.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Failure::Script { .. } => outcome::NO_SCRIPT,
            Failure::Refused { .. } => outcome::REFUSED,
            _ => outcome::SANDBOX,
        }
    }
}
