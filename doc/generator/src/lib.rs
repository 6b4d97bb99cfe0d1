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
}
