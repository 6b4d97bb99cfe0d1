//! A path -> what to start in its place: scripts whose interpreters are scripts, as the kernel follows them.

use std::ffi::CStr;

use crate::credentials::Inode;
use crate::line::{Line, SIZE, parse};

/// How many scripts in a row the kernel takes; the next is `ELOOP`.
pub const LEVELS: usize = 5;

/// What is found at a path.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Whose it is, and its mode.
    pub inode: Inode,
    /// Whether it lies where the kernel executes nothing: on a mount with `noexec`.
    pub noexec: bool,
    /// Its beginning, padded with zeros; none if it cannot be read, or is no regular file.
    pub head: Option<[u8; SIZE]>,
}

/// How files are looked at, and by whom.
pub trait View {
    /// Looks at a file as `execve` would, following links.
    ///
    /// # Errors
    /// The errno with which the path cannot be resolved.
    fn look(&mut self, path: &CStr) -> Result<Found, i32>;

    /// Whether whoever starts the program may execute this file by its mode.
    fn may_execute(&mut self, inode: Inode) -> bool;

    /// Whether the first path begins at a descriptor that the exec closes: no interpreter could open the script.
    fn is_out_of_reach(&self) -> bool {
        false
    }
}

/// What to do instead of asking the kernel for a path.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a box would allocate, between vfork and exec")]
pub enum Verdict {
    /// Nothing: no script of the chain lies on a `noexec` mount, or none that may be executed.
    Native,
    /// Start the chain's last interpreter.
    Run(Chain),
    /// What the kernel would answer on any other mount.
    Fail(i32),
}

/// Scripts, outermost first: the interpreter of each is the next one's path, that of the last is a program.
#[derive(Debug)]
pub struct Chain {
    lines: [Option<Line>; LEVELS],
}

impl Chain {
    /// The program to start.
    #[must_use]
    pub fn program(&self) -> &CStr {
        self.lines().next_back().map_or(c"", Line::interpreter)
    }

    /// What stands in the place of `argv[0]`: interpreters, their arguments, and last the script under this name.
    pub fn arguments<'a>(&'a self, script: &'a CStr) -> impl Iterator<Item = &'a CStr> + Clone {
        let lines = self.lines().rev();
        lines.flat_map(|line| [Some(line.interpreter()), line.argument()]).flatten().chain([script])
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> + Clone {
        self.lines.iter().flatten()
    }
}

/// Works out what the kernel would do with a path if no mount had `noexec`, as far as scripts are concerned.
///
/// The chain ends at the first file that is no script; whether that may run is the kernel's to say, and its errors (no
/// such file, permission denied) are those that the caller is to see.
pub fn resolve(view: &mut impl View, path: &CStr) -> Verdict {
    let mut chain = Chain { lines: [None; LEVELS] };
    let mut needed = false;
    for level in 0..=LEVELS {
        let path = match level {
            0 => path,
            _ => chain.lines[level - 1].as_ref().map_or(c"", Line::interpreter),
        };
        let Some((found, head)) = look(view, path) else { break };
        let Some(line) = parse(&head).transpose() else { break };
        if !view.may_execute(found.inode) {
            break;
        }
        needed |= found.noexec;
        let fail = |errno| if needed { Verdict::Fail(errno) } else { Verdict::Native };
        match line {
            Err(_) => return fail(libc::ENOEXEC),
            Ok(_) if level == 0 && view.is_out_of_reach() => return fail(libc::ENOENT),
            // The kernel opens the working directory, which is no file.
            Ok(line) if line.interpreter().is_empty() => return fail(libc::EACCES),
            Ok(line) if level == LEVELS => {
                return fail(view.look(line.interpreter()).err().unwrap_or(libc::ELOOP));
            }
            Ok(line) => chain.lines[level] = Some(line),
        }
    }
    if needed { Verdict::Run(chain) } else { Verdict::Native }
}

fn look(view: &mut impl View, path: &CStr) -> Option<(Found, [u8; SIZE])> {
    let found = view.look(path).ok()?;
    Some((found, found.head?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Files by name: mode, `noexec`, text.
    struct Files(HashMap<&'static str, (u32, bool, &'static str)>);

    impl View for Files {
        fn look(&mut self, path: &CStr) -> Result<Found, i32> {
            let name = path.to_str().unwrap();
            let &(mode, noexec, text) = self.0.get(name).ok_or(libc::ENOENT)?;
            let mut head = [0; SIZE];
            head[..text.len()].copy_from_slice(text.as_bytes());
            Ok(Found { inode: Inode { mode, user: 0, group: 0 }, noexec, head: Some(head) })
        }

        fn may_execute(&mut self, inode: Inode) -> bool {
            inode.mode & 1 != 0
        }
    }

    fn run(path: &str, files: &[(&'static str, u32, bool, &'static str)]) -> Result<String, i32> {
        let mut files =
            Files(files.iter().map(|&(name, mode, noexec, text)| (name, (mode, noexec, text))).collect());
        let path = std::ffi::CString::new(path).unwrap();
        match resolve(&mut files, &path) {
            Verdict::Native => Ok("native".into()),
            Verdict::Fail(errno) => Err(errno),
            Verdict::Run(chain) => {
                let words: Vec<_> = chain.arguments(&path).map(|word| word.to_str().unwrap()).collect();
                assert_eq!(words[0], chain.program().to_str().unwrap());
                Ok(words.join(" "))
            }
        }
    }

    #[test]
    fn where_scripts_lead() {
        let sh = ("/bin/sh", 0o755, false, "\x7fELF");
        let plain = ("s", 0o755, true, "#!/bin/sh -x");
        assert_eq!(run("s", &[sh, plain]).as_deref(), Ok("/bin/sh -x s"));
        assert_eq!(run("s", &[sh, ("s", 0o644, true, "#!/bin/sh")]).as_deref(), Ok("native"));
        assert_eq!(run("s", &[sh, ("s", 0o755, false, "#!/bin/sh")]).as_deref(), Ok("native"));
        assert_eq!(run("s", &[("s", 0o755, true, "\x7fELF")]).as_deref(), Ok("native"));
        assert_eq!(run("s", &[("s", 0o755, true, "echo")]).as_deref(), Ok("native"));
        assert_eq!(run("s", &[]).as_deref(), Ok("native"));
        assert_eq!(run("s", &[("s", 0o755, true, "#!gone")]).as_deref(), Ok("gone s"));
        assert_eq!(run("s", &[("s", 0o755, true, "#!\n")]), Err(libc::ENOEXEC));
        assert_eq!(run("s", &[("s", 0o755, true, "#!")]), Err(libc::EACCES));
        let outer = ("t", 0o755, false, "#!s arg");
        assert_eq!(run("t", &[sh, plain, outer]).as_deref(), Ok("/bin/sh -x s arg t"));
    }

    #[test]
    fn five_levels_and_no_more() {
        let files = |last: &'static str| {
            let texts = ["#!b", "#!c", "#!d", "#!e", "#!f", last];
            let names = ["a", "b", "c", "d", "e", "f"];
            let level = |(name, text)| (name, 0o755, true, text);
            names.into_iter().zip(texts).map(level).collect::<Vec<_>>()
        };
        assert_eq!(run("a", &files("\x7fELF")).as_deref(), Ok("f e d c b a"));
        assert_eq!(run("a", &files("#!gone")), Err(libc::ENOENT));
        assert_eq!(run("a", &files("#!a")), Err(libc::ELOOP));
    }
}
