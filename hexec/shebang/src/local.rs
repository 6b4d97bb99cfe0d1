//! Files as this process sees them.
#![allow(unsafe_code, reason = "the libc crate's getgroups(2) and its like are foreign functions")]

use std::ffi::{CStr, c_int};

use crate::chain::{Found, View};
use crate::credentials::{Credentials, EXECUTE, Inode};
use crate::file::{Descriptor, inspect};

/// Most groups that are looked at.
const GROUPS: usize = 256;

/// This process's view.
#[derive(Debug, Clone, Copy)]
pub struct Local {
    /// Where the first path begins; interpreters are looked for from `working` on.
    first: Option<c_int>,
    working: c_int,
    /// For the first path: none or `O_NOFOLLOW`.
    flags: c_int,
    identity: Identity,
    out_of_reach: bool,
}

/// Whose permission counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The one that `execve` uses.
    Effective,
    /// The one that `access` uses.
    Real,
}

impl Local {
    /// Relative paths begin at the working directory.
    #[must_use]
    pub fn here() -> Self {
        Local {
            first: None,
            working: libc::AT_FDCWD,
            flags: 0,
            identity: Identity::Effective,
            out_of_reach: false,
        }
    }

    /// The first path begins at this directory; an empty one is the descriptor itself.
    #[must_use]
    pub fn beneath(self, directory: c_int) -> Self {
        Local { first: Some(directory), ..self }
    }

    /// All relative paths begin at this directory, which is to be the working directory then.
    #[must_use]
    pub fn within(self, directory: c_int) -> Self {
        Local { working: directory, ..self }
    }

    /// The descriptor at which the first path begins is closed by the exec.
    #[must_use]
    pub fn out_of_reach(self, out_of_reach: bool) -> Self {
        Local { out_of_reach, ..self }
    }

    /// The first path is not to be a link.
    #[must_use]
    pub fn without_link(self, without: bool) -> Self {
        Local { flags: if without { libc::O_NOFOLLOW } else { 0 }, ..self }
    }

    /// The same with another identity.
    #[must_use]
    pub fn of(self, identity: Identity) -> Self {
        Local { identity, ..self }
    }
}

impl View for Local {
    fn look(&mut self, path: &CStr) -> Result<Found, i32> {
        let directory = self.first.take().unwrap_or(self.working);
        if path.is_empty() && directory != libc::AT_FDCWD {
            return inspect(directory);
        }
        let flags = std::mem::take(&mut self.flags);
        inspect(Descriptor::place(directory, path, flags)?.number())
    }

    fn may_execute(&mut self, inode: Inode) -> bool {
        let mut groups = [0; GROUPS];
        // SAFETY: the array has the room that is named; the other calls touch no memory and always succeed.
        let (count, user, group) = unsafe {
            let count = libc::getgroups(GROUPS as c_int, groups.as_mut_ptr());
            match self.identity {
                Identity::Effective => (count, libc::geteuid(), libc::getegid()),
                Identity::Real => (count, libc::getuid(), libc::getgid()),
            }
        };
        let groups = &groups[..usize::try_from(count).unwrap_or(0)];
        Credentials { user, group, groups }.may(EXECUTE, inode)
    }

    fn is_out_of_reach(&self) -> bool {
        self.out_of_reach
    }
}
