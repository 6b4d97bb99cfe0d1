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

/// The hosts, each with a page in section 1.
pub static HOSTS: [&Profile; 2] = [&hlua::PROFILE, &hpython_profile::PROFILE];

/// The pages that all hosts share.
const SHARED: [&str; 3] = ["h-policy.5", "h-filters.5", "h-security.7"];

/// Every file that is generated, or has a part that is, and its text.
///
/// # Errors
/// A page that cannot be read, or that asks for a list that nobody knows.
pub fn files() -> io::Result<Vec<(PathBuf, String)>> {
    let doc = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
    let mut files = Vec::new();
    for host in HOSTS {
        files.push(page(&doc, &format!("{}.1", host.name), Some(host))?);
        let completions = completions::of(host).into_iter();
        files.extend(completions.map(|(name, text)| (doc.join("completions").join(name), text)));
    }
    for name in SHARED {
        files.push(page(&doc, name, None)?);
    }
    Ok(files)
}

fn page(doc: &Path, name: &str, host: Option<&Profile>) -> io::Result<(PathBuf, String)> {
    let path = doc.join("man").join(name);
    let failed = |cause: String| io::Error::other(format!("{}: {cause}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let text = mdoc::refresh(&text, host).map_err(failed)?;
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
        let hosts: Vec<_> = HOSTS.iter().map(|host| host.name.to_owned()).collect();
        assert_eq!(words("Makefile", "HOSTS := "), hosts);
        let packages: Vec<_> = hosts.iter().cloned().chain(["h-doc".to_owned()]).collect();
        assert_eq!(words("packaging/arch/PKGBUILD", "pkgname="), packages);
        assert_eq!(words("packaging/install-package", "[ ${#wanted[@]} -gt 0 ] || wanted="), packages);
        let control = fs::read_to_string(root.join("packaging/debian/control")).unwrap();
        let stanzas: Vec<_> = control.lines().filter_map(|line| line.strip_prefix("Package: ")).collect();
        assert_eq!(stanzas, packages);
        for package in packages {
            assert!(root.join(format!("packaging/debian/{package}.install")).is_file(), "{package}");
        }
    }
}
