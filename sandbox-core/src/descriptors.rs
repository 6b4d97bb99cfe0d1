//! Descriptors: what was inherited is closed, and 0 to 2 are never free.
#![allow(
    unsafe_code,
    reason = "close_range(2), fcntl(2), open(2), fchmod(2) and their like on fixed numbers have no safe form"
)]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::failure::Failure;
use crate::kernel;
use crate::policy::Access;

/// The standard descriptors that were closed, as bits.
static OCCUPIED: AtomicI32 = AtomicI32::new(0);

/// Starts an interpreter that looks which standard streams it has: those that were closed are so meanwhile.
///
/// # Errors
/// [`Failure::Step`] when they cannot be occupied again.
pub fn with_streams_as_inherited<T>(start: impl FnOnce() -> T) -> Result<T, Failure> {
    let occupied = OCCUPIED.load(Ordering::Relaxed);
    for number in (0..3).filter(|number| occupied >> number & 1 == 1) {
        // SAFETY: it was opened to occupy the number, and nobody else uses it.
        unsafe { libc::close(number) };
    }
    let started = start();
    occupy_standard()?;
    Ok(started)
}

/// Occupies standard descriptors that are closed, so that no file opened later becomes one of them.
///
/// What takes the place answers `EBADF` to reads on 0 and to writes on 1 and 2: the interpreter
/// sees what it would see on a closed descriptor.
///
/// # Errors
/// [`Failure::Step`] when `/dev/null` cannot be opened.
pub(crate) fn occupy_standard() -> Result<(), Failure> {
    for (number, flags) in [(0, libc::O_WRONLY), (1, libc::O_RDONLY), (2, libc::O_RDONLY)] {
        // SAFETY: F_GETFD takes no pointer.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } != -1 {
            continue;
        }
        // SAFETY: the path is a constant with its NUL. The lowest free number is `number`, because
        // those below are taken.
        if unsafe { libc::open(c"/dev/null".as_ptr(), flags) } != number {
            return Err(Failure::step(
                "open /dev/null for a closed standard stream",
                &io::Error::last_os_error(),
            ));
        }
        OCCUPIED.fetch_or(1 << number, Ordering::Relaxed);
    }
    Ok(())
}

/// Closes all that was inherited above standard error: files, directories, sockets, rings; `keep` is
/// our own.
///
/// # Errors
/// [`Failure::Step`]; `close_range(2)` came with Linux 5.9, before Landlock.
pub(crate) fn close_inherited(keep: Option<&File>) -> Result<(), Failure> {
    const FIRST: u32 = 3;
    let Some(keep) = keep.map(|file| file.as_raw_fd().unsigned_abs()) else {
        return close(FIRST, u32::MAX);
    };
    if keep > FIRST {
        close(FIRST, keep - 1)?;
    }
    close(keep + 1, u32::MAX)
}

/// Refuses standard streams that are sockets of a kind which the calls of a network grant could point at
/// another peer, past Landlock: datagrams, other protocols, unix sockets without a peer.
///
/// # Errors
/// [`Failure::LooseSocket`].
pub(crate) fn refuse_loose_sockets(flag: &'static str) -> Result<(), Failure> {
    for (number, stream) in [(0, "input"), (1, "output"), (2, "error")] {
        match option(number, libc::SO_TYPE) {
            Ok(kind) if is_held(number, kind) => {}
            Ok(_) => return Err(Failure::LooseSocket { flag, stream }),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOTSOCK | libc::EBADF)) => {}
            Err(error) => return Err(Failure::step("look at a standard stream", &error)),
        }
    }
    Ok(())
}

/// Keeps a pipe, or a file without a name, that the script is given for reading from being opened again for writing, by
/// way of `/proc/self/fd`: Landlock knows no such files, and what is written there a later program may read as its
/// input.
///
/// The mode that says so is the pipe's, whoever has it. A pipe that the script writes to keeps its own: its reader may
/// open it by `/dev/stdin`.
///
/// # Errors
/// [`Failure::Step`] when the mode cannot be changed, and others could write.
pub(crate) fn keep_directions() -> Result<(), Failure> {
    for number in 0..3 {
        // SAFETY: no pointers.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFL) };
        if flags == -1 || flags & (libc::O_ACCMODE | libc::O_PATH) != libc::O_RDONLY || !has_no_place(number)
        {
            continue;
        }
        // SAFETY: no pointers.
        if unsafe { libc::fchmod(number, 0o400) } != 0 && !is_anothers(number) {
            let error = io::Error::last_os_error();
            return Err(Failure::step("keep a standard stream from being written to", &error));
        }
    }
    Ok(())
}

/// What a standard stream leads to, without any right to its content, and what the stream allows of it: nothing for pipes
/// and sockets, which Landlock does not know, and for files that are only appended to.
pub(crate) fn behind(number: i32) -> Option<(File, Access)> {
    // SAFETY: no pointers.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFL) };
    let kind = kernel::stat(number).ok()?.st_mode & libc::S_IFMT;
    let plain = kind == libc::S_IFREG;
    if flags == -1 || flags & libc::O_PATH != 0 || !(plain || kind == libc::S_IFCHR) {
        return None;
    }
    let access = match (flags & libc::O_ACCMODE, plain && flags & libc::O_APPEND != 0) {
        (libc::O_RDONLY, _) | (libc::O_RDWR, true) => Access::Read,
        (libc::O_WRONLY, false) => Access::Fill,
        (libc::O_RDWR, false) => Access::Use,
        _ => return None,
    };
    Some((open_path(Path::new(&link(number))).ok()?, access))
}

/// The way to the file behind a descriptor itself, whatever its name has become.
pub(crate) fn link(number: RawFd) -> String {
    format!("/proc/self/fd/{number}")
}

/// Opens what is there without any right to its content.
pub(crate) fn open_path(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_PATH).open(path)
}

/// Whether a standard stream is a terminal.
pub(crate) fn have_terminal() -> bool {
    // SAFETY: no pointers.
    (0..3).any(|number| unsafe { libc::isatty(number) } == 1)
}

/// Whether a descriptor is that of a pipe without a name, or of a file in memory that has none.
fn has_no_place(number: i32) -> bool {
    const PIPES: libc::c_long = 0x5049_5045;
    let Ok(file) = kernel::stat(number) else { return false };
    match file.st_mode & libc::S_IFMT {
        libc::S_IFIFO => file_system(number) == Some(PIPES),
        libc::S_IFREG if file.st_nlink == 0 => file_system(number)
            .is_some_and(|system| [libc::TMPFS_MAGIC, libc::HUGETLBFS_MAGIC].contains(&system)),
        _ => false,
    }
}

/// Whether the file belongs to somebody else, who lets nobody write to it.
fn is_anothers(number: i32) -> bool {
    kernel::stat(number).is_ok_and(|file| file.st_uid != kernel::user() && file.st_mode & 0o022 == 0)
}

/// The magic number of the file system (statfs(2)).
fn file_system(number: i32) -> Option<libc::c_long> {
    // SAFETY: all zero is a valid statfs, and the kernel fills it while it lives.
    unsafe {
        let mut stat: libc::statfs = std::mem::zeroed();
        (libc::fstatfs(number, &raw mut stat) == 0).then_some(stat.f_type)
    }
}

/// TCP, whose ports Landlock holds, or a unix stream that has its peer for good.
fn is_held(number: i32, kind: i32) -> bool {
    let (family, protocol) = (option(number, libc::SO_DOMAIN), option(number, libc::SO_PROTOCOL));
    match (family, kind, protocol) {
        (Ok(libc::AF_INET | libc::AF_INET6), libc::SOCK_STREAM, Ok(libc::IPPROTO_TCP)) => true,
        (Ok(libc::AF_UNIX), libc::SOCK_STREAM, _) => has_peer(number),
        _ => false,
    }
}

/// One of a socket's options: `ENOTSOCK` for what is no socket.
fn option(number: i32, name: i32) -> io::Result<i32> {
    let mut value: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the kernel writes no more than `size` bytes to `value`; both outlive the call.
    let answer =
        unsafe { libc::getsockopt(number, libc::SOL_SOCKET, name, (&raw mut value).cast(), &raw mut size) };
    if answer == 0 { Ok(value) } else { Err(io::Error::last_os_error()) }
}

fn has_peer(number: i32) -> bool {
    let mut size: libc::socklen_t = 0;
    // SAFETY: a size of zero lets the kernel write no address; `size` outlives the call.
    unsafe { libc::getpeername(number, std::ptr::dangling_mut(), &raw mut size) == 0 }
}

fn close(first: u32, last: u32) -> Result<(), Failure> {
    // SAFETY: the call takes no pointers. Nobody owns the descriptors that it closes: it runs before
    // the sandbox or the interpreter opens any, and the one exception is left out.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0_u32) } {
        0 => Ok(()),
        _ => Err(Failure::step("close inherited descriptors", &io::Error::last_os_error())),
    }
}
