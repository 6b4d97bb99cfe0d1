//! Writes what the manual pages and the completions say about options, from the tables that the hosts parse them with.
//!
//! The pages are written by hand but for what stands between two comments, `begin NAME` and `end`. The completions are
//! generated whole. Both are checked in; a test of this crate compares them with the tables.

mod completions;
mod mdoc;
mod shell;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbox_core::Profile;

use crate::shell::Command;

/// The hosts.
static HOSTS: [&Profile; 4] =
    [&hlua::PROFILE, &hpython_profile::PROFILE, &hsh_profile::PROFILE, &hnode_profile::PROFILE];

/// What has a page in section 1 and completions: the hosts, and hexec.
fn commands() -> impl Iterator<Item = Command> {
    HOSTS.into_iter().map(Command::host).chain([Command::hexec()])
}

/// The pages that all hosts share.
const SHARED: [&str; 3] = ["h-policy.5", "h-filters.5", "h-security.7"];

/// Every file that is generated, or has a part that is, and its text.
///
/// # Errors
/// A page that cannot be read, or that asks for a list that nobody knows.
pub fn files() -> io::Result<Vec<(PathBuf, String)>> {
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
    let mut files = Vec::new();
    for command in commands() {
        files.push(page(&doc, &format!("{}.1", command.name), Some(&command))?);
        let completions = completions::of(&command).into_iter();
        files.extend(completions.map(|(name, text)| (doc.join("completions").join(name), text)));
    }
    for name in SHARED {
        files.push(page(&doc, name, None)?);
    }
    Ok(files)
}

fn page(doc: &Path, name: &str, command: Option<&Command>) -> io::Result<(PathBuf, String)> {
    let path = doc.join("man").join(name);
    let failed = |cause: String| io::Error::other(format!("{}: {cause}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let text = mdoc::refresh(&text, command).map_err(failed)?;
    Ok((path, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_in_is_fresh() {
        for (path, text) in files().unwrap() {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert!(found == text, "{} is out of date: run `make manual`", path.display());
        }
    }

    #[test]
    fn every_host_is_packaged() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let words = |file: &str, begin: &str| {
            let text = fs::read_to_string(root.join(file)).unwrap();
            let line = text.lines().find_map(|line| line.trim_start().strip_prefix(begin)).map(str::to_owned);
            let line = line.unwrap_or_else(|| panic!("{file} has no line '{begin}'"));
            line.trim_matches(['(', ')', ' ']).split(' ').map(str::to_owned).collect::<Vec<_>>()
        };
        let commands: Vec<_> = commands().map(|command| command.name.to_owned()).collect();
        assert_eq!(words("Makefile", "HOSTS ?= "), commands);
        let packages: Vec<_> = commands.into_iter().chain(["h-doc".to_owned()]).collect();
        assert_eq!(words("packaging/install-package", "all="), packages);
        // Arch has Node without its library, and a newer one than hnode is written for.
        let on_arch: Vec<_> = packages.iter().filter(|name| *name != "hnode").cloned().collect();
        assert_eq!(words("packaging/arch/PKGBUILD", "pkgname="), on_arch);
        let control = fs::read_to_string(root.join("packaging/debian/control")).unwrap();
        let stanzas: Vec<_> = control.lines().filter_map(|line| line.strip_prefix("Package: ")).collect();
        assert_eq!(stanzas, packages);
        for package in packages {
            assert!(root.join(format!("packaging/debian/{package}.install")).is_file(), "{package}");
        }
    }
}
