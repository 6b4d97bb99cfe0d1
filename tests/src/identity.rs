//! Who runs a row: the sandbox must hold for root and for an ordinary user alike.

use crate::sys;
use serde::Deserialize;

/// The account of the ordinary user; `nobody` on every distribution.
pub const USER: u32 = 65534;

/// Who runs a row.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// uid 0 with all its capabilities.
    Root,
    /// An account without any privilege.
    User,
}

impl Identity {
    /// Those that this process can run a row as.
    pub fn available() -> &'static [Identity] {
        if sys::is_root() { &[Identity::Root, Identity::User] } else { &[Identity::User] }
    }

    /// The uid and gid to change to; `None` when this process already is whom it should be.
    pub fn account(self) -> Option<u32> {
        (self == Identity::User && sys::is_root()).then_some(USER)
    }

    /// What is appended to a row's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Identity::Root => "[root]",
            Identity::User => "[user]",
        }
    }
}
