//! hpython is a shared library that can be run. Run, it starts the distribution's python3 with itself loaded first; loaded,
//! it closes the doors around it.
//!
//! So the interpreter's code is python3's own, with its speed, its memory shared with every other python3 and its updates.
//! The library for embedding that distributions ship beside it is slower: it is not optimised as a whole.
//!
//! What runs here runs without a C library and before the loader has adjusted any address: only system calls, numbers, and
//! memory that is reached from the code itself.
#![allow(unsafe_code, reason = "there is no runtime yet")]

use std::arch;
use std::ffi::{CStr, c_char, c_int, c_void};

use hpython_profile::NAME;
use sandbox_core::{CANNOT_START, CANNOT_START_WHY, outcome};

/// The file behind `/usr/bin/python3`, of the release that this program was built for.
const PROGRAM: &str = hpython_profile::PROGRAM;
/// The first argument. Were this library not loaded, for whatever reason of the loader's, python3 would refuse it as an option
/// that it does not know; our `main` takes it away.
const GUARD: &CStr = c"--hpython-was-not-loaded-and-nothing-was-run";
const ITSELF: &str = "/proc/self/exe\0";
const PRELOAD: &[u8] = b"LD_PRELOAD=";
const DESCRIPTOR: &[u8] = b"/proc/self/fd/";
const LOADER: &[u8] = b"LD_";
const TUNABLES: &[u8] = b"GLIBC_TUNABLES=";

#[cfg(target_arch = "x86_64")]
arch::global_asm!(
    ".globl hpython_start",
    "hpython_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {launch}",
    "ud2",
    launch = sym launch,
);

#[cfg(target_arch = "aarch64")]
arch::global_asm!(
    ".globl hpython_start",
    "hpython_start:",
    "mov x29, #0",
    "mov x0, sp",
    "bl {launch}",
    "brk #1",
    launch = sym launch,
);

/// Starts the interpreter. `stack` is where the kernel has put the arguments: their number, they, a null pointer, the
/// environment, a null pointer.
unsafe extern "C" fn launch(stack: *const usize) -> ! {
    // SAFETY: the kernel's layout.
    unsafe {
        let arguments = stack.add(1).cast::<*const u8>();
        let environment = arguments.add(*stack + 1);
        if let Some(descriptor) = open_itself() {
            let arguments = with_guard(arguments, *stack);
            let environment = with_preload(environment, descriptor);
            system(libc::SYS_execve, PROGRAM.as_ptr() as usize, arguments as usize, environment as usize);
        }
        complain();
        loop {
            system(libc::SYS_exit_group, outcome::SANDBOX.into(), 0, 0);
        }
    }
}

/// This file, on a descriptor that the loader will find and that is closed with all that was inherited; none of the
/// standard streams, which may be closed.
#[inline(always)]
unsafe fn open_itself() -> Option<usize> {
    // SAFETY: the path is a constant that ends in NUL.
    unsafe {
        let here = libc::AT_FDCWD as usize;
        let opened = system(libc::SYS_openat, here, ITSELF.as_ptr() as usize, libc::O_RDONLY as usize);
        let moved = system(libc::SYS_fcntl, opened, libc::F_DUPFD as usize, 3);
        if (moved as isize) < 0 {
            return None;
        }
        system(libc::SYS_close, opened, 0, 0);
        Some(moved)
    }
}

/// Says on standard error what is missing.
#[inline(always)]
unsafe fn complain() {
    // SAFETY: constants, the program's without the zero byte at its end.
    unsafe {
        say(NAME.as_ptr(), NAME.len());
        say(CANNOT_START.as_ptr(), CANNOT_START.len());
        say(PROGRAM.as_ptr(), PROGRAM.len() - 1);
        say(CANNOT_START_WHY.as_ptr(), CANNOT_START_WHY.len());
    }
}

#[inline(always)]
unsafe fn say(text: *const u8, length: usize) {
    // SAFETY: the caller's text.
    unsafe { system(libc::SYS_write, 2, text as usize, length) };
}

/// The arguments with the guard behind the program's name.
#[inline(always)]
unsafe fn with_guard(arguments: *const *const u8, count: usize) -> *const *const u8 {
    // SAFETY: an array of so many strings that ends in null; the new memory is as large as what is put there, and zero.
    unsafe {
        let guarded = memory((count + 3) * size_of::<usize>()).cast::<*const u8>();
        guarded.write_volatile(if count == 0 { GUARD.as_ptr().cast() } else { *arguments });
        guarded.add(1).write_volatile(GUARD.as_ptr().cast());
        for place in 1..count {
            guarded.add(place + 1).write_volatile(*arguments.add(place));
        }
        guarded
    }
}

/// The environment with this library to be loaded first. What else would tell the loader what to load, or how, is left out:
/// it would act before the doors are closed.
#[inline(always)]
unsafe fn with_preload(environment: *const *const u8, descriptor: usize) -> *const *const u8 {
    // SAFETY: strings that end in NUL, in an array that ends in null; the new memory is as large as what is put there.
    unsafe {
        let mut count = 0;
        while !(*environment.add(count)).is_null() {
            count += 1;
        }
        let pointers = memory((count + 2) * size_of::<usize>()).cast::<*const u8>();
        let text = memory(64);
        let mut to = Writer(text);
        to.write(PRELOAD.as_ptr(), PRELOAD.len());
        to.write(DESCRIPTOR.as_ptr(), DESCRIPTOR.len());
        to.number(descriptor);
        let mut at = pointers;
        at.write_volatile(text);
        for place in 0..count {
            let entry = *environment.add(place);
            if !begins(entry, LOADER) && !begins(entry, TUNABLES) {
                at = at.add(1);
                at.write_volatile(entry);
            }
        }
        pointers
    }
}

#[inline(always)]
unsafe fn begins(entry: *const u8, with: &[u8]) -> bool {
    for place in 0..with.len() {
        // SAFETY: the string ends in NUL, which is no byte of the name. Volatile, or the compiler would call a function for it.
        if unsafe { entry.add(place).read_volatile() != with.as_ptr().add(place).read_volatile() } {
            return false;
        }
    }
    true
}

/// New memory, all zero.
#[inline(always)]
unsafe fn memory(size: usize) -> *mut u8 {
    let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
    let kind = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize;
    // SAFETY: the kernel chooses the place. An error becomes a pointer at which the next write ends the process.
    unsafe { system_long(libc::SYS_mmap, 0, size, protection, kind, usize::MAX, 0) as *mut u8 }
}

struct Writer(*mut u8);

impl Writer {
    #[inline(always)]
    unsafe fn write(&mut self, bytes: *const u8, count: usize) {
        // SAFETY: the caller's promise that there is room. Volatile, as above.
        unsafe {
            for place in 0..count {
                self.0.write_volatile(bytes.add(place).read_volatile());
                self.0 = self.0.add(1);
            }
        }
    }

    /// A decimal number.
    #[inline(always)]
    unsafe fn number(&mut self, number: usize) {
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            let digit = b'0' + (number / unit % 10) as u8;
            // SAFETY: as above.
            unsafe { self.write(&raw const digit, 1) };
            unit /= 10;
        }
    }
}

#[inline(always)]
unsafe fn system(number: libc::c_long, a: usize, b: usize, c: usize) -> usize {
    // SAFETY: the caller's.
    unsafe { system_long(number, a, b, c, 0, 0, 0) }
}

#[inline(always)]
unsafe fn system_long(
    number: libc::c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> usize {
    let answer;
    // SAFETY: the kernel's calling convention; the caller promises the rest.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        arch::asm!("syscall", inlateout("rax") number as usize => answer, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _);
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        arch::asm!("svc 0", in("x8") number as usize, inlateout("x0") a => answer, in("x1") b, in("x2") c,
            in("x3") d, in("x4") e, in("x5") f);
    }
    answer
}

type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;
type StartMain = unsafe extern "C" fn(
    Main,
    c_int,
    *mut *mut c_char,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
) -> c_int;

/// python3's first call, on its way to its own `main`: it comes to ours.
#[unsafe(no_mangle)]
unsafe extern "C" fn __libc_start_main(
    _main: Main,
    count: c_int,
    arguments: *mut *mut c_char,
    init: *mut c_void,
    fini: *mut c_void,
    loader: *mut c_void,
    stack: *mut c_void,
) -> c_int {
    // SAFETY: the C library's own function, called as it would have been; without it there is no process.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr());
        if next.is_null() {
            complain();
            libc::_exit(outcome::SANDBOX.into());
        }
        let start_main: StartMain = std::mem::transmute(next);
        start_main(main, count, arguments, init, fini, loader, stack)
    }
}

unsafe extern "C" fn main(
    count: c_int,
    arguments: *mut *mut c_char,
    _environment: *mut *mut c_char,
) -> c_int {
    // SAFETY: one thread runs, nobody holds an answer of getenv, and the arguments are the C library's.
    unsafe {
        libc::unsetenv(c"LD_PRELOAD".as_ptr());
        forget_guard(count, arguments);
    }
    crate::memory::take_pages();
    sandbox_core::main::<crate::host::Hpython>()
}

/// Takes the guard out of the arguments, which end one earlier then.
unsafe fn forget_guard(count: c_int, arguments: *mut *mut c_char) {
    // SAFETY: the C library's array: so many strings, then null.
    unsafe {
        let count = usize::try_from(count).unwrap_or_default();
        if count < 2 || CStr::from_ptr(*arguments.add(1)) != GUARD {
            return;
        }
        for place in 1..count {
            *arguments.add(place) = *arguments.add(place + 1);
        }
    }
}
