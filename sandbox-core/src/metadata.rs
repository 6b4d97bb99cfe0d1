//! Modes, owners and times of files: no lock of the kernel's holds them to granted paths, so the monitor changes them for the
//! run, beneath the write grants and nowhere else; `service` brings the calls here.
//!
//! The calls wait (seccomp_unotify(2)) and are never let through: the monitor looks up the file itself, asks where the file
//! that it has got lies, and changes that one, through its own descriptor. What the caller does to its memory, its working
//! directory or its links meanwhile changes nothing.
#![allow(unsafe_code, reason = "openat2(2), fchownat(2) and utimensat(2) on descriptors have no safe form")]

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::descriptors::{link, open_path};
use crate::notify::{Call, Listener};
use crate::policy::{Access, Grant, Origin, Policy};

/// The calls that wait.
#[cfg(target_arch = "x86_64")]
pub(crate) const CALLS: [libc::c_long; 12] = [
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_utimensat,
];
#[cfg(target_arch = "aarch64")]
pub(crate) const CALLS: [libc::c_long; 6] = [
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
];

/// fchmodat2(2), Linux 6.6.
const FCHMODAT2: libc::c_long = 452;

/// The roots beneath which files may be changed.
#[derive(Debug)]
pub(crate) struct Roots(Vec<File>);

impl Roots {
    /// Those of the write grants; `private` is the run's own directory.
    pub(crate) fn of(policy: &Policy, private: Option<&File>) -> Self {
        let written = policy.grants.iter().filter(|grant| grant.access == Access::Write);
        // What cannot be opened has been said already.
        let open = |grant: &Grant| match (grant.origin, private) {
            (Origin::Private, Some(directory)) => directory.try_clone().ok(),
            _ => open_path(&grant.path).ok(),
        };
        Roots(written.filter_map(open).collect())
    }

    /// Does what a waiting call asks for, or says why not.
    ///
    /// # Errors
    /// Those that the call may have.
    pub(crate) fn perform(&self, listener: &Listener, call: &Call) -> io::Result<()> {
        let (file, change) = asked(call)?;
        // Until here a number may have become another process's.
        if !listener.waits(call) {
            return Err(error(libc::EINTR));
        }
        if !self.holds(&file)? {
            return Err(error(libc::EPERM));
        }
        change.apply(&file)
    }

    /// Whether a file lies beneath a write grant, by where it is now.
    fn holds(&self, file: &OwnedFd) -> io::Result<bool> {
        let place = place(file)?;
        for root in &self.0 {
            if place.starts_with(self::place(root)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is to be changed of a file.
enum Change {
    Mode(u32),
    Owner(u32, u32),
    Times(Option<[libc::timespec; 2]>),
}

impl Change {
    fn apply(self, file: &OwnedFd) -> io::Result<()> {
        match self {
            Change::Mode(mode) => set_mode(file, mode),
            Change::Owner(user, group) => {
                // SAFETY: an empty path that ends in NUL.
                check(unsafe {
                    libc::fchownat(file.as_raw_fd(), c"".as_ptr(), user, group, libc::AT_EMPTY_PATH)
                })
            }
            Change::Times(times) => {
                let times = times.as_ref().map_or(std::ptr::null(), |times| times.as_ptr());
                // SAFETY: an empty path that ends in NUL; two records or null.
                check(unsafe { libc::utimensat(file.as_raw_fd(), c"".as_ptr(), times, libc::AT_EMPTY_PATH) })
            }
        }
    }
}

/// A mode that would give a program its owner's rights is no business of a script's.
fn set_mode(file: &OwnedFd, mode: u32) -> io::Result<()> {
    let metadata = File::from(file.try_clone()?).metadata()?;
    if metadata.file_type().is_symlink() {
        return Err(error(libc::EOPNOTSUPP));
    }
    // A directory may keep the bit that hands its group down.
    let allowed = if metadata.is_dir() { 0o3777 } else { 0o1777 };
    if mode & 0o7777 & !allowed != 0 {
        return Err(error(libc::EPERM));
    }
    fs::set_permissions(link(file.as_raw_fd()), fs::Permissions::from_mode(mode & 0o7777))
}

/// The file that a call is about, and what it asks.
fn asked(call: &Call) -> io::Result<(OwnedFd, Change)> {
    let follow = |flags: i32| flags & libc::AT_SYMLINK_NOFOLLOW == 0;
    let mode = |place| Change::Mode(call.int(place) as u32);
    let owner = |place| Change::Owner(call.int(place) as u32, call.int(place + 1) as u32);
    let number = call.number();
    match number {
        libc::SYS_fchmod => return Ok((descriptor(call, call.int(0))?, mode(1))),
        libc::SYS_fchown => return Ok((descriptor(call, call.int(0))?, owner(1))),
        libc::SYS_fchmodat => return Ok((named(call, call.int(0), 1, true, 0)?, mode(2))),
        FCHMODAT2 => return Ok((named(call, call.int(0), 1, follow(call.int(3)), call.int(3))?, mode(2))),
        libc::SYS_fchownat => {
            return Ok((named(call, call.int(0), 1, follow(call.int(4)), call.int(4))?, owner(2)));
        }
        libc::SYS_utimensat => {
            let change = Change::Times(timespecs(call, call.pointer(2))?);
            let flags = call.int(3);
            if call.pointer(1) == 0 {
                return Ok((descriptor(call, call.int(0))?, change));
            }
            return Ok((named(call, call.int(0), 1, follow(flags), flags)?, change));
        }
        _ => {}
    }
    older(call)
}

/// Calls that only older architectures have.
#[cfg(target_arch = "x86_64")]
fn older(call: &Call) -> io::Result<(OwnedFd, Change)> {
    let here = |place, follow| named(call, libc::AT_FDCWD, place, follow, 0);
    let owner = || Change::Owner(call.int(1) as u32, call.int(2) as u32);
    match call.number() {
        libc::SYS_chmod => Ok((here(0, true)?, Change::Mode(call.int(1) as u32))),
        libc::SYS_chown => Ok((here(0, true)?, owner())),
        libc::SYS_lchown => Ok((here(0, false)?, owner())),
        libc::SYS_utime => Ok((here(0, true)?, Change::Times(seconds(call, call.pointer(1))?))),
        libc::SYS_utimes => Ok((here(0, true)?, Change::Times(microseconds(call, call.pointer(1))?))),
        libc::SYS_futimesat => {
            let change = Change::Times(microseconds(call, call.pointer(2))?);
            Ok((named(call, call.int(0), 1, true, 0)?, change))
        }
        _ => Err(error(libc::ENOSYS)),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn older(_: &Call) -> io::Result<(OwnedFd, Change)> {
    Err(error(libc::ENOSYS))
}

/// What a descriptor of the caller's refers to.
fn descriptor(call: &Call, number: i32) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(error(libc::EBADF));
    }
    let link = format!("/proc/{}/fd/{number}", call.thread());
    let opened = open_path(Path::new(&link));
    // There is no such descriptor.
    opened.map(OwnedFd::from).map_err(|_| error(libc::EBADF))
}

/// What a path of the caller's names, seen from one of its descriptors; the argument `place` is the path.
fn named(call: &Call, base: i32, place: usize, follow: bool, flags: i32) -> io::Result<OwnedFd> {
    let known = libc::AT_SYMLINK_NOFOLLOW | libc::AT_EMPTY_PATH;
    if flags & !known != 0 {
        return Err(error(libc::EINVAL));
    }
    let path = path(call, call.pointer(place))?;
    if path.is_empty() {
        let empty = flags & libc::AT_EMPTY_PATH != 0 && base != libc::AT_FDCWD;
        return if empty { descriptor(call, base) } else { Err(error(libc::ENOENT)) };
    }
    // The C library's own way to a file that it has opened without any right.
    if let Some(number) = path.strip_prefix(b"/proc/self/fd/") {
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        return descriptor(call, number.ok_or_else(|| error(libc::ENOENT))?);
    }
    let start = match base {
        _ if path.starts_with(b"/") => open_path(Path::new("/"))?,
        libc::AT_FDCWD => open_path(Path::new(&format!("/proc/{}/cwd", call.thread())))?,
        _ => descriptor(call, base)?.into(),
    };
    look_up(&start, &path, follow)
}

/// Opens a path without any right to its content. Links of `/proc` that lead to a process's own things are not followed: ours
/// are not the caller's.
fn look_up(start: &File, path: &[u8], follow: bool) -> io::Result<OwnedFd> {
    let path = CString::new(path).map_err(|_| error(libc::EINVAL))?;
    let last = if follow { 0 } else { libc::O_NOFOLLOW };
    // SAFETY: all zero is a valid record.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | last) as u64;
    how.resolve = libc::RESOLVE_NO_MAGICLINKS;
    // SAFETY: a string that ends in NUL and a record of the size that is told; both outlive the call.
    let number = unsafe {
        libc::syscall(
            libc::SYS_openat2,
            start.as_raw_fd(),
            path.as_ptr(),
            &raw const how,
            size_of::<libc::open_how>(),
        )
    };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(number as i32) })
}

/// A string of the caller's, up to the length that the kernel takes.
fn path(call: &Call, address: u64) -> io::Result<Vec<u8>> {
    const LONGEST: usize = 4096;
    const PAGE: u64 = 4096;
    let mut path = Vec::new();
    let mut at = address;
    while path.len() < LONGEST {
        // Not beyond a page, of which the next may be missing.
        let mut part = vec![0; usize::try_from(PAGE - at % PAGE).unwrap_or(1)];
        let count = call.read(at, &mut part)?;
        part.truncate(count);
        if let Some(end) = part.iter().position(|byte| *byte == 0) {
            path.extend_from_slice(&part[..end]);
            return if path.len() < LONGEST { Ok(path) } else { Err(error(libc::ENAMETOOLONG)) };
        }
        if count == 0 {
            return Err(error(libc::EFAULT));
        }
        path.extend_from_slice(&part);
        at += count as u64;
    }
    Err(error(libc::ENAMETOOLONG))
}

/// `N` numbers of the caller's; nothing for a null pointer, which means now.
fn numbers<const N: usize>(call: &Call, address: u64) -> io::Result<Option<[i64; N]>> {
    if address == 0 {
        return Ok(None);
    }
    let mut bytes = vec![0; N * 8];
    if call.read(address, &mut bytes)? != bytes.len() {
        return Err(error(libc::EFAULT));
    }
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = i64::from_ne_bytes(bytes.try_into().unwrap_or_default());
    }
    Ok(Some(numbers))
}

fn times(numbers: [i64; 4]) -> [libc::timespec; 2] {
    [(numbers[0], numbers[1]), (numbers[2], numbers[3])]
        .map(|(tv_sec, tv_nsec)| libc::timespec { tv_sec, tv_nsec })
}

fn timespecs(call: &Call, address: u64) -> io::Result<Option<[libc::timespec; 2]>> {
    Ok(numbers(call, address)?.map(times))
}

#[cfg(target_arch = "x86_64")]
fn microseconds(call: &Call, address: u64) -> io::Result<Option<[libc::timespec; 2]>> {
    let of = |[a, b, c, d]: [i64; 4]| times([a, b.saturating_mul(1000), c, d.saturating_mul(1000)]);
    Ok(numbers(call, address)?.map(of))
}

#[cfg(target_arch = "x86_64")]
fn seconds(call: &Call, address: u64) -> io::Result<Option<[libc::timespec; 2]>> {
    Ok(numbers(call, address)?.map(|[read, changed]: [i64; 2]| times([read, 0, changed, 0])))
}

/// Where the file of a descriptor lies now, as the kernel tells it.
fn place(file: &impl AsRawFd) -> io::Result<PathBuf> {
    fs::read_link(link(file.as_raw_fd()))
}

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}
