//! Privileges: capabilities, `no_new_privs`, dumpability (capabilities(7), prctl(2)).
#![allow(unsafe_code, reason = "prctl(2) has no safe form, nor has one capset(2) for all sets")]

use std::io;

use caps::CapSet;

use crate::failure::{Failure, cause};
use crate::kernel;

/// Refuses to go on with privileges that come from the program's file and not from its caller, who names the grants and
/// would read and write with them.
///
/// # Errors
/// [`Failure::Borrowed`].
pub(crate) fn refuse_borrowed() -> Result<(), Failure> {
    // SAFETY: none of these takes a pointer, and none can fail.
    let (secure, same) = unsafe {
        let same = libc::getuid() == libc::geteuid() && libc::getgid() == libc::getegid();
        (libc::getauxval(libc::AT_SECURE) != 0, same)
    };
    // A security module may ask the loader for care as well, without any privilege (ld.so(8)).
    let capable = || caps::read(None, CapSet::Permitted).map_or(true, |set| !set.is_empty());
    let borrowed = secure && (!same || (kernel::user() != 0 && capable()));
    if borrowed { Err(Failure::Borrowed) } else { Ok(()) }
}

/// Gives up every capability in every set.
///
/// The bounding set can only be lowered with `CAP_SETPCAP`; who lacks that has no way to gain from
/// it once `no_new_privs` is set, because no program that is started adds capabilities any more.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn drop_capabilities() -> Result<(), Failure> {
    let failed =
        |error: caps::errors::CapsError| Failure::Step { step: "drop capabilities", cause: cause(&error) };
    if caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP).map_err(failed)? {
        drop_bounding_set()?;
    }
    clear_sets().map_err(|error| Failure::step("drop capabilities", &error))
}

/// Runs this thread before others, where that is allowed.
pub(crate) fn hurry() {
    const FIRST: libc::c_int = -20;
    // SAFETY: numbers only; 0 is the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, FIRST) };
}

/// Empties the effective, the permitted and the inheritable set in one call, where one after another would take two calls
/// each. What is in neither of the last two leaves the ambient set by itself (capabilities(7)).
fn clear_sets() -> io::Result<()> {
    /// `_LINUX_CAPABILITY_VERSION_3` of `linux/capability.h`, for 64 capabilities.
    const VERSION: u32 = 0x2008_0522;
    /// The two structures of `struct __user_cap_data_struct`, three words each.
    const NONE: [u32; 6] = [0; 6];
    // Of the thread 0: this one.
    let mut header: [u32; 2] = [VERSION, 0];
    // SAFETY: the kernel reads both, which outlive the call; it writes to a header only whose version it does not know.
    match unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), NONE.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether the process has no capability to lose.
pub(crate) fn has_none() -> bool {
    caps::read(None, CapSet::Permitted).is_ok_and(|permitted| permitted.is_empty())
}

/// Lowers the bounding set by number, so that a capability newer than any list goes as well.
fn drop_bounding_set() -> Result<(), Failure> {
    for capability in 0..u64::BITS.into() {
        match prctl(libc::PR_CAPBSET_DROP, capability) {
            Ok(()) => {}
            // The kernel knows no capability of this number, nor any above.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(Failure::step("drop the capability bounding set", &error)),
        }
    }
    Ok(())
}

/// No program that is started from here on gains privileges, set-id or not.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn set_no_new_privs() -> Result<(), Failure> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1).map_err(|error| Failure::step("set no_new_privs", &error))
}

/// No other process of this user may attach to us or read our memory, and no core is dumped.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn set_not_dumpable() -> Result<(), Failure> {
    prctl(libc::PR_SET_DUMPABLE, 0).map_err(|error| Failure::step("become undumpable", &error))
}

/// The kernel sends `SIGKILL` when the parent ends.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn die_with_parent() -> Result<(), Failure> {
    prctl(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(libc::SIGKILL.unsigned_abs()))
        .map_err(|error| Failure::step("tie the run to its monitor", &error))
}

/// Orphans beneath us become our children.
///
/// # Errors
/// [`Failure::Step`].
pub(crate) fn adopt_orphans() -> Result<(), Failure> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, 1).map_err(|error| Failure::step("watch over children", &error))
}

fn prctl(option: libc::c_int, argument: libc::c_ulong) -> io::Result<()> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: none of the options above passes a pointer.
    match unsafe { libc::prctl(option, argument, NONE, NONE, NONE) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
