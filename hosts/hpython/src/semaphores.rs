//! Semaphores for `multiprocessing`, whose thread pools use them as well.
//!
//! The C library keeps named semaphores in `/dev/shm`, where every process of the user could meet them: that is closed.
//! Python makes one under a name of its own, takes the name away at once, and so needs none: here a new semaphore is
//! memory that only this process and what it forks have. One that is there already cannot be opened.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::ffi::{c_char, c_int, c_uint};
use std::ptr;

const SHARED: c_int = 1;

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn sem_open(
    _name: *const c_char,
    flags: c_int,
    _mode: libc::mode_t,
    value: c_uint,
) -> *mut libc::sem_t {
    if flags & (libc::O_CREAT | libc::O_EXCL) != libc::O_CREAT | libc::O_EXCL {
        return refused(libc::ENOENT);
    }
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: new memory, of the size of what is initialised in it.
    unsafe {
        let memory = libc::mmap(
            ptr::null_mut(),
            size_of::<libc::sem_t>(),
            protection,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if memory == libc::MAP_FAILED {
            return libc::SEM_FAILED;
        }
        let semaphore = memory.cast::<libc::sem_t>();
        if libc::sem_init(semaphore, SHARED, value) == 0 { semaphore } else { libc::SEM_FAILED }
    }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn sem_close(semaphore: *mut libc::sem_t) -> c_int {
    // SAFETY: the caller hands over what sem_open gave.
    unsafe { libc::munmap(semaphore.cast(), size_of::<libc::sem_t>()) }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn sem_unlink(_name: *const c_char) -> c_int {
    0
}

fn refused(error: c_int) -> *mut libc::sem_t {
    // SAFETY: the C library keeps one for each thread.
    unsafe { *libc::__errno_location() = error };
    libc::SEM_FAILED
}
