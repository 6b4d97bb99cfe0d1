//! C's standard streams, which hlua shares with Lua's `io` library: one buffer, one order.
#![allow(unsafe_code, reason = "the streams are C's")]

use std::cell::UnsafeCell;
use std::ffi::{c_char, c_int};
use std::io;
use std::ptr;

unsafe extern "C" {
    static stdin: *mut libc::FILE;
    static stdout: *mut libc::FILE;
    static stderr: *mut libc::FILE;
}

/// What the C library would give a file, a pipe or a terminal.
const SIZE: usize = 4096;

struct Buffer(UnsafeCell<[u8; SIZE]>);

// SAFETY: only the C library touches the bytes, behind its own locks.
unsafe impl Sync for Buffer {}

static INPUT: Buffer = Buffer(UnsafeCell::new([0; SIZE]));
static OUTPUT: Buffer = Buffer(UnsafeCell::new([0; SIZE]));

/// Whether a descriptor is a terminal.
pub fn is_terminal(descriptor: c_int) -> bool {
    // SAFETY: isatty takes any number.
    unsafe { libc::isatty(descriptor) == 1 }
}

/// Decides how the streams are buffered, as the C library would when they are first used: it asks
/// fstat for that, and need not be able to then. Answers whether standard input is a terminal.
pub fn settle() -> bool {
    let input_is_terminal = is_terminal(0);
    // SAFETY: the buffers are static and serve one stream each, before its first use.
    unsafe {
        buffer(stdin, &INPUT, input_is_terminal);
        buffer(stdout, &OUTPUT, is_terminal(1));
    }
    input_is_terminal
}

unsafe fn buffer(stream: *mut libc::FILE, buffer: &'static Buffer, by_line: bool) {
    let mode = if by_line { libc::_IOLBF } else { libc::_IOFBF };
    // SAFETY: the caller's.
    unsafe { libc::setvbuf(stream, buffer.0.get().cast::<c_char>(), mode, SIZE) };
}

/// Writes to standard output; as in `lua`, nobody looks whether it worked.
pub fn write_out(text: &[u8]) {
    // SAFETY: the slice is valid for its length.
    unsafe { libc::fwrite(text.as_ptr().cast(), 1, text.len(), stdout) };
}

/// Sends on what standard output holds.
pub fn flush_out() {
    // SAFETY: stdout is a stream, open or closed by the script with fclose never: `io` forbids it.
    unsafe { libc::fflush(stdout) };
}

/// Writes to standard error, at once.
pub fn write_error(text: &[u8]) {
    // SAFETY: as above.
    unsafe {
        libc::fwrite(text.as_ptr().cast(), 1, text.len(), stderr);
        libc::fflush(stderr);
    }
}

/// Reads a line of standard input into `line`, without its end; false at the end of the input.
pub fn read_line(line: &mut Vec<u8>) -> bool {
    line.clear();
    let mut text: *mut c_char = ptr::null_mut();
    let mut room = 0;
    // SAFETY: getline allocates what it needs and tells how much it read; the block is ours to free.
    unsafe {
        let length = libc::getline(&raw mut text, &raw mut room, stdin);
        if let Ok(length) = usize::try_from(length) {
            line.extend_from_slice(std::slice::from_raw_parts(text.cast::<u8>(), length));
        }
        libc::free(text.cast());
    }
    let read = !line.is_empty();
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    read
}

/// What the last failed call left.
pub fn last_error() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Leaves an error for the caller of a C function.
pub fn set_last_error(error: c_int) {
    // SAFETY: the C library keeps one for each thread, always.
    unsafe { *libc::__errno_location() = error };
}
