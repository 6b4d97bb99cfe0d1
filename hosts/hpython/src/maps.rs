//! What libffi asks of `/proc/PID/maps`, which is closed: where in which file its own code lies. It maps its trampolines,
//! for Python functions that C calls, from there; without an answer it would want memory that is writable and executable.
#![allow(unsafe_code, reason = "the loader's list is C's")]

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

/// Whether a path is that of this process's map.
pub fn is_meant(path: &CStr) -> bool {
    path.to_bytes() == format!("/proc/{}/maps", std::process::id()).as_bytes()
}

/// The map as far as the loader knows it, as a stream.
pub fn open() -> *mut libc::FILE {
    let mut text = String::new();
    // SAFETY: the text outlives the call, which hands it to `describe` alone; a stream without a buffer of ours has its
    // own, as large as what is written to it.
    unsafe {
        libc::dl_iterate_phdr(Some(describe), (&raw mut text).cast());
        let stream = libc::fmemopen(std::ptr::null_mut(), text.len() + 1, c"w+".as_ptr());
        if !stream.is_null() {
            libc::fwrite(text.as_ptr().cast(), 1, text.len(), stream);
            libc::rewind(stream);
        }
        stream
    }
}

/// Writes a line for each part of a library that is loaded from its file.
unsafe extern "C" fn describe(library: *mut libc::dl_phdr_info, _size: usize, text: *mut c_void) -> c_int {
    const PAGE: u64 = 4096;
    // SAFETY: the loader's description is valid during the call, and the text is the caller's.
    unsafe {
        let (library, text) = (&*library, &mut *text.cast::<String>());
        let name = OsStr::from_bytes(CStr::from_ptr(library.dlpi_name).to_bytes());
        for place in 0..library.dlpi_phnum.into() {
            let part = &*library.dlpi_phdr.add(place);
            if part.p_type != libc::PT_LOAD || !name.as_bytes().starts_with(b"/") {
                continue;
            }
            let start = (library.dlpi_addr + part.p_vaddr) & !(PAGE - 1);
            let end = (library.dlpi_addr + part.p_vaddr + part.p_memsz).next_multiple_of(PAGE);
            let offset = part.p_offset & !(PAGE - 1);
            let executable = if part.p_flags & libc::PF_X == 0 { '-' } else { 'x' };
            let name = name.to_string_lossy();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{start:08x}-{end:08x} r-{executable}p {offset:08x} 00:00 0 {name}");
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_on_the_map() {
        let mut text = String::new();
        // SAFETY: as in `open`.
        unsafe { libc::dl_iterate_phdr(Some(describe), (&raw mut text).cast()) };
        let here = |line: &str| line.contains(" r-xp ") && line.contains("/libc.so");
        assert!(text.lines().any(here), "{text}");
    }
}
