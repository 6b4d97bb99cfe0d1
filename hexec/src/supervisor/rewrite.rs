//! Another call in the place of the one that a thread waits in, made by the thread itself: ptrace(2), from the stop to the
//! new program.
//!
//! The strings of the new call need a place in the thread's memory. What lies below its stack may be in use, and between
//! `vfork` and `exec` the memory is the parent's, which goes on using it: so the thread is made to map a few pages, and
//! these are used again for the next call of the same parent's children. A mark at their beginning tells whether
//! they are (still) there.
#![allow(unsafe_code, reason = "ptrace(2) and waitpid(2) have no safe form")]

use std::collections::HashMap;
use std::ffi::CStr;
use std::ptr;

use shebang::Chain;

use super::caller::Caller;
use super::filter::Cookie;
use super::listener::Call;

/// What a rewritten call is to be.
pub struct Exec<'a> {
    /// The interpreters.
    pub chain: &'a Chain,
    /// The script's name for them.
    pub name: &'a CStr,
    /// Where the caller's arguments stand; the first is left out.
    pub argv: u64,
    /// Where its environment stands.
    pub envp: u64,
}

/// Rewrites calls, one at a time.
pub struct Rewriter {
    cookie: Cookie,
    mark: [u8; 16],
    /// Pages that a process has for us, by the number of the parent of those who use them.
    places: HashMap<i32, Place>,
    /// Children of ours that ended while we waited for something else.
    ended: Vec<(i32, i32)>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    size: u64,
}

/// How many parents are remembered; then all are forgotten, which costs each a few pages more.
const MOST_PLACES: usize = 4096;
/// Bytes.
const LEAST_PLACE: u64 = 16 << 10;

/// `ERESTARTSYS`: what an interrupted call leaves until it is made again (linux/errno.h).
const RESTART: i64 = -512;
/// The length of the instruction `syscall`.
const INSTRUCTION: u64 = 2;

impl Rewriter {
    /// A new one; `mark` is a secret.
    pub fn new(cookie: Cookie, mark: [u8; 16]) -> Rewriter {
        Rewriter { cookie, mark, places: HashMap::new(), ended: Vec::new() }
    }

    /// Takes note of a child that ended.
    pub fn note(&mut self, who: i32, status: i32) {
        self.ended.push((who, status));
    }

    /// Children of ours that ended meanwhile, with their status.
    pub fn ended(&mut self) -> Vec<(i32, i32)> {
        std::mem::take(&mut self.ended)
    }

    /// Replaces a call. False means that the caller was not touched: somebody else traces it, or it is gone.
    pub fn replace(&mut self, call: &Call, exec: &Exec<'_>) -> bool {
        let caller = Caller(call.thread);
        let (Some((leader, parent)), Some(argv)) = (caller.family(), caller.pointers(exec.argv)) else {
            return false;
        };
        let Some(mut tracee) = Tracee::seize(call.thread, leader) else { return false };
        match tracee.wait(&mut self.ended) {
            Stop::Interrupted => {}
            // A signal came first: the call is made again when it is handled, and we are asked again.
            Stop::Signal(signal) => {
                tracee.release(signal);
                return true;
            }
            _ => {
                tracee.release(0);
                return true;
            }
        }
        let before = tracee.registers();
        if !waits_in(&before, call) {
            tracee.release(0);
            return true;
        }
        let signals = tracee.block_signals();
        let status = self.exec(&mut tracee, &before, parent, exec, &argv);
        if let Some(errno) = status {
            // The thread goes on with its own registers, as if its own call had failed.
            tracee.set_registers(&libc::user_regs_struct { rax: (-i64::from(errno)) as u64, ..before });
        }
        tracee.set_signals(signals);
        tracee.release(0);
        true
    }

    /// The new call; the errno, if it fails.
    fn exec(
        &mut self,
        tracee: &mut Tracee,
        before: &libc::user_regs_struct,
        parent: i32,
        exec: &Exec<'_>,
        argv: &[u64],
    ) -> Option<i32> {
        let caller = Caller(tracee.thread);
        let size = layout(0, &self.mark, exec, argv).bytes.len() as u64;
        let Some(place) = self.place(tracee, before, parent, size) else { return Some(libc::ENOMEM) };
        let layout = layout(place.address, &self.mark, exec, argv);
        if !caller.write(place.address, &layout.bytes) {
            return Some(libc::EFAULT);
        }
        let arguments = [layout.program, layout.argv, exec.envp, 0, 0, self.cookie.0];
        match tracee.call(before, libc::SYS_execve, arguments, &mut self.ended) {
            Called::Program => None,
            Called::Answer(answer) => Some(i32::try_from(-answer).unwrap_or(libc::EACCES)),
            Called::Not => Some(libc::EACCES),
        }
    }

    /// Pages for the strings, of a call before or new ones.
    fn place(
        &mut self,
        tracee: &mut Tracee,
        before: &libc::user_regs_struct,
        parent: i32,
        size: u64,
    ) -> Option<Place> {
        let caller = Caller(tracee.thread);
        let known = self.places.get(&parent).copied();
        if let Some(place) =
            known.filter(|place| place.size >= size && caller.holds(place.address, &self.mark))
        {
            return Some(place);
        }
        let size = size.max(LEAST_PLACE).next_power_of_two();
        let protection = (libc::PROT_READ | libc::PROT_WRITE) as u64;
        let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
        let arguments = [0, size, protection, flags, u64::MAX, 0];
        let Called::Answer(answer) = tracee.call(before, libc::SYS_mmap, arguments, &mut self.ended) else {
            return None;
        };
        // Errors are small negative numbers.
        let place = Place { address: u64::try_from(answer).ok()?, size };
        if self.places.len() >= MOST_PLACES {
            self.places.clear();
        }
        self.places.insert(parent, place);
        Some(place)
    }
}

/// Whether a stopped thread was interrupted in the call that we were asked about.
fn waits_in(registers: &libc::user_regs_struct, call: &Call) -> bool {
    let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9];
    registers.orig_rax as i64 == call.number && registers.rax as i64 == RESTART && arguments == call.arguments
}

/// What is written into the thread's memory, and where in it what stands.
struct Layout {
    bytes: Vec<u8>,
    program: u64,
    argv: u64,
}

/// The mark, the array of arguments, and our strings; those of the caller stay where they are.
fn layout(address: u64, mark: &[u8; 16], exec: &Exec<'_>, argv: &[u64]) -> Layout {
    let ours: Vec<_> = exec.chain.arguments(exec.name).collect();
    let rest = argv.get(1..).unwrap_or_default();
    let words = ours.len() + rest.len() + 1;
    let argv = address + mark.len() as u64;
    let program = argv + 8 * words as u64;
    let mut bytes = Vec::from(mark);
    let mut next = program;
    for string in &ours {
        bytes.extend(next.to_ne_bytes());
        next += string.to_bytes_with_nul().len() as u64;
    }
    bytes.extend(rest.iter().chain([&0]).flat_map(|pointer| pointer.to_ne_bytes()));
    bytes.extend(ours.iter().flat_map(|string| string.to_bytes_with_nul()));
    // The first of our arguments is the program.
    Layout { bytes, program, argv }
}

/// A thread that we trace, as briefly as can be.
struct Tracee {
    /// Its number; it takes the leader's when it starts a program.
    thread: i32,
    leader: i32,
}

/// Why a thread has stopped.
enum Stop {
    /// We have interrupted it.
    Interrupted,
    /// Before or after a system call.
    Call,
    /// It runs a new program.
    Program,
    /// A signal is to be delivered.
    Signal(i32),
    /// It is gone.
    Gone,
}

/// How a call has ended.
enum Called {
    /// With this answer.
    Answer(i64),
    /// It has started a program.
    Program,
    /// It was not made.
    Not,
}

impl Tracee {
    /// Begins to trace and interrupts.
    fn seize(thread: i32, leader: i32) -> Option<Tracee> {
        let tracee = Tracee { thread, leader };
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACEEXEC;
        if !tracee.ask(libc::PTRACE_SEIZE, 0, options as usize) {
            return None;
        }
        tracee.ask(libc::PTRACE_INTERRUPT, 0, 0);
        Some(tracee)
    }

    /// A request without memory of ours.
    fn ask(&self, request: libc::c_uint, address: usize, data: usize) -> bool {
        // SAFETY: the kernel takes both for numbers in the requests that come here.
        unsafe { libc::ptrace(request, self.thread, address, data) == 0 }
    }

    /// Lets go; the signal, if it is one, is delivered.
    fn release(self, signal: i32) {
        self.ask(libc::PTRACE_DETACH, 0, signal.unsigned_abs() as usize);
    }

    fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: all zero is valid, and the kernel fills the structure, unless the thread is gone.
        unsafe {
            let mut registers: libc::user_regs_struct = std::mem::zeroed();
            libc::ptrace(libc::PTRACE_GETREGS, self.thread, ptr::null_mut::<u8>(), &raw mut registers);
            registers
        }
    }

    fn set_registers(&self, registers: &libc::user_regs_struct) {
        // SAFETY: the kernel reads the structure.
        unsafe {
            libc::ptrace(libc::PTRACE_SETREGS, self.thread, ptr::null_mut::<u8>(), ptr::from_ref(registers))
        };
    }

    /// Blocks every signal; the answer is the mask before.
    fn block_signals(&self) -> u64 {
        let mut before = 0_u64;
        // SAFETY: the kernel writes a mask of eight bytes.
        unsafe { libc::ptrace(libc::PTRACE_GETSIGMASK, self.thread, 8_usize, &raw mut before) };
        self.set_signals(u64::MAX);
        before
    }

    fn set_signals(&self, mask: u64) {
        // SAFETY: the kernel reads a mask of eight bytes.
        unsafe { libc::ptrace(libc::PTRACE_SETSIGMASK, self.thread, 8_usize, &raw const mask) };
    }

    /// Has the stopped thread make a call.
    fn call(
        &mut self,
        before: &libc::user_regs_struct,
        number: libc::c_long,
        arguments: [u64; 6],
        ended: &mut Vec<(i32, i32)>,
    ) -> Called {
        let [rdi, rsi, rdx, r10, r8, r9] = arguments;
        let rip = before.rip - INSTRUCTION;
        // No call is to be made again on the way out.
        let (rax, orig_rax) = (number as u64, u64::MAX);
        self.set_registers(&libc::user_regs_struct {
            rax,
            orig_rax,
            rip,
            rdi,
            rsi,
            rdx,
            r10,
            r8,
            r9,
            ..*before
        });
        let mut entered = false;
        loop {
            if !self.ask(libc::PTRACE_SYSCALL, 0, 0) {
                return Called::Not;
            }
            match self.wait(ended) {
                Stop::Call if entered => return Called::Answer(self.registers().rax as i64),
                Stop::Call => entered = true,
                Stop::Program => return Called::Program,
                // The job was stopped: it is again when we let go.
                Stop::Interrupted => {}
                Stop::Signal(_) | Stop::Gone => return Called::Not,
            }
        }
    }

    /// Waits for the thread, and takes note of children that end meanwhile.
    fn wait(&mut self, ended: &mut Vec<(i32, i32)>) -> Stop {
        loop {
            let mut status = 0;
            // SAFETY: the kernel writes the status.
            let who = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
            if who < 0 {
                return Stop::Gone;
            }
            if !libc::WIFSTOPPED(status) {
                ended.push((who, status));
                if who == self.thread || who == self.leader {
                    return Stop::Gone;
                }
                continue;
            }
            return match (libc::WSTOPSIG(status), status >> 16) {
                (_, libc::PTRACE_EVENT_EXEC) => {
                    self.thread = who;
                    Stop::Program
                }
                (_, libc::PTRACE_EVENT_STOP) => Stop::Interrupted,
                (signal, _) if signal == libc::SIGTRAP | 0x80 => Stop::Call,
                (signal, _) => Stop::Signal(signal),
            };
        }
    }
}
