//! A host that is a shared library which can be run. Run, it starts the interpreter's own program with itself loaded first;
//! loaded, it takes the place of the program's `main` and closes the doors around it.
//!
//! So the interpreter's code is the distribution's own, with its speed, its memory shared with every other process of it, and
//! its updates.
//!
//! What runs in [`start`] runs without a C library and before the loader has adjusted any address: only system calls, numbers,
//! and memory that is reached from the code itself.
#![allow(unsafe_code, reason = "there is no runtime yet")]

use std::arch;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::failure::{CANNOT_START, CANNOT_START_WHY};
use crate::outcome;

/// A host of this kind. [`crate::runs_as_library!`] makes its library one that can be run.
pub trait Library {
    /// The interpreter's file, with a zero byte at the end.
    const PROGRAM: &'static str;
    /// The host's name, for the one thing that can go wrong here.
    const NAME: &'static str;
    /// The first argument. Were the library not loaded, for whatever reason of the loader's, the interpreter would refuse it
    /// as an option that it does not know; it is taken away before the interpreter looks.
    const GUARD: &'static CStr;

    /// Takes the place of the program's `main`.
    fn main() -> c_int;
}

const ITSELF: &str = "/proc/self/exe\0";
const PRELOAD: &[u8] = b"LD_PRELOAD=";
const DESCRIPTOR: &[u8] = b"/proc/self/fd/";
const LOADER: &[u8] = b"LD_";
const TUNABLES: &[u8] = b"GLIBC_TUNABLES=";

/// Starts the interpreter. `stack` is where the kernel has put the arguments: their number, they, a null pointer, the
/// environment, a null pointer.
///
/// # Safety
/// To be called as the first thing in a process, with the stack as the kernel has made it.
pub unsafe extern "C" fn start<L: Library>(stack: *const usize) -> ! {
    // SAFETY: the kernel's layout.
    unsafe {
        let arguments = stack.add(1).cast::<*const u8>();
        let environment = arguments.add(*stack + 1);
        if let Some(descriptor) = open_itself() {
            let arguments = with_guard::<L>(arguments, *stack);
            let environment = with_preload(environment, descriptor);
            system(libc::SYS_execve, L::PROGRAM.as_ptr() as usize, arguments as usize, environment as usize);
        }
        complain::<L>();
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
unsafe fn complain<L: Library>() {
    // SAFETY: constants, the program's without the zero byte at its end.
    unsafe {
        say(L::NAME.as_ptr(), L::NAME.len());
        say(CANNOT_START.as_ptr(), CANNOT_START.len());
        say(L::PROGRAM.as_ptr(), L::PROGRAM.len() - 1);
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
unsafe fn with_guard<L: Library>(arguments: *const *const u8, count: usize) -> *const *const u8 {
    // SAFETY: an array of so many strings that ends in null; the new memory is as large as what is put there, and zero.
    unsafe {
        let guarded = memory((count + 3) * size_of::<usize>()).cast::<*const u8>();
        guarded.write_volatile(if count == 0 { L::GUARD.as_ptr().cast() } else { *arguments });
        guarded.add(1).write_volatile(L::GUARD.as_ptr().cast());
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

/// C's `main`.
pub type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;

/// `__libc_start_main` of the C library.
type StartMain = unsafe extern "C" fn(
    Main,
    c_int,
    *mut *mut c_char,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
) -> c_int;

/// The program's own `main`.
static OWN_MAIN: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// The `main` of the program that this library is loaded into.
#[must_use]
pub fn own_main() -> Option<Main> {
    let main = OWN_MAIN.load(Ordering::Acquire);
    // SAFETY: what is stored is such a function, from `start_main`, or null.
    (!main.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Main>(main) })
}

/// What the program calls first, on its way to its own `main`: it comes to [`Library::main`].
///
/// # Safety
/// The arguments are those of the C library's function of this name, `rest` those after the first three.
pub unsafe fn start_main<L: Library>(
    main: Main,
    count: c_int,
    arguments: *mut *mut c_char,
    rest: [*mut c_void; 4],
) -> c_int {
    OWN_MAIN.store(main as *mut c_void, Ordering::Release);
    // SAFETY: the C library's own function, called as it would have been; without it there is no process.
    unsafe {
        let next = libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr());
        if next.is_null() {
            complain::<L>();
            libc::_exit(crate::outcome::SANDBOX.into());
        }
        let start_main: StartMain = std::mem::transmute(next);
        let [init, fini, loader, stack] = rest;
        start_main(library_main::<L>, count, arguments, init, fini, loader, stack)
    }
}

unsafe extern "C" fn library_main<L: Library>(
    count: c_int,
    arguments: *mut *mut c_char,
    _environment: *mut *mut c_char,
) -> c_int {
    // SAFETY: one thread runs, nobody holds an answer of getenv, and the arguments are the C library's.
    unsafe {
        libc::unsetenv(c"LD_PRELOAD".as_ptr());
        forget_guard::<L>(count, arguments);
    }
    L::main()
}

/// Takes the guard out of the arguments, which end one earlier then.
unsafe fn forget_guard<L: Library>(count: c_int, arguments: *mut *mut c_char) {
    // SAFETY: the C library's array: so many strings, then null.
    unsafe {
        let count = usize::try_from(count).unwrap_or_default();
        if count < 2 || CStr::from_ptr(*arguments.add(1)) != L::GUARD {
            return;
        }
        for place in 1..count {
            *arguments.add(place) = *arguments.add(place + 1);
        }
    }
}

/// Makes a cdylib one that can be run: the entry point `$entry` for the linker (`-e`), and the C library's first function,
/// which must bear its own name.
#[macro_export]
macro_rules! runs_as_library {
    ($host:ty, $entry:literal) => {
        #[cfg(target_arch = "x86_64")]
        std::arch::global_asm!(
            concat!(".globl ", $entry),
            concat!($entry, ":"),
            "xor ebp, ebp",
            "mov rdi, rsp",
            "and rsp, -16",
            "call {start}",
            "ud2",
            start = sym $crate::launch::start::<$host>,
        );

        #[cfg(target_arch = "aarch64")]
        std::arch::global_asm!(
            concat!(".globl ", $entry),
            concat!($entry, ":"),
            "mov x29, #0",
            "mov x0, sp",
            "bl {start}",
            "brk #1",
            start = sym $crate::launch::start::<$host>,
        );

        /// The program's first call, on its way to its own `main`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn __libc_start_main(
            main: $crate::launch::Main,
            count: std::ffi::c_int,
            arguments: *mut *mut std::ffi::c_char,
            init: *mut std::ffi::c_void,
            fini: *mut std::ffi::c_void,
            loader: *mut std::ffi::c_void,
            stack: *mut std::ffi::c_void,
        ) -> std::ffi::c_int {
            // SAFETY: the arguments are handed on as they came.
            unsafe {
                $crate::launch::start_main::<$host>(main, count, arguments, [init, fini, loader, stack])
            }
        }
    };
}
