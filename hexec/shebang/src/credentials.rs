//! Whether the mode of a file lets somebody execute it: `generic_permission` of the kernel, without access control lists.

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
    /// The other groups.
    pub groups: &'a [u32],
}

/// What a file's inode says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inode {
    /// The mode with the file's type.
    pub mode: u32,
    /// Its owner.
    pub user: u32,
    /// Its group.
    pub group: u32,
}

/// Read permission, as in `access(2)`.
pub const READ: u32 = 4;
/// Execute permission.
pub const EXECUTE: u32 = 1;

impl Credentials<'_> {
    /// Whether a regular file's mode allows this, [`READ`] or [`EXECUTE`] or both. The superuser executes what anybody may.
    #[must_use]
    pub fn may(&self, wanted: u32, inode: Inode) -> bool {
        if self.user == 0 {
            return wanted & EXECUTE == 0 || inode.mode & 0o111 != 0;
        }
        let shift = if self.user == inode.user {
            6
        } else if self.group == inode.group || self.groups.contains(&inode.group) {
            3
        } else {
            0
        };
        inode.mode >> shift & wanted == wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_class_that_fits_decides() {
        let may = |user, mode: u32| {
            let who = Credentials { user, group: 10, groups: &[20] };
            who.may(EXECUTE, Inode { mode: 0o100_000 | mode, user: 1, group: 20 })
        };
        for (user, mode, expected) in [
            (1, 0o100, true),
            (1, 0o077, false),
            (2, 0o010, true),
            (2, 0o101, false),
            (0, 0o001, true),
            (0, 0o666, false),
        ] {
            assert_eq!(may(user, mode), expected, "{user} {mode:o}");
        }
        let stranger = Credentials { user: 3, group: 30, groups: &[] };
        assert!(stranger.may(EXECUTE | READ, Inode { mode: 0o005, user: 1, group: 20 }));
        assert!(!stranger.may(EXECUTE, Inode { mode: 0o770, user: 1, group: 20 }));
    }
}
