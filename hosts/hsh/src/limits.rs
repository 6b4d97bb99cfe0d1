//! `ulimit -c`: the size of a core is as it must be, and is not changed. That it may be less is said to be done.
#![allow(unsafe_code, reason = "this stands before a C function")]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

static SET: AtomicBool = AtomicBool::new(false);

/// The limits are as they must be: from now on that of cores stays.
pub fn settle() {
    SET.store(true, Ordering::Relaxed);
}

/// A limit at which the kernel neither writes a core nor starts what takes one (core(5)).
const NONE: libc::rlim_t = 1;

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn setrlimit(resource: c_int, limits: *const libc::rlimit) -> c_int {
    let core = resource == libc::RLIMIT_CORE as c_int && !limits.is_null() && SET.load(Ordering::Relaxed);
    // SAFETY: the caller's record, which is there.
    if core && unsafe { (*limits).rlim_cur } <= NONE {
        return 0;
    }
    // SAFETY: the caller's arguments; the kernel looks at them.
    let answer = unsafe { libc::syscall(libc::SYS_prlimit64, 0, resource, limits, std::ptr::null::<u8>()) };
    answer as c_int
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn setrlimit64(resource: c_int, limits: *const libc::rlimit) -> c_int {
    // SAFETY: the caller's; both records are the same where numbers have 64 bits.
    unsafe { setrlimit(resource, limits) }
}
