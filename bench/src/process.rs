//! One run of one command: how long, how much memory, what it printed.
#![allow(unsafe_code, reason = "the standard library cannot tell a child's resource usage")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A command line.
#[derive(Debug, Clone)]
pub struct Line(Vec<OsString>);

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// From before the start until the end was seen.
    pub wall: Duration,
    /// The peak of resident memory in KiB.
    ///
    /// The kernel counts this process's own memory in, as it was when the child was started: a
    /// child smaller than the benchmark is reported too large, never too small.
    pub memory: i64,
}

impl Line {
    /// A command line of a program and its arguments.
    pub fn new<I, S>(words: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        Line(words.into_iter().map(|word| word.as_ref().to_owned()).collect())
    }

    /// As it would be typed, long lists of arguments cut short.
    pub fn typed(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|word| word.to_string_lossy()).collect();
        match words.as_slice() {
            [head @ .., last] if words.len() > 20 => format!("{} ... {last}", head[..3].join(" ")),
            all => all.join(" "),
        }
    }

    /// Runs it with its output thrown away.
    pub fn measure(&self) -> io::Result<Sample> {
        let mut command = self.command();
        command.stdout(Stdio::null());
        let start = Instant::now();
        let (status, memory) = reap(&command.spawn()?)?;
        let wall = start.elapsed();
        self.check(status, b"")?;
        Ok(Sample { wall, memory })
    }

    /// Runs it for what it prints.
    pub fn output(&self) -> io::Result<Vec<u8>> {
        let output = self.command().stderr(Stdio::piped()).output()?;
        self.check(output.status, &output.stderr)?;
        Ok(output.stdout)
    }

    fn command(&self) -> Command {
        let mut words = self.0.iter();
        let mut command = Command::new(words.next().map_or(OsStr::new(""), OsString::as_os_str));
        command.args(words).stdin(Stdio::null());
        command
    }

    fn check(&self, status: ExitStatus, stderr: &[u8]) -> io::Result<()> {
        if status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(stderr);
        let first = said.lines().next().unwrap_or_default();
        Err(io::Error::other(format!("`{}` ended with {status} {first}", self.typed())))
    }
}

/// Waits for the child and asks what it used.
fn reap(child: &Child) -> io::Result<(ExitStatus, i64)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for the call; the child is ours and not yet waited for.
    let waited = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, usage.as_mut_ptr()) };
    if waited < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroed is a valid rusage, and the kernel has filled it in.
    let usage = unsafe { usage.assume_init() };
    Ok((ExitStatus::from_raw(status), usage.ru_maxrss))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_a_program() {
        let sample = Line::new(["true"]).measure().unwrap();
        assert!(sample.memory > 0);
        assert!(!sample.wall.is_zero());
    }

    #[test]
    fn a_failing_program_is_an_error() {
        let error = Line::new(["sh", "-c", "echo why >&2; exit 3"]).output().unwrap_err();
        assert!(error.to_string().contains("exit status: 3 why"), "{error}");
        assert!(Line::new(["false"]).measure().is_err());
        assert!(Line::new(["/nonexistent"]).measure().is_err());
    }

    #[test]
    fn long_lines_are_cut_short() {
        let line = Line::new((0..1000).map(|n| n.to_string()));
        assert_eq!(line.typed(), "0 1 2 ... 999");
    }
}
