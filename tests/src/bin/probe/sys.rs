//! The kernel, raw. Every `unsafe` of the probe is here.
#![expect(unsafe_code, reason = "raw system calls are what the probe is for")]

use crate::outcome::Outcome;
use crate::{actions, words};
use libc::c_long;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Any system call with any arguments: the result, or the errno.
pub fn raw(number: c_long, arguments: [u64; 6]) -> Result<u64, i32> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: none in general. The probe is a test instrument and does what it is told: a pointer among the arguments
    // leads to memory that is leaked for it, or is meant to be a bad one.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        return Err(errno());
    }
    Ok(result as u64)
}

fn errno() -> i32 {
    // SAFETY: the C library gives the address of this thread's errno.
    unsafe { *libc::__errno_location() }
}

/// Write to a descriptor, whatever comes of it.
pub fn write_all(descriptor: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the pointer and the length are those of a slice.
        let count = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(count) {
            Ok(count @ 1..) => bytes = &bytes[count..],
            _ => return,
        }
    }
}

/// Read standard input to its end.
pub fn read_to_end() {
    let mut room = [0u8; 256];
    // SAFETY: the pointer and the length are those of an array.
    while unsafe { libc::read(0, room.as_mut_ptr().cast(), room.len()) } > 0 {}
}

/// A pointer to a value that lives as long as the process.
pub fn pointer<T: 'static>(value: T) -> u64 {
    std::ptr::from_mut(Box::leak(Box::new(value))) as u64
}

/// A child that ends at once, by any of the calls that make one.
pub fn child(how: &str) -> Outcome {
    let result = match how {
        // SAFETY: the child calls _exit and nothing else.
        "fork" => unsafe { libc::fork() },
        // SAFETY: the raw call is fork without the C library's handlers.
        "raw-fork" => unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) as i32 },
        // SAFETY: as above, for the call with its arguments in memory.
        "clone3" => unsafe { libc::syscall(libc::SYS_clone3, &CLONE3, size_of_val(&CLONE3)) as i32 },
        // SAFETY: as above, in a new user namespace.
        _ => unsafe {
            let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
            libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) as i32
        },
    };
    match result {
        -1 => Outcome::Errno(errno()),
        // SAFETY: ends the child.
        0 => unsafe { libc::_exit(0) },
        pid => {
            // SAFETY: a null status is allowed.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            Outcome::Ok
        }
    }
}

/// `struct clone_args` with nothing but the signal at the end (the fifth field).
static CLONE3: [u64; 11] = [0, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0, 0, 0, 0];

/// vfork, whose child borrows our stack and so may only exit.
pub fn vfork() -> Outcome {
    #[cfg(target_arch = "x86_64")]
    {
        let result: i64;
        // SAFETY: the child shares our memory and runs first; it only makes the exit call, from registers, so that no
        // frame of ours changes. The return address is kept in no memory, as there is no call between.
        unsafe {
            std::arch::asm!(
                "syscall",
                "test rax, rax",
                "jnz 2f",
                "xor edi, edi",
                "mov eax, 60",
                "syscall",
                "2:",
                inlateout("rax") libc::SYS_vfork => result,
                out("rcx") _, out("r11") _, out("rdi") _,
            );
        }
        Outcome::of(i32::try_from(-result).ok().filter(|n| *n > 0))
    }
    #[cfg(not(target_arch = "x86_64"))]
    child("fork")
}

/// Children that wait, until there can be no more of them or `most` are there.
pub fn many_children(most: usize) -> Outcome {
    let mut children = Vec::new();
    let mut outcome = Outcome::Ok;
    while children.len() < most {
        // SAFETY: the child waits for a signal and nothing else.
        match unsafe { libc::fork() } {
            -1 => {
                outcome = Outcome::Errno(errno());
                break;
            }
            // SAFETY: ends by the signal below.
            0 => unsafe {
                libc::pause();
                libc::_exit(0)
            },
            pid => children.push(pid),
        }
    }
    for pid in children {
        // SAFETY: our own child, and a null status is allowed.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
    outcome
}

/// getpid through the 32-bit door of a 64-bit process.
pub fn int80() -> Outcome {
    #[cfg(target_arch = "x86_64")]
    {
        let result: i32;
        // SAFETY: number 20 takes no arguments; the gate may clobber r8 to r11.
        unsafe {
            std::arch::asm!(
                "int 0x80",
                inlateout("eax") 20 => result,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
        }
        Outcome::of((result < 0).then_some(-result))
    }
    #[cfg(not(target_arch = "x86_64"))]
    Outcome::Said("not on this architecture".to_owned())
}

/// The call at a fixed address that old programs make: the kernel emulates it.
pub fn vsyscall_getcpu() -> Outcome {
    #[cfg(target_arch = "x86_64")]
    {
        let mut cpu = 0u32;
        let result: i64;
        // SAFETY: the page has this function at this address on x86_64; if it is not mapped, the process dies, which is
        // an answer too.
        unsafe {
            std::arch::asm!(
                "call {page}",
                page = in(reg) 0xffff_ffff_ff60_0800_u64,
                inlateout("rax") 309_i64 => result,
                in("rdi") &mut cpu, in("rsi") 0, in("rdx") 0,
                out("rcx") _, out("r11") _,
                clobber_abi("C"),
            );
        }
        Outcome::of(i32::try_from(-result).ok().filter(|n| *n > 0))
    }
    #[cfg(not(target_arch = "x86_64"))]
    Outcome::Said("not on this architecture".to_owned())
}

/// Is there a byte string in our memory whose reverse this is? Looked for in `ranges`, which were mapped and readable.
pub fn holds(ranges: &[(usize, usize)], reversed: &[u8]) -> bool {
    let Some((last, _)) = reversed.split_last() else {
        return false;
    };
    ranges.iter().any(|(start, end)| {
        (*start..end.saturating_sub(reversed.len())).any(|address| {
            // SAFETY: the range was mapped readable when it was noted, and nothing has been unmapped since.
            let byte = |at: usize| unsafe { std::ptr::read_volatile((address + at) as *const u8) };
            byte(0) == *last && (1..reversed.len()).all(|i| byte(i) == reversed[reversed.len() - 1 - i])
        })
    })
}

/// Replace this program.
pub fn execute(number: c_long, descriptor: i32, path: &str, arguments: &[String], flags: i32) -> i32 {
    let path = words::argument(&format!("\"{path}\"")).unwrap_or(0);
    let list: Vec<u64> =
        (arguments.iter()).map(|a| words::argument(&format!("\"{a}\"")).unwrap_or(0)).chain([0]).collect();
    let list = list.leak().as_ptr() as u64;
    let environment = vec![0u64].leak().as_ptr() as u64;
    let result = if number == libc::SYS_execve {
        raw(number, [path, list, environment, 0, 0, 0])
    } else {
        raw(number, [descriptor as u64, path, list, environment, flags as u64, 0])
    };
    result.err().unwrap_or(0)
}

/// Enter a Landlock domain that handles one right and grants it nowhere.
pub fn nest() -> Result<(), i32> {
    // Making block devices: nothing misses it.
    const MAKE_BLOCK: u64 = 1 << 11;
    raw(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0])?;
    let attribute = pointer(MAKE_BLOCK);
    let domain = raw(libc::SYS_landlock_create_ruleset, [attribute, 8, 0, 0, 0, 0])?;
    raw(libc::SYS_landlock_restrict_self, [domain, 0, 0, 0, 0, 0])?;
    raw(libc::SYS_close, [domain, 0, 0, 0, 0, 0])?;
    Ok(())
}

/// From now on these calls answer with the errno, as if the kernel did not have them.
pub fn refuse(numbers: &[c_long], errno: i32) -> Result<(), i32> {
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let line = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut program = vec![line(LOAD, 0, 0, 0)];
    for number in numbers {
        program.push(line(EQUAL, *number as u32, 0, 1));
        program.push(line(RETURN, libc::SECCOMP_RET_ERRNO | errno as u32, 0, 0));
    }
    program.push(line(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    install(program, 0).map(|_| ())
}

/// Install a filter by seccomp(2).
pub fn install(program: Vec<libc::sock_filter>, flags: u64) -> Result<u64, i32> {
    let length = program.len() as u16;
    let filter = program.leak().as_mut_ptr();
    let argument = pointer(libc::sock_fprog { len: length, filter });
    raw(libc::SYS_prctl, [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0])?;
    let mode = u64::from(libc::SECCOMP_SET_MODE_FILTER);
    raw(libc::SYS_seccomp, [mode, flags, argument, 0, 0, 0])
}

/// A filter that allows everything.
pub fn permissive() -> Vec<libc::sock_filter> {
    vec![libc::sock_filter {
        code: (libc::BPF_RET | libc::BPF_K) as u16,
        jt: 0,
        jf: 0,
        k: libc::SECCOMP_RET_ALLOW,
    }]
}

/// A thread that only exists.
pub fn idle_thread() {
    let started = thread::Builder::new().spawn(|| {
        loop {
            thread::park();
        }
    });
    if started.is_err() {
        write_all(2, b"probe: cannot start a thread\n");
    }
}

static UP: AtomicBool = AtomicBool::new(false);
static ACT: AtomicBool = AtomicBool::new(false);

/// A thread that is started before the seal and acts after it; or why there is none.
pub struct Helper(Result<(), i32>);

impl Helper {
    /// Start it, and wait until it is up.
    pub fn start(action: &str) -> Helper {
        let action = action.to_owned();
        let started = thread::Builder::new().spawn(move || {
            UP.store(true, Ordering::SeqCst);
            // Spinning makes no system call that a filter could refuse.
            while !ACT.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
            let outcome = actions::perform(&words::split(&action));
            write_all(1, format!("{outcome}\n").as_bytes());
            // SAFETY: ends the whole process.
            unsafe { libc::_exit(0) }
        });
        let started = started.map(|_| ()).map_err(|e| e.raw_os_error().unwrap_or(0));
        while started.is_ok() && !UP.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        Helper(started)
    }

    /// Let it act; it ends the process. Without it, the reason is what this gives.
    pub fn act(&self) -> Outcome {
        if let Err(errno) = self.0 {
            return Outcome::Errno(errno);
        }
        ACT.store(true, Ordering::SeqCst);
        loop {
            std::hint::spin_loop();
        }
    }
}
