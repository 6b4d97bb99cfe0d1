//! The C library's own functions behind ours, looked up when the library is loaded: afterwards is too late for a
//! child between `vfork` and `exec`.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

/// `posix_spawn`.
pub type Spawn = unsafe extern "C" fn(
    *mut libc::pid_t,
    *const c_char,
    *const libc::posix_spawn_file_actions_t,
    *const libc::posix_spawnattr_t,
    *const *const c_char,
    *const *const c_char,
) -> c_int;

/// `faccessat`.
pub type Access = unsafe extern "C" fn(c_int, *const c_char, c_int, c_int) -> c_int;

static SPAWN: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static SPAWNP: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
static ACCESS: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Looks all of them up.
pub fn find() {
    for (place, name) in [(&SPAWN, c"posix_spawn"), (&SPAWNP, c"posix_spawnp"), (&ACCESS, c"faccessat")] {
        place.store(look_up(name), Ordering::Relaxed);
    }
}

fn look_up(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

fn get(place: &AtomicPtr<c_void>, name: &CStr) -> *mut c_void {
    match place.load(Ordering::Relaxed) {
        // Another library's constructor was faster than ours.
        pointer if pointer.is_null() => look_up(name),
        pointer => pointer,
    }
}

/// `posix_spawn`, or `posix_spawnp`.
pub fn spawn(searches: bool) -> Option<Spawn> {
    let pointer = if searches { get(&SPAWNP, c"posix_spawnp") } else { get(&SPAWN, c"posix_spawn") };
    // SAFETY: the C library has functions of this type under both names; null is none.
    unsafe { std::mem::transmute::<*mut c_void, Option<Spawn>>(pointer) }
}

/// `faccessat`.
pub fn access() -> Option<Access> {
    // SAFETY: as above.
    unsafe { std::mem::transmute::<*mut c_void, Option<Access>>(get(&ACCESS, c"faccessat")) }
}
