//! Semaphores for `multiprocessing`, whose thread pools use them as well.
//!
//! The C library keeps named semaphores in `/dev/shm`, where every process of the user could meet them: that is closed.
//! Python makes one under a name of its own, takes the name away at once, and so needs none: here a new semaphore is
//! memory that only this process and what it forks have. One that is there already cannot be opened.
#![allow(unsafe_code, reason = "this stands before C functions")]

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// Room for the semaphores of processes that are forked, in bytes: shared memory is closed behind the doors.
const ROOM: usize = 2 << 20;

/// That room; its first place counts the places that are taken, in every process alike.
static SHARED: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());

/// A semaphore's place, one cache line.
#[repr(C, align(64))]
struct Place {
    taken: AtomicUsize,
}

/// Takes the room, for a script that may fork. Who is alone needs none.
pub fn settle() {
    // SAFETY: new memory, all zero, which is a count of none.
    let memory = unsafe { map(ROOM, libc::MAP_SHARED) };
    if memory != libc::MAP_FAILED {
        SHARED.store(memory.cast(), Ordering::Relaxed);
    }
}

unsafe fn map(size: usize, kind: c_int) -> *mut c_void {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: where the kernel likes, and of no file.
    unsafe { libc::mmap(ptr::null_mut(), size, protection, kind | libc::MAP_ANONYMOUS, -1, 0) }
}

/// A new place. One of the room is never given twice: somebody who was forked may still use it.
fn place() -> *mut libc::sem_t {
    let room = SHARED.load(Ordering::Relaxed);
    if room.is_null() {
        // SAFETY: new memory.
        let memory = unsafe { map(size_of::<Place>(), libc::MAP_PRIVATE) };
        return if memory == libc::MAP_FAILED { ptr::null_mut() } else { memory.cast() };
    }
    // SAFETY: the count lies in the room, and what is handed out behind it.
    unsafe {
        let taken = (*room).taken.fetch_add(1, Ordering::Relaxed) + 1;
        if taken < ROOM / size_of::<Place>() { room.add(taken).cast() } else { ptr::null_mut() }
    }
}

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
    let semaphore = place();
    if semaphore.is_null() {
        return refused(libc::ENOSPC);
    }
    // SAFETY: memory of its own, with room for one.
    unsafe { if libc::sem_init(semaphore, 1, value) == 0 { semaphore } else { libc::SEM_FAILED } }
}

#[cfg_attr(not(test), unsafe(no_mangle))]
unsafe extern "C" fn sem_close(semaphore: *mut libc::sem_t) -> c_int {
    if !SHARED.load(Ordering::Relaxed).is_null() {
        return 0;
    }
    // SAFETY: the caller hands over what sem_open gave.
    unsafe { libc::munmap(semaphore.cast(), size_of::<Place>()) }
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
