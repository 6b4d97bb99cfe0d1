//! Which system calls are asked about: those that start a program, and those that ask whether one may be started.
#![allow(unsafe_code, reason = "seccomp(2) has no safe form")]

use std::io;

use crate::failure::Failure;

/// A number that marks a call as one that the supervisor has written itself: it stands in the last argument, which
/// the calls do not use. Whoever finds it out loses the supervisor's help, no more.
#[derive(Debug, Clone, Copy)]
pub struct Cookie(pub u64);

/// `AUDIT_ARCH_X86_64` of linux/audit.h.
const MACHINE: u32 = 0xc000_003e;

/// Where `struct seccomp_data` holds what (linux/seccomp.h).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// From here on the calls of this process and of all that it starts are asked about; the answer is the listener's
/// descriptor.
///
/// # Errors
/// [`Failure::Supervised`], [`Failure::Step`].
pub fn install(cookie: Cookie) -> Result<i32, Failure> {
    let program = program(cookie);
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap_or(u16::MAX),
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: prctl passes no pointer; the program outlives the call that only reads it.
    let answer = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
            return Err(Failure::last("set no_new_privs"));
        }
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    i32::try_from(answer).ok().filter(|&listener| listener >= 0).ok_or_else(|| {
        let source = io::Error::last_os_error();
        match source.raw_os_error() {
            Some(libc::EBUSY) => Failure::Supervised,
            _ => Failure::Step { step: "have system calls asked about", source },
        }
    })
}

/// A comparison with the places to go to, counted from the next instruction.
fn jump(kind: u32, value: u32, yes: u8, no: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | kind | libc::BPF_K, value, yes, no)
}

fn load(offset: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn answer(action: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, action, 0, 0)
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    // The codes of classic BPF fit 16 bits.
    libc::sock_filter { code: code as u16, jt, jf, k }
}

/// The low half of an argument stands first on this machine.
fn program(cookie: Cookie) -> [libc::sock_filter; 21] {
    use libc::{BPF_JEQ as EQUALS, BPF_JSET as HAS};
    let number = |call: libc::c_long| call as u32;
    let (low, high) = (cookie.0 as u32, (cookie.0 >> 32) as u32);
    let check = libc::AT_EXECVE_CHECK as u32;
    let execute = libc::X_OK as u32;
    [
        load(ARCHITECTURE),
        jump(EQUALS, MACHINE, 0, 18), // another machine's calls: go on
        load(NUMBER),
        jump(EQUALS, number(libc::SYS_execve), 6, 0),
        jump(EQUALS, number(libc::SYS_execveat), 3, 0),
        jump(EQUALS, number(libc::SYS_access), 8, 0),
        jump(EQUALS, number(libc::SYS_faccessat), 9, 0),
        jump(EQUALS, number(libc::SYS_faccessat2), 8, 12),
        // execveat: a mere check is the kernel's alone
        load(argument(4)),
        jump(HAS, check, 10, 0),
        // execve: one that the supervisor has written goes on
        load(argument(5)),
        jump(EQUALS, low, 0, 7),
        load(argument(5) + 4),
        jump(EQUALS, high, 6, 5),
        // access: who does not ask for execution is answered by the kernel
        load(argument(1)),
        jump(HAS, execute, 3, 4),
        // faccessat
        load(argument(2)),
        jump(HAS, execute, 1, 2),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_USER_NOTIF),
        answer(libc::SECCOMP_RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program answers to a call.
    fn ask(number: u32, machine: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::from(number.to_ne_bytes());
        data.extend(machine.to_ne_bytes());
        data.extend([0; 8]);
        data.extend(arguments.iter().flat_map(|argument| argument.to_ne_bytes()));
        let word = |at: u32| {
            let at = at as usize;
            u32::from_ne_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
        };
        let program = program(Cookie(0x1234_5678_9abc_def0));
        let (mut at, mut value) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                code if code & 7 == libc::BPF_LD => value = word(step.k),
                code if code & 7 == libc::BPF_RET => return step.k,
                code => {
                    let holds = match code & 0xf0 {
                        libc::BPF_JEQ => value == step.k,
                        libc::BPF_JSET => value & step.k != 0,
                        other => panic!("{other}"),
                    };
                    at += usize::from(if holds { step.jt } else { step.jf });
                }
            }
        }
    }

    #[test]
    fn what_is_asked_about() {
        let (asked, goes_on) = (libc::SECCOMP_RET_USER_NOTIF, libc::SECCOMP_RET_ALLOW);
        let cookie = 0x1234_5678_9abc_def0;
        for (number, arguments, expected) in [
            (libc::SYS_execve, [1, 2, 3, 0, 0, 0], asked),
            (libc::SYS_execve, [1, 2, 3, 0, 0, cookie], goes_on),
            (libc::SYS_execve, [1, 2, 3, 0, 0, cookie & 0xffff_ffff], asked),
            (libc::SYS_execve, [1, 2, 3, 0, 0, cookie + (1 << 32)], asked),
            (libc::SYS_execveat, [1, 2, 3, 0, 0x1000, 0], asked),
            (libc::SYS_execveat, [1, 2, 3, 0, 0x1000, cookie], goes_on),
            (libc::SYS_execveat, [1, 2, 3, 0, 0x11000, 0], goes_on),
            (libc::SYS_access, [1, 1, 0, 0, 0, 0], asked),
            (libc::SYS_access, [1, 6, 0, 0, 0, 0], goes_on),
            (libc::SYS_faccessat, [3, 1, 5, 0, 0, 0], asked),
            (libc::SYS_faccessat, [3, 1, 4, 0, 0, 0], goes_on),
            (libc::SYS_faccessat2, [3, 1, 1, 0, 0, 0], asked),
            (libc::SYS_faccessat2, [1, 1, 0, 0, 0, 0], goes_on),
            (libc::SYS_openat, [1, 1, 1, 1, 1, 1], goes_on),
        ] {
            assert_eq!(ask(number as u32, MACHINE, arguments), expected, "{number} {arguments:x?}");
        }
        assert_eq!(ask(libc::SYS_execve as u32, MACHINE + 1, [0; 6]), goes_on);
        assert_eq!(ask(libc::SYS_execve as u32 | 0x4000_0000, MACHINE, [0; 6]), goes_on);
    }
}
