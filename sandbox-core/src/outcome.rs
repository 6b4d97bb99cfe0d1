//! How a run ends, and the exit statuses: no other module knows their numbers.

/// Our own option, policy file or grant is wrong, or the sandbox cannot be entered.
pub const SANDBOX: u8 = 125;
/// The wall-clock limit ended the run, as in `timeout(1)`.
pub const TIME: u8 = 124;
/// The script could not be opened; the interpreters that we replace answer 1.
pub const NO_SCRIPT: u8 = 1;
/// An error that the program did not catch ended it.
pub const UNCAUGHT: u8 = 1;
/// The interpreter does not know an option of its own: CPython's answer.
pub const WRONG_OPTION: u8 = 2;
/// The script may not be executed, where that is asked for: what a shell answers to `EACCES`.
pub const REFUSED: u8 = 126;
/// The CPU limit ended the run: what a shell shows for a death by `SIGXCPU`.
pub const CPU: u8 = 128 + 24;

/// A budget of the whole tree ended the run: what a shell shows for a death by `SIGKILL`.
pub const KILLED: u8 = 128 + 9;

/// How the user's program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With this status, exactly as the plain interpreter gives it.
    Exit(u8),
}

impl Outcome {
    /// The status to return from `main`.
    #[must_use]
    pub fn status(self) -> i32 {
        let Outcome::Exit(status) = self;
        i32::from(status)
    }
}
