//! Rules of a Landlock ruleset for paths, by the system call itself (landlock_add_rule(2)).
//!
//! The landlock crate asks fstat(2) for each path what it is, and so would we, to know which rights suit it. A start has a
//! dozen rules and may have a thousand: these questions were a tenth of what a rule costs.
#![allow(unsafe_code, reason = "landlock_add_rule(2) has no safe form without the questions")]

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use landlock::{AccessFs, BitFlags, RulesetCreated};

/// `LANDLOCK_RULE_PATH_BENEATH` of `linux/landlock.h`.
const PATH_BENEATH: libc::c_int = 1;

/// `struct landlock_path_beneath_attr` of `linux/landlock.h`, which is packed there.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// A second descriptor of a ruleset.
#[derive(Debug)]
pub(crate) struct Rules(OwnedFd);

impl Rules {
    /// For the rules of this ruleset.
    ///
    /// # Errors
    /// Those of copying a descriptor.
    pub(crate) fn of(ruleset: &RulesetCreated) -> io::Result<Self> {
        let copy: Option<OwnedFd> = ruleset.try_clone()?.into();
        // None would be a ruleset made for a kernel without Landlock.
        copy.map(Rules).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOSYS))
    }

    /// Allows `rights` for a file, or a directory with all beneath it.
    ///
    /// # Errors
    /// Those of landlock_add_rule(2): `EINVAL` also where only a directory could have one of the rights, `EBADFD` for what
    /// has no place in a file system.
    pub(crate) fn add(&self, file: &File, rights: BitFlags<AccessFs>) -> io::Result<()> {
        let rule = PathBeneath { allowed_access: rights.bits(), parent_fd: file.as_raw_fd() };
        // SAFETY: the kernel reads one structure of this form, which outlives the call.
        let answer = unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), PATH_BENEATH, &raw const rule, 0)
        };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use landlock::{Access as _, CompatLevel, Compatible, Ruleset, RulesetAttr};

    use super::*;
    use crate::kernel;

    fn rules() -> (RulesetCreated, Rules) {
        let abi = kernel::landlock().unwrap();
        let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let ruleset = ruleset.handle_access(AccessFs::from_all(abi)).unwrap().create().unwrap();
        let rules = Rules::of(&ruleset).unwrap();
        (ruleset, rules)
    }

    #[test]
    fn the_kernel_tells_files_from_directories() {
        let (_ruleset, rules) = rules();
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        let (directory, file) = (File::open("/etc").unwrap(), File::open("/etc/passwd").unwrap());
        assert!(rules.add(&directory, read).is_ok());
        assert_eq!(rules.add(&file, read).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert!(rules.add(&file, AccessFs::ReadFile.into()).is_ok());
    }

    #[test]
    fn what_has_no_place_gets_no_rule() {
        let (_ruleset, rules) = rules();
        let (socket, _other) = UnixStream::pair().unwrap();
        let socket = File::from(OwnedFd::from(socket));
        let refused = rules.add(&socket, AccessFs::ReadFile.into()).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EBADFD));
    }
}
