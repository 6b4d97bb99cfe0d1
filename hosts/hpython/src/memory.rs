//! The C library's memory, under a limit of address space.
#![allow(unsafe_code, reason = "mallopt has no safe form")]

/// Keeps threads from reserving 64 MiB of address space each for an arena of their own: under a limit that would be its
/// end. Python's own allocator serves small objects, so there is little to contend for.
pub fn settle() {
    const ARENAS: libc::c_int = 2;
    // SAFETY: it takes two numbers.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}
