//! The first line of a script: a port of `load_script` (Linux, `fs/binfmt_script.c`), whose names for places in the
//! buffer are kept, so that the two can be read side by side.

use std::ffi::CStr;

/// How much of a file the kernel looks at, in bytes: `BINPRM_BUF_SIZE`.
pub const SIZE: usize = 256;

/// The kernel answers `ENOEXEC`: the file begins with `#!`, but names no interpreter, or one that is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// An interpreter and at most one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The buffer; zeros stand after the name and after the argument.
    bytes: [u8; SIZE],
    name: u8,
    argument: Option<u8>,
}

impl Line {
    /// The interpreter's path. The kernel takes an empty one for a directory: `EACCES`.
    #[must_use]
    pub fn interpreter(&self) -> &CStr {
        self.text(self.name)
    }

    /// All that stands behind the name, as one argument, which may be empty.
    #[must_use]
    pub fn argument(&self) -> Option<&CStr> {
        self.argument.map(|start| self.text(start))
    }

    fn text(&self, start: u8) -> &CStr {
        // `parse` never leaves the last byte anything but zero.
        CStr::from_bytes_until_nul(&self.bytes[usize::from(start)..]).unwrap_or_default()
    }
}

/// Reads the beginning of a file, of which the first [`SIZE`] bytes count. `None` means that it is no script.
///
/// # Errors
/// [`Malformed`].
pub fn parse(head: &[u8]) -> Result<Option<Line>, Malformed> {
    let mut buf = [0; SIZE];
    let length = head.len().min(SIZE);
    buf[..length].copy_from_slice(&head[..length]);
    if !buf.starts_with(b"#!") {
        return Ok(None);
    }
    let buf_end = SIZE - 1;
    let mut i_end = match newline(&buf) {
        Some(newline) => newline,
        None => {
            let name = next_non_blank(&buf, 2, buf_end).ok_or(Malformed)?;
            // Without a blank or a zero behind it the name may be cut off.
            next_terminator(&buf, name, buf_end).ok_or(Malformed)?;
            buf_end
        }
    };
    while is_blank(buf[i_end - 1]) {
        i_end -= 1;
    }
    let i_name = next_non_blank(&buf, 2, i_end).filter(|&name| name != i_end).ok_or(Malformed)?;
    let i_sep = next_terminator(&buf, i_name, i_end).filter(|&sep| buf[sep] != 0);
    let i_arg = i_sep.and_then(|sep| next_non_blank(&buf, sep, i_end));
    buf[i_end] = 0;
    if let (Some(_), Some(sep)) = (i_arg, i_sep) {
        buf[sep] = 0;
    }
    // Both lie within the buffer, whose places fit a byte.
    let place = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
    Ok(Some(Line { bytes: buf, name: place(i_name), argument: i_arg.map(place) }))
}

/// `strnchr`: a zero ends the search.
fn newline(buf: &[u8; SIZE]) -> Option<usize> {
    buf.iter().position(|&byte| matches!(byte, b'\n' | 0)).filter(|&place| buf[place] == b'\n')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `next_non_spacetab`; `last` is included.
fn next_non_blank(buf: &[u8; SIZE], first: usize, last: usize) -> Option<usize> {
    (first..=last).find(|&place| !is_blank(buf[place]))
}

/// `next_terminator`; `last` is included.
fn next_terminator(buf: &[u8; SIZE], first: usize, last: usize) -> Option<usize> {
    (first..=last).find(|&place| is_blank(buf[place]) || buf[place] == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read<'a> = Result<Option<(&'a [u8], Option<&'a [u8]>)>, Malformed>;

    fn check(head: &[u8], expected: Read<'_>) {
        let parsed = parse(head);
        let read = parsed.as_ref().map(|line| {
            let line = line.as_ref()?;
            Some((line.interpreter().to_bytes(), line.argument().map(CStr::to_bytes)))
        });
        assert_eq!(read.map_err(|&error| error), expected, "{}", head.escape_ascii());
    }

    fn script<'a>(name: &'a [u8], argument: Option<&'a [u8]>) -> Read<'a> {
        Ok(Some((name, argument)))
    }

    #[test]
    fn what_the_kernel_reads() {
        for (head, expected) in [
            (&b""[..], Ok(None)),
            (b"#", Ok(None)),
            (b" #!/bin/sh\n", Ok(None)),
            (b"\xef\xbb\xbf#!/bin/sh\n", Ok(None)),
            (b"\x7fELF", Ok(None)),
            (b"#!/bin/sh\n", script(b"/bin/sh", None)),
            (b"#!/bin/sh", script(b"/bin/sh", None)),
            (b"#! \t /bin/sh \t\n", script(b"/bin/sh", None)),
            (b"#!/bin/sh -x  -y \n", script(b"/bin/sh", Some(b"-x  -y"))),
            (b"#!/bin/sh\r\n", script(b"/bin/sh\r", None)),
            (b"#!/bin/sh\x0b-x\n", script(b"/bin/sh\x0b-x", None)),
            // Without a newline nothing is trimmed.
            (b"#!/bin/sh -x  ", script(b"/bin/sh", Some(b"-x  "))),
            (b"#!/bin/sh ", script(b"/bin/sh", Some(b""))),
            (b"#!", script(b"", None)),
            // A zero ends the search for the newline, and a name.
            (b"#!/bin/sh\0\n", script(b"/bin/sh", None)),
            (b"#!/bin/sh a\0b\n", script(b"/bin/sh", Some(b"a"))),
            (b"#!\n", Err(Malformed)),
            (b"#!  \t\n", Err(Malformed)),
            (b"#! \n/bin/sh\n", Err(Malformed)),
        ] {
            check(head, expected);
        }
    }

    #[test]
    fn where_the_buffer_ends() {
        let line = |length: usize, end: &[u8]| [b"#!/", &vec![b'x'; length - 3][..], end].concat();
        // A name of which the end is seen, by the newline or by the file's.
        check(&line(255, b"\n"), script(&line(255, b"")[2..], None));
        check(&line(255, b""), script(&line(255, b"")[2..], None));
        check(&line(256, b"\n"), Err(Malformed));
        check(&line(256, b""), Err(Malformed));
        check(&[b' '; 300], Ok(None));
        check(&[b"#!", &[b' '; 300][..]].concat(), Err(Malformed));
        // An argument may be cut: the interpreter can read the line again.
        let long = [b"#!/bin/sh ", &[b'y'; 300][..]].concat();
        check(&long, script(b"/bin/sh", Some(&long[10..255])));
    }

    #[test]
    fn no_bytes_are_too_much() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for _ in 0..200_000 {
            let mut head = Vec::from(b"#!");
            for _ in 0..state % 300 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                head.push(b"  \t\t\n\0\r/x-a"[(state >> 33) as usize % 11]);
            }
            state = state.wrapping_add(1);
            if let Ok(Some(line)) = parse(&head) {
                assert!(line.interpreter().to_bytes().len() + 2 < SIZE);
                let _ = line.argument();
            }
        }
    }
}
