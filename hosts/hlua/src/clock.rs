//! The time zone. The C library reads it when a script first asks for the local time, and behind the
//! doors it finds the usual files: reading them at each start would be waste. A zone that the user
//! names may lie anywhere, so that one is read at once; and so is any where the C library is not
//! linked statically, for then its `fstat` is refused (see [`crate::descriptors`]).
#![allow(unsafe_code, reason = "the time zone is the C library's")]

unsafe extern "C" {
    fn tzset();
}

/// Reads the time zone, if that will not do later.
pub fn settle() {
    if cfg!(target_feature = "crt-static") && std::env::var_os("TZ").is_none() {
        return;
    }
    // SAFETY: there is one thread, so nobody changes the environment meanwhile.
    unsafe { tzset() }
}
