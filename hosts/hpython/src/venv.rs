//! The virtual environment that `VIRTUAL_ENV` names, as its own `bin/python3` would find it.
//!
//! The variable grants nothing: an environment that was not granted cannot be read, and is left out.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sandbox_core::denial;

use hpython_profile::PROFILE;

/// An environment that is closed to the script, for advice.
static CLOSED: OnceLock<PathBuf> = OnceLock::new();

/// The environment that was named, if it could not be read.
pub fn closed() -> Option<PathBuf> {
    CLOSED.get().cloned()
}

/// The environment's directory, if it is one for this release and can be read.
pub fn find() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("VIRTUAL_ENV")?);
    if !directory.is_absolute() {
        return None;
    }
    let text = match beginning(&directory.join("pyvenv.cfg")) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() == io::ErrorKind::PermissionDenied {
                // It is set once.
                let _ = CLOSED.set(directory);
            }
            return None;
        }
    };
    let ours = hpython_profile::VERSION;
    let theirs = release(&text).unwrap_or("unknown");
    if minor(theirs) == ours {
        return Some(directory);
    }
    let warning = denial::other_release(PROFILE.name, &directory, theirs, ours);
    // Where standard error cannot be written there is nobody to tell.
    let _ = io::stderr().write_all(warning.as_bytes());
    None
}

/// The beginning of a file, as much of it as such a file could be.
fn beginning(file: &Path) -> io::Result<String> {
    const MOST: u64 = 64 << 10;
    let mut text = String::new();
    File::open(file)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// The interpreter of an environment.
pub fn executable(directory: &Path) -> OsString {
    directory.join("bin/python3").into_os_string()
}

/// `version = 3.11.2` as the module venv writes it, `version_info = 3.11.2.final.0` as virtualenv does.
fn release(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        ["version", "version_info"].contains(&name.trim()).then(|| value.trim())
    })
}

/// The first two numbers of a release.
fn minor(release: &str) -> &str {
    match release.match_indices('.').nth(1) {
        Some((end, _)) => &release[..end],
        None => release,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(release("home = /usr/bin\nversion = 3.11.2\n"), Some("3.11.2"));
        assert_eq!(release("version_info = 3.12.1.final.0\n").map(minor), Some("3.12"));
        assert_eq!(release("home = x\n"), None);
        assert_eq!(minor("3.9"), "3.9");
    }
}
