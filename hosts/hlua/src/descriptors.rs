//! `fstat` as the system call of that name. The C library asks `newfstatat` with an empty path, and
//! the filter cannot let that through: it sees a pointer, not that the path behind it is empty. So
//! locales and time zones, which the library loads late, would be lost. This reaches the library's
//! own calls where it is linked statically.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::{c_int, c_long};

use crate::stdio;

/// The attributes of an open file.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap___fstat64(descriptor: c_int, attributes: *mut libc::stat) -> c_int {
    // SAFETY: the arguments are the caller's, and the kernel checks them; the structure of the call
    // is the library's on 64-bit machines.
    let result: c_long = unsafe { libc::syscall(libc::SYS_fstat, descriptor, attributes) };
    c_int::try_from(result).unwrap_or_else(|_| {
        stdio::set_last_error(libc::EOVERFLOW);
        -1
    })
}
