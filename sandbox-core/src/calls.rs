//! System calls: the seccomp filter, compiled when the host was built (seccomp(2)).
#![allow(unsafe_code, reason = "seccomp(2) has no safe form for a program that is compiled already")]

use std::io;
use std::mem::offset_of;

use crate::descriptors;
use crate::failure::Failure;
use crate::policy::Policy;

/// What the filter is opened for beyond the host's own list: an index into
/// [`crate::Profile::filters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// Write, create and remove files: `write.filter`.
    pub write: bool,
    /// Start programs: `run.filter`.
    pub run: bool,
    /// Signals, which the kernel keeps within the domain: `signal.filter`.
    pub signal: bool,
    /// A dialogue on a terminal: `terminal.filter`.
    pub terminal: bool,
    /// Connecting to TCP ports: `connect.filter` and `net.filter`.
    pub connect: bool,
    /// Listening on TCP ports: `listen.filter` and `net.filter`.
    pub listen: bool,
    /// Compiling while the script runs: `jit.filter`.
    pub jit: bool,
}

impl Grants {
    /// What a policy opens. Signals are opened for programs only, and only where the kernel scopes
    /// them (`scoped`: Landlock ABI 6); elsewhere they stay closed.
    #[must_use]
    pub fn of(policy: &Policy, scoped: bool) -> Self {
        Grants {
            write: policy.writes(),
            run: policy.runs_programs(),
            signal: policy.runs_programs() && scoped,
            terminal: policy.interactive,
            connect: !policy.net.connect.is_empty(),
            listen: !policy.net.listen.is_empty(),
            jit: policy.jit,
        }
    }

    /// The index: bit 0 to 6 in the order of the fields. Hosts without sockets or a compiler have no filter for
    /// the last three.
    #[must_use]
    pub fn bits(self) -> usize {
        [self.write, self.run, self.signal, self.terminal, self.connect, self.listen, self.jit]
            .into_iter()
            .enumerate()
            .map(|(bit, granted)| usize::from(granted) << bit)
            .sum()
    }
}

/// A filter, not yet in force.
#[derive(Debug)]
pub(crate) struct Filter {
    instructions: Vec<libc::sock_filter>,
    /// Whether programs that are started inherit it.
    inherited: bool,
}

impl Filter {
    /// Takes one of a host's compiled filters.
    ///
    /// # Errors
    /// [`Failure::Step`] when the host has none for these grants.
    pub(crate) fn choose(filters: &[&[u8]], grants: Grants) -> Result<Self, Failure> {
        let blob = filters.get(grants.bits()).copied().unwrap_or_default();
        let instructions: Vec<_> = blob.chunks_exact(8).map(instruction).collect();
        if instructions.is_empty() || blob.len() % 8 != 0 {
            return Err(Failure::Step {
                step: "choose the filter of system calls",
                cause: "the host was built without it".into(),
            });
        }
        Ok(Filter { instructions, inherited: grants.run })
    }

    /// Puts the filter in force on every thread.
    ///
    /// # Errors
    /// [`Failure::Step`]; a thread that cannot take the filter is an error too.
    pub(crate) fn load(mut self) -> Result<(), Failure> {
        // Programs may outlive this process and meet another one under its number: then the number stays nobody's.
        if !self.inherited {
            name_self(&mut self.instructions, std::process::id());
        }
        if self.inherited && descriptors::have_terminal() {
            enforce(&no_sessions())?;
        }
        enforce(&self.instructions)
    }
}

/// Puts a program in force on every thread, beside those that are: the strictest answer counts.
fn enforce(instructions: &[libc::sock_filter]) -> Result<(), Failure> {
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len()).unwrap_or(u16::MAX),
        filter: instructions.as_ptr().cast_mut(),
    };
    // SAFETY: `program` and the instructions that it points to outlive the call, which only
    // reads them; the kernel checks the program.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const program,
        )
    };
    match answer {
        0 => Ok(()),
        -1 => Err(Failure::step("filter system calls", &io::Error::last_os_error())),
        thread => Err(Failure::Step {
            step: "filter system calls",
            cause: format!("thread {thread} could not be included"),
        }),
    }
}

/// Refuses sessions, for runs that have a terminal. In a session of its own a program has no controlling terminal, so job
/// control does not keep it from reading, in the background, what is typed to others. The lists cannot say this: they know
/// calls, not streams.
fn no_sessions() -> [libc::sock_filter; 4] {
    const REFUSED: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let step = |code: u32, jf, k| libc::sock_filter { code: code as u16, jt: 0, jf, k };
    [
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, offset_of!(libc::seccomp_data, nr) as u32),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, libc::SYS_setsid as u32),
        step(libc::BPF_RET | libc::BPF_K, 0, REFUSED),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// The number that stands for the process itself in a compiled filter: `SELF` of its words.
const SELF: u32 = 0x7fff_5e1f;

/// Puts the process's number where the filter compares with [`SELF`].
fn name_self(instructions: &mut [libc::sock_filter], process: u32) {
    const COMPARES: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    for instruction in instructions {
        if u32::from(instruction.code) == COMPARES && instruction.k == SELF {
            instruction.k = process;
        }
    }
}

/// One `struct sock_filter` in native byte order (linux/filter.h).
fn instruction(bytes: &[u8]) -> libc::sock_filter {
    libc::sock_filter {
        code: u16::from_ne_bytes([bytes[0], bytes[1]]),
        jt: bytes[2],
        jf: bytes[3],
        k: u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_have_the_order_of_the_files() {
        let write = Grants { write: true, ..Grants::default() };
        let terminal = Grants { terminal: true, ..Grants::default() };
        let listen = Grants { listen: true, ..Grants::default() };
        let bits = [Grants::default(), write, terminal, listen].map(Grants::bits);
        assert_eq!(bits, [0, 1, 8, 32]);
    }

    #[test]
    fn the_process_takes_its_place_in_comparisons_only() {
        assert_eq!(SELF, filter_compiler::SELF);
        let compares = libc::sock_filter { code: 0x15, jt: 0, jf: 0, k: SELF };
        let loads = libc::sock_filter { code: 0x20, ..compares };
        let other = libc::sock_filter { k: 3, ..compares };
        let mut instructions = [compares, loads, other];
        name_self(&mut instructions, 7);
        assert_eq!(instructions.map(|instruction| instruction.k), [7, SELF, 3]);
    }

    #[test]
    fn a_missing_filter_is_an_error() {
        assert!(Filter::choose(&[&[]], Grants::default()).is_err());
        assert!(Filter::choose(&[&[0; 9]], Grants::default()).is_err());
        assert!(Filter::choose(&[], Grants::default()).is_err());
    }
}
