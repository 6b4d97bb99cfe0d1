//! Text on its way between Rust and Lua.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// A short C string without a destructor, for frames that an error may leave.
#[derive(Clone, Copy)]
pub struct Line([u8; 256]);

impl Line {
    /// A copy of `text`, cut to fit.
    pub fn new(text: &str) -> Self {
        let mut line = [0; 256];
        let length = text.len().min(line.len() - 1);
        line[..length].copy_from_slice(&text.as_bytes()[..length]);
        Line(line)
    }

    /// As C sees it.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}

/// A chunk's name for Lua: `@script` or `=stdin`.
pub fn chunk_name(mark: char, name: &OsStr) -> CString {
    let mut bytes = vec![mark as u8];
    bytes.extend_from_slice(name.as_bytes());
    bytes.retain(|&byte| byte != 0);
    CString::new(bytes).unwrap_or_default()
}

/// What Lua is to see of a script file: without a byte order mark and without a first line that
/// begins with `#`. That line's end stays, so that lines keep their numbers, except before
/// precompiled code.
pub fn body(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.first() != Some(&b'#') {
        return text;
    }
    let Some(end) = text.iter().position(|&byte| byte == b'\n') else {
        return b"\n";
    };
    let next = &text[end + 1..];
    if next.first() == Some(&b'\x1b') { next } else { &text[end..] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_for_the_kernel() {
        assert_eq!(body(b"print(1)"), b"print(1)");
        assert_eq!(body(b"#!/usr/bin/env hlua\nprint(1)"), b"\nprint(1)");
        assert_eq!(body(b"\xef\xbb\xbf# x\nprint(1)"), b"\nprint(1)");
        assert_eq!(body(b"\xef\xbb\xbfprint(1)"), b"print(1)");
        assert_eq!(body(b"#!only"), b"\n");
        assert_eq!(body(b"#\n\x1bLua"), b"\x1bLua");
        assert_eq!(body(b""), b"");
    }

    #[test]
    fn lines_are_cut_not_broken() {
        assert_eq!(Line::new("short").as_c_str(), c"short");
        assert_eq!(Line::new(&"x".repeat(999)).as_c_str().to_bytes().len(), 255);
    }
}
