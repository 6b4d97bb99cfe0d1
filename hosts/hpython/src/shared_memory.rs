//! Anonymous memory that processes share, as `mmap.mmap(-1, size)` asks for. No limit counts it once it is no longer mapped
//! everywhere, so the filter refuses it. Where the script starts no process it has nobody to share with, and gets memory of
//! its own, which is the same to it.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

static ALONE: AtomicBool = AtomicBool::new(false);

/// From now on there is nobody to share with.
pub fn settle() {
    ALONE.store(true, Ordering::Relaxed);
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn mmap(
    address: *mut c_void,
    size: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: libc::off_t,
) -> *mut c_void {
    let shared = flags & libc::MAP_ANONYMOUS != 0 && flags & libc::MAP_TYPE == libc::MAP_SHARED;
    let flags = match shared && ALONE.load(Ordering::Relaxed) {
        true => flags & !libc::MAP_TYPE | libc::MAP_PRIVATE,
        false => flags,
    };
    // SAFETY: the caller's arguments; private memory is as good as shared to whoever has it alone.
    let answer = unsafe { libc::syscall(libc::SYS_mmap, address, size, protection, flags, file, offset) };
    answer as *mut c_void
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn mmap64(
    address: *mut c_void,
    size: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: libc::off_t,
) -> *mut c_void {
    // SAFETY: the caller's; offsets have 64 bits in both.
    unsafe { mmap(address, size, protection, flags, file, offset) }
}
