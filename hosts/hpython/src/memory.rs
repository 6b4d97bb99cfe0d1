//! Memory: the C library's, under a limit of address space, and what every start uses.
#![allow(unsafe_code, reason = "mallopt, mmap and CPython's allocators have no safe form")]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use sandbox_core::pages;

/// Keeps threads from reserving 64 MiB of address space each for an arena of their own: under a limit that would be its
/// end. Python's own allocator serves small objects, so there is little to contend for.
pub fn settle() {
    const ARENAS: libc::c_int = 2;
    // SAFETY: it takes two numbers.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}

/// What a short script uses of the C library's heap, in bytes.
const USUAL_HEAP: usize = 400 << 10;

/// Takes pages that every start uses, together.
pub fn take_pages() {
    pages::take_heap(USUAL_HEAP);
    #[cfg(static_python)]
    pages::take(data());
    arenas();
}

/// CPython's objects that exist before it starts: nearly every page of them is written, because references are counted.
#[cfg(static_python)]
fn data() -> std::ops::Range<usize> {
    unsafe extern "C" {
        // The linker's.
        static __data_start: u8;
        static _edata: u8;
    }
    (&raw const __data_start).addr()..(&raw const _edata).addr()
}

/// Lets the first arena of CPython's allocator, which every start fills, come with all its pages.
fn arenas() {
    let mut allocator =
        ffi::PyObjectArenaAllocator { ctx: ptr::null_mut(), alloc: Some(map), free: Some(unmap) };
    // SAFETY: no interpreter is up, and the structure is copied.
    unsafe { ffi::PyObject_SetArenaAllocator(&raw mut allocator) };
}

extern "C" fn map(_context: *mut c_void, size: usize) -> *mut c_void {
    static FIRST: AtomicBool = AtomicBool::new(true);
    let populate = if FIRST.swap(false, Ordering::Relaxed) { libc::MAP_POPULATE } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | populate;
    // SAFETY: new memory.
    let memory =
        unsafe { libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if memory == libc::MAP_FAILED { ptr::null_mut() } else { memory }
}

extern "C" fn unmap(_context: *mut c_void, memory: *mut c_void, size: usize) {
    // SAFETY: CPython gives back what `map` gave, and uses it no more.
    unsafe { libc::munmap(memory, size) };
}
