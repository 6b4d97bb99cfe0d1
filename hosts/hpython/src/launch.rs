//! hpython is a shared library that can be run. Run, it starts the distribution's python3 with itself loaded first; loaded,
//! it closes the doors around it.
//!
//! So the interpreter's code is python3's own, with its speed, its memory shared with every other python3 and its updates.
//! The library for embedding that distributions ship beside it is slower: it is not optimised as a whole.
//!
//! What runs here runs without a C library and before the loader has adjusted any address: only system calls, numbers, and
//! memory that is reached from the code itself.
#![allow(unsafe_code, reason = "there is no runtime yet")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::{arch, ptr};

/// The file behind `/usr/bin/python3`, of the release that this program was built for.
const PROGRAM: &str = hpython_profile::PROGRAM;
const FAILED: &str = "hpython: cannot start the python3 that it was built for: it, or /proc, is missing\n";
const ITSELF: &str = "/proc/self/exe\0";
const PRELOAD: &[u8] = b"LD_PRELOAD=";
const DESCRIPTOR: &[u8] = b"/proc/self/fd/";

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
        let arguments = stack.add(1);
        let environment = arguments.add(*stack + 1).cast::<*const u8>();
        if let Some(descriptor) = open_itself() {
            let environment = with_preload(environment, descriptor);
            system(libc::SYS_execve, PROGRAM.as_ptr() as usize, arguments as usize, environment as usize);
        }
        system(libc::SYS_write, 2, FAILED.as_ptr() as usize, FAILED.len());
        loop {
            system(libc::SYS_exit_group, 125, 0, 0);
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

/// The environment with this library before those that were to be loaded first anyway.
#[inline(always)]
unsafe fn with_preload(environment: *const *const u8, descriptor: usize) -> *const *const u8 {
    // SAFETY: strings that end in NUL, in an array that ends in null; the new memory is as large as what is put there.
    unsafe {
        let (mut count, mut others) = (0, ptr::null::<u8>());
        while !(*environment.add(count)).is_null() {
            if let Some(value) = value_of_preload(*environment.add(count)) {
                others = value;
            }
            count += 1;
        }
        let pointers = memory((count + 2) * size_of::<usize>()).cast::<*const u8>();
        let text = memory(64 + length(others));
        let mut to = Writer(text);
        to.write(PRELOAD.as_ptr(), PRELOAD.len());
        to.write(DESCRIPTOR.as_ptr(), DESCRIPTOR.len());
        to.number(descriptor);
        if !others.is_null() {
            to.write(b":".as_ptr(), 1);
            to.write(others, length(others));
        }
        let mut at = pointers;
        at.write_volatile(text);
        for place in 0..count {
            let entry = *environment.add(place);
            if value_of_preload(entry).is_none() {
                at = at.add(1);
                at.write_volatile(entry);
            }
        }
        pointers
    }
}

#[inline(always)]
unsafe fn value_of_preload(entry: *const u8) -> Option<*const u8> {
    // SAFETY: the string ends in NUL, which is no byte of the name.
    unsafe {
        for place in 0..PRELOAD.len() {
            if entry.add(place).read_volatile() != PRELOAD.as_ptr().add(place).read_volatile() {
                return None;
            }
        }
        Some(entry.add(PRELOAD.len()))
    }
}

#[inline(always)]
unsafe fn length(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: null, or a string that ends in NUL. Volatile, or the compiler would call a function for it.
    while !text.is_null() && unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
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

#[cfg(target_arch = "x86_64")]
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
    unsafe {
        arch::asm!("syscall", inlateout("rax") number as usize => answer, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _);
    }
    answer
}

#[cfg(target_arch = "aarch64")]
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
            libc::_exit(125);
        }
        let start_main: StartMain = std::mem::transmute(next);
        start_main(main, count, arguments, init, fini, loader, stack)
    }
}

unsafe extern "C" fn main(
    _count: c_int,
    _arguments: *mut *mut c_char,
    _environment: *mut *mut c_char,
) -> c_int {
    // SAFETY: one thread runs, and nobody holds an answer of getenv.
    unsafe { forget_preload() };
    crate::memory::take_pages();
    sandbox_core::main::<crate::host::Hpython>()
}

/// Leaves in the environment what was there before the launch.
unsafe fn forget_preload() {
    // SAFETY: the caller's promise; the value ends in NUL.
    unsafe {
        let value = libc::getenv(c"LD_PRELOAD".as_ptr());
        if value.is_null() {
            return;
        }
        let bytes = CStr::from_ptr(value).to_bytes();
        match bytes.iter().position(|byte| *byte == b':') {
            Some(end) => libc::setenv(c"LD_PRELOAD".as_ptr(), value.add(end + 1), 1),
            None => libc::unsetenv(c"LD_PRELOAD".as_ptr()),
        };
    }
}
