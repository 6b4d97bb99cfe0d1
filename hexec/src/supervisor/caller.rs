//! The process that asks: its memory, its files, and who it is. All of it may change while we look, and it may lie; what
//! comes of that is a call that it could have made by itself.
#![allow(unsafe_code, reason = "process_vm_readv(2) and openat2(2) have no safe form")]

use std::ffi::{CStr, CString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

use shebang::chain::{Found, View};
use shebang::credentials::{Credentials, EXECUTE, Inode};
use shebang::file::{Descriptor, errno, inspect};
use shebang::local::Identity;

/// Longest path that the kernel takes, with its zero.
const PATH_MAX: usize = libc::PATH_MAX as usize;
const PAGE: u64 = 4096;
/// More pointers than the kernel takes.
const MOST_POINTERS: usize = 1 << 20;

/// A thread that waits for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Caller(pub i32);

impl Caller {
    /// Reads memory up to the end of what is asked for or of a page that is not there.
    fn read(self, address: u64, into: &mut [u8]) -> usize {
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
        let remote = libc::iovec { iov_base: address as *mut _, iov_len: into.len() };
        // SAFETY: the local part is ours; the kernel checks the other.
        let read = unsafe { libc::process_vm_readv(self.0, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(read).unwrap_or(0)
    }

    /// Writes memory, all or nothing worth having.
    pub fn write(self, address: u64, from: &[u8]) -> bool {
        let local = libc::iovec { iov_base: from.as_ptr().cast_mut().cast(), iov_len: from.len() };
        let remote = libc::iovec { iov_base: address as *mut _, iov_len: from.len() };
        // SAFETY: as above.
        let written =
            unsafe { libc::process_vm_writev(self.0, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(written) == Ok(from.len())
    }

    /// Whether these bytes stand there.
    pub fn holds(self, address: u64, bytes: &[u8; 16]) -> bool {
        let mut found = [0; 16];
        self.read(address, &mut found) == found.len() && found == *bytes
    }

    /// A path.
    pub fn path(self, address: u64) -> Option<CString> {
        let mut path = Vec::new();
        let mut at = address;
        while path.len() < PATH_MAX {
            // Not beyond a page: the next may not be there, and most paths are short.
            let mut chunk = [0; 256];
            let room = usize::try_from(PAGE - at % PAGE).map_or(chunk.len(), |rest| rest.min(chunk.len()));
            let read = self.read(at, &mut chunk[..room]);
            let read = &chunk[..read];
            if let Some(end) = read.iter().position(|&byte| byte == 0) {
                path.extend_from_slice(&read[..end]);
                return CString::new(path).ok().filter(|path| path.count_bytes() < PATH_MAX);
            }
            if read.is_empty() {
                return None;
            }
            path.extend_from_slice(read);
            at = at.checked_add(read.len() as u64)?;
        }
        None
    }

    /// An array of pointers, without the null at its end.
    pub fn pointers(self, address: u64) -> Option<Vec<u64>> {
        let mut pointers = Vec::new();
        let mut at = address;
        while at != 0 && pointers.len() < MOST_POINTERS {
            let mut chunk = [0; 1024];
            let room = usize::try_from(PAGE - at % PAGE).map_or(8, |rest| rest.clamp(8, chunk.len()));
            let read = self.read(at, &mut chunk[..room]);
            let words = chunk[..read].chunks_exact(8);
            if words.len() == 0 {
                return None;
            }
            for word in words {
                match u64::from_ne_bytes(word.try_into().unwrap_or_default()) {
                    0 => return Some(pointers),
                    pointer => pointers.push(pointer),
                }
            }
            at = at.checked_add(read as u64 / 8 * 8)?;
        }
        (at == 0).then_some(pointers)
    }

    /// Whether this is the program, by name or by path.
    pub fn is_one_of(self, programs: &[std::ffi::OsString]) -> bool {
        if programs.is_empty() {
            return false;
        }
        let Ok(program) = fs::read_link(format!("/proc/{}/exe", self.0)) else { return false };
        programs.iter().any(|name| program.as_os_str() == name || program.file_name() == Some(name))
    }

    /// Numbers of its status file: the group leader and the parent.
    pub fn family(self) -> Option<(i32, i32)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let number = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        Some((number("Tgid:")?, number("PPid:")?))
    }

    /// Whether a descriptor of its is closed by an exec.
    fn closes_on_exec(self, descriptor: i32) -> bool {
        let info = fs::read_to_string(format!("/proc/{}/fdinfo/{descriptor}", self.0)).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & libc::O_CLOEXEC != 0)
    }
}

/// The filters that this process has: those of all that it answers, but for the one that makes them ask.
fn own_filters() -> Option<u32> {
    static FILTERS: OnceLock<Option<u32>> = OnceLock::new();
    *FILTERS.get_or_init(|| {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:")?.trim().parse().ok())
    })
}

/// Who a caller is, as far as files are concerned.
#[derive(Debug)]
pub struct Who {
    user: u32,
    group: u32,
    groups: Vec<u32>,
}

impl Who {
    fn of(caller: Caller, identity: Identity) -> Option<Who> {
        let status = fs::read_to_string(format!("/proc/{}/status", caller.0)).ok()?;
        let numbers = |key: &str| -> Option<Vec<u32>> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().map(|number| number.parse().ok()).collect()
        };
        // Whoever has filters beside ours is in a sandbox of its own, perhaps one that hides files: we would look past it.
        if numbers("Seccomp_filters:")?.first() != own_filters().map(|own| own + 1).as_ref() {
            return None;
        }
        let (users, groups) = (numbers("Uid:")?, numbers("Gid:")?);
        // Who is somebody else may not find out through us what only we can see.
        // SAFETY: geteuid always succeeds and touches no memory.
        if *users.get(1)? != unsafe { libc::geteuid() } {
            return None;
        }
        // Real, effective, saved, file system.
        let which = if identity == Identity::Real { 0 } else { 1 };
        Some(Who { user: *users.get(which)?, group: *groups.get(which)?, groups: numbers("Groups:")? })
    }

    /// What these credentials allow.
    pub fn may(&self, wanted: u32, inode: Inode) -> bool {
        Credentials { user: self.user, group: self.group, groups: &self.groups }.may(wanted, inode)
    }
}

/// Files as the caller sees them.
pub struct Remote {
    caller: Caller,
    /// Where the first path begins, if not at the working directory.
    first: Option<i32>,
    directory: Option<i32>,
    /// For the first path: none or `O_NOFOLLOW`.
    flags: i32,
    identity: Identity,
    who: Option<Who>,
}

impl Remote {
    /// Relative paths begin at the caller's working directory, the first one at this descriptor, if there is one.
    pub fn new(caller: Caller, first: Option<i32>, identity: Identity) -> Remote {
        Remote { caller, first, directory: first, flags: 0, identity, who: None }
    }

    /// The first path is not to be a link.
    pub fn without_link(self, without: bool) -> Remote {
        Remote { flags: if without { libc::O_NOFOLLOW } else { 0 }, ..self }
    }

    /// Where the next path begins, if not at the working directory.
    pub fn first(&self) -> Option<i32> {
        self.first
    }

    /// The next path begins at this descriptor, if there is one.
    pub fn begin(&mut self, first: Option<i32>) {
        self.first = first;
    }

    /// Who asks, if that is somebody for whom we look at files.
    pub fn who(&mut self) -> Option<&Who> {
        if self.who.is_none() {
            self.who = Who::of(self.caller, self.identity);
        }
        self.who.as_ref()
    }

    fn own(&self, name: &str) -> Result<Descriptor, i32> {
        let path = CString::new(format!("/proc/{}/{name}", self.caller.0)).unwrap_or_default();
        Descriptor::place(libc::AT_FDCWD, &path, 0)
    }

    fn place(&self, directory: Option<i32>, path: &CStr, flags: i32) -> Result<Descriptor, i32> {
        if let Some(number) = own_descriptor(path.to_bytes()) {
            return self.own(&format!("fd/{number}"));
        }
        if path.to_bytes().starts_with(b"/") {
            let root = self.own("root")?;
            return open(&root, path, flags, libc::RESOLVE_IN_ROOT | libc::RESOLVE_NO_MAGICLINKS);
        }
        let from = match directory {
            None => self.own("cwd")?,
            Some(number) => self.own(&format!("fd/{number}"))?,
        };
        if path.is_empty() {
            return if directory.is_some() { Ok(from) } else { Err(libc::ENOENT) };
        }
        match open(&from, path, flags, libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS) {
            // It leaves the directory: if through the root, that must be ours.
            Err(libc::EXDEV) if self.has_our_root() => open(&from, path, flags, libc::RESOLVE_NO_MAGICLINKS),
            other => other,
        }
    }

    fn has_our_root(&self) -> bool {
        let place = |path: String| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
        let same = |name: &str| {
            // Two that cannot be looked at are not the same.
            place(format!("/proc/{}/{name}", self.caller.0))
                .is_some_and(|theirs| place(format!("/proc/self/{name}")) == Some(theirs))
        };
        same("root") && same("ns/mnt")
    }
}

impl View for Remote {
    fn look(&mut self, path: &CStr) -> Result<Found, i32> {
        let (first, flags) = (self.first.take(), std::mem::take(&mut self.flags));
        inspect(self.place(first, path, flags)?.number())
    }

    fn may_execute(&mut self, inode: Inode) -> bool {
        self.who().is_some_and(|who| who.may(EXECUTE, inode))
    }

    fn is_out_of_reach(&self) -> bool {
        self.directory.is_some_and(|number| self.caller.closes_on_exec(number))
    }
}

/// The descriptor that a path names: links that lead elsewhere for each process are not followed otherwise.
fn own_descriptor(path: &[u8]) -> Option<u32> {
    let names = [&b"/proc/self/fd/"[..], b"/proc/thread-self/fd/", b"/dev/fd/"];
    let number = names.iter().find_map(|name| path.strip_prefix(*name))?;
    std::str::from_utf8(number).ok().filter(|number| !number.starts_with('+'))?.parse().ok()
}

fn open(from: &Descriptor, path: &CStr, flags: i32, resolve: u64) -> Result<Descriptor, i32> {
    // SAFETY: all zero is a valid structure; path and structure outlive the call.
    let answer = unsafe {
        let mut how: libc::open_how = std::mem::zeroed();
        how.flags = (libc::O_PATH | libc::O_CLOEXEC | flags) as u64;
        how.resolve = resolve;
        libc::syscall(libc::SYS_openat2, from.number(), path.as_ptr(), &raw const how, size_of_val(&how))
    };
    i32::try_from(answer).map_err(|_| errno()).and_then(Descriptor::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_by_name() {
        for (path, expected) in [
            ("/proc/self/fd/7", Some(7)),
            ("/dev/fd/0", Some(0)),
            ("/dev/fd/", None),
            ("/dev/fd/7/x", None),
            ("/dev/fd/+7", None),
            ("/dev/stdin", None),
        ] {
            assert_eq!(own_descriptor(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn this_process_is_one_too() {
        let caller = Caller(std::process::id() as i32);
        let text = CString::new("x".repeat(3000)).unwrap();
        assert_eq!(caller.path(text.as_ptr() as u64).as_ref(), Some(&text));
        let pointers = [1_u64, 2, 3, 0, 9];
        assert_eq!(caller.pointers(pointers.as_ptr() as u64), Some(vec![1, 2, 3]));
        assert_eq!(caller.pointers(0), Some(vec![]));
        assert_eq!(caller.pointers(8), None);
        assert_eq!(caller.path(8), None);
        let mut view = Remote::new(caller, None, Identity::Effective);
        assert!(view.look(c"/bin/sh").unwrap().head.unwrap().starts_with(b"\x7fELF"));
        assert_eq!(view.look(c"/nowhere").unwrap_err(), libc::ENOENT);
        assert_eq!(view.look(c"").unwrap_err(), libc::ENOENT);
    }
}
