//! What waits for the doors: paths that the user named, from which the interpreter would import while it comes up.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{self, PathBuf};

use sandbox_core::Invocation;

use crate::venv;

/// Paths for the interpreter that are not to be looked at before the doors.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// `PYTHONPATH`, which stands before the library: `encodings` could be the user's.
    pub path: Vec<PathBuf>,
    /// Where bytecode is cached, if something was said about it: what lies there is run without a look at the source.
    pub cache: Option<OsString>,
    /// The virtual environment.
    pub environment: Option<PathBuf>,
}

impl Late {
    /// What the command line and the environment say.
    pub fn of(invocation: &Invocation) -> Self {
        let ignores_environment = ["-E", "-I"].iter().any(|name| invocation.has(name));
        let variable = |name| env::var_os(name).filter(|value| !ignores_environment && !value.is_empty());
        let cache =
            invocation.switches.iter().rev().filter(|given| given.name == "-X").find_map(cache_prefix);
        Late {
            path: variable("PYTHONPATH").map(|value| directories(&value)).unwrap_or_default(),
            cache: cache.or_else(|| variable("PYTHONPYCACHEPREFIX")),
            environment: None,
        }
    }

    /// Looks at the virtual environment as far as it is granted: when files are closed.
    pub fn find_environment(&mut self) {
        self.environment = venv::find();
    }
}

/// `-X pycache_prefix=DIRECTORY`; without a directory it takes back what the environment says.
fn cache_prefix(given: &sandbox_core::Given) -> Option<OsString> {
    let option = given.value.as_ref()?.as_bytes();
    let value = option.strip_prefix(b"pycache_prefix")?;
    match value.split_first() {
        None => Some(OsString::new()),
        Some((b'=', value)) => Some(OsString::from_vec(value.to_vec())),
        Some(_) => None,
    }
}

/// The directories of a `PYTHONPATH`; an empty one is the current directory.
fn directories(value: &OsStr) -> Vec<PathBuf> {
    let named = value.as_bytes().split(|byte| *byte == b':');
    named
        .filter_map(|name| match name {
            b"" => env::current_dir().ok(),
            name => path::absolute(OsStr::from_bytes(name)).ok(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sandbox_core::Given;

    fn prefix(value: &str) -> Option<OsString> {
        cache_prefix(&Given { name: "-X", value: Some(value.into()) })
    }

    #[test]
    fn the_cache() {
        assert_eq!(prefix("pycache_prefix=/c"), Some("/c".into()));
        assert_eq!(prefix("pycache_prefix"), Some("".into()));
        assert_eq!((prefix("pycache_prefixes"), prefix("dev")), (None, None));
    }

    #[test]
    fn a_path_of_directories() {
        let here = env::current_dir().unwrap();
        assert_eq!(directories(OsStr::new("/a::b")), ["/a".into(), here.clone(), here.join("b")]);
    }
}
