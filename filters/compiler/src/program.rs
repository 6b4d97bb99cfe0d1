//! The rules as classic BPF, and the machine that runs it.
//!
//! `tree` writes the instructions; here are what they are made of, and the simulator. They are not libseccomp's,
//! because libseccomp drops the conditional rules of a call that also has an unconditional one ("these four ways of
//! opening a file, and EACCES for all others").

use crate::tree::tree;
use crate::{Action, Arch};

/// An instruction of classic BPF: the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// How many instructions to skip if a comparison holds.
    pub jt: u8,
    /// How many instructions to skip if it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// What is decided about a call number: the first case that holds, else the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) cases: Vec<Case>,
    pub(crate) otherwise: Action,
}

impl Decision {
    pub(crate) fn always(otherwise: Action) -> Decision {
        Decision { cases: Vec::new(), otherwise }
    }
}

/// An answer that holds when all tests do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) tests: Vec<Test>,
    pub(crate) action: Action,
}

/// A test of one half of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) argument: usize,
    pub(crate) high: bool,
    pub(crate) mask: u32,
    pub(crate) value: u32,
}

/// A seccomp program for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
}

// Operations, as in linux/bpf_common.h.
pub(crate) const LOAD: u16 = 0x20;
pub(crate) const AND: u16 = 0x54;
pub(crate) const JUMP: u16 = 0x05;
pub(crate) const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_GREATER: u16 = 0x25;
pub(crate) const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

// Offsets in the kernel's `struct seccomp_data`.
const NUMBER: u32 = 0;
const TOKEN: u32 = 4;
pub(crate) const ARGUMENTS: u32 = 16;

// Answers, as in linux/seccomp.h.
const RETURN_KILL_PROCESS: u32 = 0x8000_0000;
const RETURN_ERRNO: u32 = 0x0005_0000;
const RETURN_ALLOW: u32 = 0x7fff_0000;

/// The kernel's limit on one program.
const MOST_INSTRUCTIONS: usize = 4096;

impl Program {
    /// Compiles decisions; each holds from its number up to the next one's, the last up to the end.
    pub(crate) fn new(arch: Arch, decisions: &[(u32, Decision)]) -> Program {
        let mut runs = decisions.to_vec();
        runs.dedup_by(|later, earlier| later.1 == earlier.1);
        let mut instructions =
            vec![load(TOKEN), jump_if(JUMP_IF_EQUAL, arch.token(), 1, 0), answer(Action::Kill), load(NUMBER)];
        instructions.extend(tree(&runs));
        assert!(instructions.len() <= MOST_INSTRUCTIONS, "the kernel refuses programs of this length");
        Program { instructions }
    }

    /// Reads a program as a host embeds it.
    pub fn from_bytes(bytes: &[u8]) -> Program {
        let instructions = bytes.chunks_exact(8).map(|b| Instruction {
            code: u16::from_le_bytes([b[0], b[1]]),
            jt: b[2],
            jf: b[3],
            k: u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
        });
        Program { instructions: instructions.collect() }
    }

    /// The program as an array of `struct sock_filter`. Both architectures are little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.instructions.len() * 8);
        for instruction in &self.instructions {
            bytes.extend(instruction.code.to_le_bytes());
            bytes.extend([instruction.jt, instruction.jf]);
            bytes.extend(instruction.k.to_le_bytes());
        }
        bytes
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Runs the program as the kernel does on a call.
    ///
    /// # Panics
    ///
    /// On a program that the kernel would not load.
    pub fn run(&self, token: u32, nr: u32, args: &[u64; 6]) -> Action {
        let mut accumulator = 0;
        let mut at = 0;
        loop {
            let Instruction { code, jt, jf, k } = self.instructions[at];
            at += 1;
            let branch = |holds| usize::from(if holds { jt } else { jf });
            match code {
                LOAD => accumulator = word(token, nr, args, k),
                AND => accumulator &= k,
                JUMP => at += k as usize,
                JUMP_IF_EQUAL => at += branch(accumulator == k),
                JUMP_IF_GREATER => at += branch(accumulator > k),
                JUMP_IF_GREATER_OR_EQUAL => at += branch(accumulator >= k),
                JUMP_IF_ANY_BIT => at += branch(accumulator & k != 0),
                RETURN => return meaning(k),
                _ => panic!("seccomp has no instruction {code:#x}"),
            }
        }
    }
}

/// The word of `struct seccomp_data` at an offset. No program reads the instruction pointer.
fn word(token: u32, nr: u32, args: &[u64; 6], offset: u32) -> u32 {
    match offset {
        NUMBER => nr,
        TOKEN => token,
        _ => {
            assert!(offset >= ARGUMENTS && offset % 4 == 0, "no word at {offset}");
            let half = (offset - ARGUMENTS) / 4;
            (args[half as usize / 2] >> (half % 2 * 32)) as u32
        }
    }
}

fn meaning(answer: u32) -> Action {
    match (answer & 0xffff_0000, answer as u16) {
        (RETURN_KILL_PROCESS, _) => Action::Kill,
        (RETURN_ALLOW, _) => Action::Allow,
        (RETURN_ERRNO, errno) => Action::Errno(errno),
        _ => panic!("no rule answers {answer:#x}"),
    }
}

pub(crate) fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, jt: 0, jf: 0, k: offset }
}

pub(crate) fn jump_if(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

pub(crate) fn answer(action: Action) -> Instruction {
    let k = match action {
        Action::Kill => RETURN_KILL_PROCESS,
        Action::Errno(errno) => RETURN_ERRNO | u32::from(errno),
        Action::Allow => RETURN_ALLOW,
    };
    Instruction { code: RETURN, jt: 0, jf: 0, k }
}
