//! The time zone, read while its file can be: it may lie anywhere, and `os.date` asks late.
#![allow(unsafe_code, reason = "the time zone is the C library's")]

unsafe extern "C" {
    fn tzset();
}

/// Reads the time zone.
pub fn settle() {
    // SAFETY: there is one thread, so nobody changes the environment meanwhile.
    unsafe { tzset() }
}
